"""The documents are true where a machine can tell: links lead somewhere, commands exist, lists are complete."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from docs import generate
from entrepot.cli import VERBS
from entrepot.importing.mapping import parse_mapping
from entrepot.importing.rows import RowReader
from tests.tidy.finding import ROOT, Finding, files, text_of
from tests.tidy.text_rules import anchors, links

PAGES = list(files(".md"))
ADR_PARTS = ("Status", "Context", "Decision", "Consequences")
ADR_LINES_MAX = 80


def _dead_links(path: str) -> Iterator[Finding]:
    for line, target in links(text_of(path)):
        file, _, anchor = target.partition("#")
        there = (ROOT / path).parent / file if file else ROOT / path
        if not there.exists():
            yield Finding(path, line, f"the link {target!r} leads nowhere")
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
            yield Finding(path, line, f"the page has no heading {anchor!r} ({target})")


def _dependencies() -> set[str]:
    project = tomllib.loads(text_of("pyproject.toml"))
    wanted = [*project["project"]["dependencies"]]
    for group in (*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()):
        wanted += group
    return {re.split(r"[\[<>=!~; ]", name)[0] for name in wanted}


def test_every_link_leads_to_a_page_and_heading_that_exist() -> None:
    dead = [str(finding) for path in PAGES for finding in _dead_links(path)]
    assert not dead, "\n".join(dead)


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, ahead = set[str](), ["README.md", "docs/index.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or not page.endswith(".md"):
            continue
        seen.add(page)
        targets = [target.partition("#")[0] for _, target in links(text_of(page))]
        there = [((ROOT / page).parent / target).resolve() for target in targets if target]
        ahead += [path.relative_to(ROOT).as_posix() for path in there if path.is_file()]
    lost = set(files(".md", under="docs")) - seen
    assert not lost, f"No page links to {sorted(lost)}"


def test_every_dependency_says_what_it_is_for() -> None:
    rows = re.findall(r"^\| `?([\w.-]+)`? \|", text_of("docs/reference/dependencies.md"), re.MULTILINE)
    told, wanted = set(rows) - {"package", "---"}, _dependencies()
    assert wanted - told == set(), "each needs a row in docs/reference/dependencies.md"
    assert told - wanted == set(), "these rows are about packages that are no dependency"


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {(page, target) for page in PAGES for target in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)}
    assert {pair for pair in named if pair[1] not in targets} == set()


def test_every_verb_in_the_documents_exists() -> None:
    named = {(page, verb) for page in PAGES for verb in re.findall(r"(?:^ +|`)entrepot ([a-z]+)", text_of(page), re.MULTILINE)}
    missing = sorted(f"{page}: entrepot {verb}" for page, verb in named if verb not in VERBS)
    assert not missing, "\n".join(missing)


def test_the_generated_pages_are_what_the_code_says() -> None:
    stale = [path.name for path, text in generate.pages().items() if not path.exists() or path.read_text() != text]
    assert not stale, f"Run: make docs ({stale})"


def test_the_diagrams_know_every_table_and_reference() -> None:
    sql = "CREATE TABLE a.b (\n    id uuid NOT NULL,\n    CONSTRAINT b_is PRIMARY KEY (id)\n);\n"
    sql += "CREATE TABLE a.c (\n    b_id uuid NOT NULL,\n    CONSTRAINT c_of_b FOREIGN KEY (b_id) REFERENCES a.b (id)\n);\n"
    first, second = generate.tables(sql)
    assert (first.columns, first.primary) == ({"id": "uuid"}, ["id"])
    assert second.references == [("c_of_b", ["b_id"], "a.b")]
    assert "b ||--o{ c : c_of_b" in generate.diagrams([first, second])


def test_the_mapping_in_the_how_to_is_one_that_we_accept() -> None:
    example = re.search(r"```toml\n(.*?)```", text_of("docs/how-to/import-your-own-file.md"), re.DOTALL)
    assert example is not None
    mapping = parse_mapping(example[1], "the how-to")
    assert mapping.orders is not None
    RowReader(mapping.orders, "the how-to")


def test_every_make_target_describes_itself() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", text_of("Makefile"), re.MULTILINE)
    described = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    assert phony is not None
    assert set(phony[1].split()) == described


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    decisions = [path for path in files(".md", under="docs/decisions") if path[len("docs/decisions/")].isdigit()]
    listed = {target for _, target in links(text_of("docs/decisions/README.md"))}
    numbers = [int(PurePosixPath(path).name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1)), "decisions are numbered without a gap"
    for path in decisions:
        text = text_of(path)
        assert PurePosixPath(path).name in listed, f"docs/decisions/README.md does not list {path}"
        assert [part for part in ADR_PARTS if f"## {part}" not in text] == [], f"{path} lacks a part"
        assert text.count("\n") <= ADR_LINES_MAX, f"{path} is longer than a page"

"""The house rules for what is not Python: SQL, migrations, Markdown, and any text at all. Pure, like ``python_rules.py``."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.tidy.finding import Finding

FILE_LINES_MAX = 400

QUERY = "-- name: "
_QUERY_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_SENTENCE = re.compile(r"^-- [A-Z]\w* \w+")
_MIGRATION = re.compile(r"^\d{4}_(pre|post)_[a-z0-9_]+(\.rollback)?\.sql$")
# The brackets keep this file from finding itself.
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|tm[p]|Use[r]s|hom[e]/\w+)/|[A-Z]:\\\\Use[r]s")
_ANY_MEMBER = re.compile(
    r"[\w)\]]\[(?!\d+\]|['\x22])[^\]]+\]\s*[-+*/|&?]*=(?![=>])|__proto__|\.prototype\b|setPrototypeOf"
    r"|Object\.assign\((?!document\.createElement\()"
)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)


def long_file(path: str, text: str) -> Iterable[Finding]:
    """Find a file that cannot be read in one sitting."""
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Finding(
            path, FILE_LINES_MAX + 1, f"the file has {lines} lines, {FILE_LINES_MAX} at most: split it by what it holds"
        )


def machine_path(path: str, text: str) -> Iterable[Finding]:
    """Find names of places that exist on one machine only."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _MACHINE_PATH.search(line):
            yield Finding(path, number, f"{found[0]!r} exists on one machine only: make it relative, or a setting")


def polluted_prototypes(path: str, text: str) -> Iterable[Finding]:
    """Find scripts that write to a member which data could name: ``__proto__`` is one (ASVS 5.0, 15.3.6)."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _ANY_MEMBER.search(line):
            yield Finding(path, number, f"{found[0]!r} lets data choose a member: keep it in a Map, or name the member")


def named_queries(path: str, text: str) -> Iterable[Finding]:
    """Find statements of a room's queries that do not open with ``-- name: x`` and a sentence that says what they do."""
    title, *queries = text.split(QUERY)
    line = 1 + title.count("\n")
    if re.search(r"^(?!--)\S", title, re.MULTILINE):
        yield Finding(path, 1, f"SQL without a name: open each query with '{QUERY}what_it_does'")
    for query in queries:
        name, sentence = [*query.split("\n"), ""][:2]
        if not _QUERY_NAME.match(name):
            yield Finding(path, line, f"{name!r} is no name of a query: lower case and underscores")
        if not _SENTENCE.match(sentence):
            yield Finding(path, line, f"the query {name} has no sentence: say in its second line what it does")
        line += query.count("\n")


def migration(path: str, text: str) -> Iterable[Finding]:
    """Find migrations that are not called NNNN_pre_what.sql or NNNN_post_what.sql, or may wait for a lock for ever."""
    name = PurePosixPath(path).name
    if not _MIGRATION.match(name):
        yield Finding(path, 1, "a migration is called NNNN_pre_what.sql (before the code) or NNNN_post_what.sql (after it)")
    if "lock_timeout" not in text:
        yield Finding(path, 1, "a migration that may wait for a lock for ever: SET LOCAL lock_timeout first")


def anchors(text: str) -> set[str]:
    """Return the anchors that a Markdown page's headings make, as GitHub makes them."""
    titles = (re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()) for title in _HEADING.findall(text))
    return {title.replace(" ", "-") for title in titles}


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and target of each link to a file of this project, outside fenced code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for inline, attribute in _LINK.findall(line):
            target = inline or attribute
            if not re.match(r"[a-z]+:|//", target):
                yield number, target

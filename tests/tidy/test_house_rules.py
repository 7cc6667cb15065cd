"""The house rules that a machine can check, on every file of the project; each failure names the file and the line."""

import json

import pytest

from tests.tidy import python_rules, text_rules
from tests.tidy.finding import ROOT, Rule, broken, files, text_of

PYTHON = [*files(".py", under="src"), *files(".py", under="tests"), *files(".py", under="bench"), *files(".py", under="docs")]
SOURCE = [path for path in PYTHON if path.startswith("src/")]
TESTS = [path for path in PYTHON if path.rsplit("/", 1)[-1].startswith("test_")]
TEXT = [*PYTHON, *files(".md", ".sql", ".toml", ".html", ".css", ".svg", ".json", "Makefile"), *files("", under=".ci")]
QUERIES = [path for path in files(".sql", under="src") if path.endswith("/store.sql") or text_rules.QUERY in text_of(path)]
RATCHET = ROOT / "tests" / "tidy" / "ratchet.json"

RULES: list[tuple[Rule, list[str]]] = [
    (python_rules.empty_names, PYTHON),
    (python_rules.long_functions, PYTHON),
    (python_rules.module_docstring, PYTHON),
    (python_rules.pure_rules, [path for path in SOURCE if path.endswith("/rules.py")]),
    (python_rules.deciding_commands, [path for path in SOURCE if path.endswith("/commands.py")]),
    (python_rules.commits_outside_record, SOURCE),
    (python_rules.sql_in_strings, SOURCE),
    (python_rules.float_near_money, PYTHON),
    (python_rules.clock_or_chance, SOURCE),
    (python_rules.sleep_in_tests, TESTS),
    (python_rules.shape_of_tests, TESTS),
    (python_rules.log_events, SOURCE),
    (python_rules.bare_opt_outs, PYTHON),
    (text_rules.machine_path, TEXT),
    (text_rules.polluted_prototypes, [path for path in files(".js", under="src") if "/vendor/" not in path]),
    (text_rules.named_queries, QUERIES),
    (text_rules.migration, list(files(".sql", under="src/entrepot/record/migrations"))),
]


@pytest.mark.parametrize(("rule", "paths"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_every_file_keeps_the_house_rule(rule: Rule, paths: list[str]) -> None:
    found = broken(rule, paths)
    assert not found, f"{rule.__doc__}\n{found}"


def test_no_file_grows_beyond_what_one_can_read() -> None:
    allowed: dict[str, int] = json.loads(RATCHET.read_text())
    paths = [*PYTHON, *QUERIES]
    found = {f.path: f for path in paths for f in text_rules.long_file(path, text_of(path))}
    grown = [str(f) for path, f in found.items() if text_of(path).count("\n") > allowed.get(path, 0)]
    assert not grown, "\n".join(grown)
    loose = [path for path, lines in allowed.items() if path not in found or text_of(path).count("\n") < lines]
    assert not loose, f"These files have shrunk: lower them in tests/tidy/ratchet.json, or strike them out: {loose}"

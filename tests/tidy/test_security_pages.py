"""What the pages of security claim: the tests they name are there, no item is left out, and the commands of runbooks exist."""

import re

from cyclopts import App

from entrepot.cli import app
from tests.tidy.finding import files, text_of

PAGE = "docs/reference/asvs.md"
STATES = {"met", "by build", "n/a", "yours", "not met"}

# How many items each section of ASVS 5.0.0 has, and which of them are of level 3 alone.
ITEMS = {
    "1.1": 2, "1.2": 10, "1.3": 12, "1.4": 3, "1.5": 3, "2.1": 3, "2.2": 3, "2.3": 5, "2.4": 2, "3.1": 1, "3.2": 3, "3.3": 5,
    "3.4": 8, "3.5": 8, "3.6": 1, "3.7": 5, "4.1": 5, "4.2": 5, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 6, "5.3": 3, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 3, "7.6": 2, "8.1": 4, "8.2": 4, "8.3": 3, "8.4": 2, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16,
    "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 4, "11.2": 5, "11.3": 5, "11.4": 4, "11.5": 2, "11.6": 2, "11.7": 2, "12.1": 5,
    "12.2": 2, "12.3": 5, "13.1": 4, "13.2": 6, "13.3": 4, "13.4": 7, "14.1": 2, "14.2": 8, "14.3": 3, "15.1": 5, "15.2": 5,
    "15.3": 7, "15.4": 4, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 4, "17.1": 2, "17.2": 8, "17.3": 2,
}  # fmt: skip
LEVEL_3 = set(
    (  # noqa: SIM905  # ninety names as a list would be ninety lines
        "1.2.10 1.3.12 1.5.3 2.3.5 2.4.2 3.1.1 3.2.3 3.3.5 3.4.7 3.4.8 3.5.6 3.5.7 3.5.8 3.6.1 3.7.3 3.7.4 3.7.5 4.1.4 "
        "4.1.5 4.2.2 4.2.3 4.2.4 4.2.5 5.2.4 5.2.5 5.2.6 5.3.3 6.3.5 6.3.6 6.3.7 6.3.8 6.4.5 6.4.6 6.5.6 6.5.7 6.5.8 "
        "6.6.4 6.7.1 6.7.2 7.5.3 8.1.3 8.1.4 8.2.4 8.3.2 8.3.3 8.4.2 10.2.3 10.3.5 10.4.12 10.4.13 10.4.14 10.4.15 "
        "10.4.16 11.1.3 11.1.4 11.2.4 11.2.5 11.3.4 11.3.5 11.5.2 11.6.2 11.7.1 11.7.2 12.1.4 12.1.5 12.3.5 13.1.2 "
        "13.1.3 13.1.4 13.2.6 13.3.3 13.3.4 13.4.6 13.4.7 14.2.5 14.2.6 14.2.7 14.2.8 15.1.4 15.1.5 15.2.4 15.2.5 "
        "15.4.1 15.4.2 15.4.3 15.4.4 16.5.4 17.1.2 17.2.5 17.2.6 17.2.7 17.2.8"
    ).split()
)


def rows() -> list[tuple[list[str], str, str]]:
    """Return each row of the table: its items, its state, and what it says."""
    found = re.findall(r"^\| ([0-9][0-9., to]*) \| ([^|]+) \| (.+) \|$", text_of(PAGE), re.MULTILINE)
    return [(items(told), state, why) for told, state, why in found]


def items(told: str) -> list[str]:
    """Return the items that a row is about: one, several, or from one to another of a section."""
    first, _, last = told.partition(" to ")
    if not last:
        return told.split(", ")
    section, _, number = first.rpartition(".")
    return [f"{section}.{one}" for one in range(int(number), int(last.rpartition(".")[2]) + 1)]


def names_of_tests() -> set[str]:
    return {name for path in files(".py", under="tests") for name in re.findall(r"def (test_\w+)", text_of(path))}


def test_every_item_of_the_two_levels_has_one_row() -> None:
    wanted = {f"{section}.{one}" for section, count in ITEMS.items() for one in range(1, count + 1)} - LEVEL_3
    told = [item for found, _, _ in rows() for item in found]
    assert len(told) == len(set(told)), "an item has two rows"
    assert wanted - set(told) == set()
    assert set(told) - wanted <= LEVEL_3


def test_every_row_has_a_state_and_says_why() -> None:
    assert {state for _, state, _ in rows()} <= STATES
    assert [found for found, state, why in rows() if state == "met" and not re.search(r"`test_|\]\(|`base/|lock`", why)] == []


def test_every_test_that_a_page_of_security_names_exists() -> None:
    there = names_of_tests()
    named = {name for path in files(".md", under="docs") for name in re.findall(r"`(test_\w+)`", text_of(path))}
    assert named - there == set()


def test_every_command_of_a_runbook_exists_with_its_options() -> None:
    for path in (
        *files(".md", under="docs/how-to"),
        *files(".md", under="docs/reference"),
        *files(".md", under="docs/deliverables"),
    ):
        for line in re.findall(r"^ {4,}(entrepot [^\n#|>&]+)", text_of(path), re.MULTILINE):
            words = line.split()[1:]
            missing = unknown(app(), words)
            assert not missing, f"{path}: {line.strip()}: there is no {missing}"


def unknown(line: App, words: list[str]) -> str:
    """Return the first word of a command line that is neither a command nor an option of it; empty where all are known."""
    at = line
    while words and words[0] in at:
        at, words = at[words[0]], words[1:]
    if at is line:
        return words[0]
    if at.default_command is None:
        return "" if not words or words[0].startswith("-") else words[0]
    known = {name for one in at.assemble_argument_collection() for name in one.names}
    return next((word for word in words if word.startswith("--") and word.partition("=")[0] not in known), "")


def test_a_command_or_option_that_there_is_not_is_found() -> None:
    assert unknown(app(), ["ledger", "close", "2026-10"]) == ""
    assert unknown(app(), ["ledger", "burn"]) == "burn"
    assert unknown(app(), ["nothing"]) == "nothing"
    assert unknown(app(), ["audit", "show", "--actor", "x"]) == ""
    assert unknown(app(), ["audit", "show", "--whom", "x"]) == "--whom"

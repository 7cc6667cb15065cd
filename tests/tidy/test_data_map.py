"""The data map is whole: whatever could hold something personal is declared, or was looked at and holds nothing."""

import json
import re
from collections.abc import Iterator

from entrepot.sealing.datamap import PERSONAL, SUBJECTS
from entrepot.sealing.neutral import NAMES, PLACES, SUSPICIOUS
from tests.tidy.finding import ROOT

_TABLE = re.compile(r"^CREATE TABLE (\w+\.\w+) \(\n(.*?)\n\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^    (\w+) (text|jsonb?|bytea|inet|uuid)(?:\[\])?\b")
_PERSON = re.compile(r"(^|_)(person|customer|buyer|subject|user|guest)_id$|^subject$|^decided_by$")


def columns(*kinds: str) -> Iterator[str]:
    """Yield every column of these types as ``schema.table.column``."""
    schema = (ROOT / "src" / "entrepot" / "record" / "schema.sql").read_text()
    for table, body in _TABLE.findall(schema):
        for line in body.splitlines():
            found = _COLUMN.match(line)
            if found and found[2] in kinds:
                yield f"{table}.{found[1]}"


def event_fields() -> Iterator[str]:
    """Yield every field of an event's body that holds free text."""
    events = json.loads((ROOT / "tests" / "tidy" / "events.json").read_text())
    for struct, fields in events.items():
        for name, field in fields.items():
            if re.search(r"\bstr\b", field["type"]):
                yield f"event {struct}.{name}"


def undeclared(places: Iterator[str]) -> list[str]:
    """Return the places that nobody has declared, and whose names do not say that they are harmless."""
    declared = {one.place for one in PERSONAL} | PLACES
    return [place for place in places if place not in declared and place.rsplit(".", 1)[-1] not in NAMES]


def test_every_column_that_may_be_personal_is_in_the_data_map() -> None:
    missing = undeclared(columns("text", "json", "jsonb", "bytea", "inet"))
    assert not missing, f"say in sealing/datamap.py what they hold, or in sealing/neutral.py that it is nobody's: {missing}"


def test_every_event_field_that_may_be_personal_is_in_the_data_map() -> None:
    missing = undeclared(event_fields())
    assert not missing, f"say in sealing/datamap.py what they hold, or in sealing/neutral.py that it is nobody's: {missing}"


def test_every_id_that_stands_for_a_person_is_known_as_one() -> None:
    unknown = {place for place in columns("uuid") if _PERSON.search(place.rsplit(".", 1)[-1])}
    assert not [place for place in unknown if place.rsplit(".", 1)[-1] not in SUBJECTS]


def test_the_data_map_names_only_what_there_is() -> None:
    there = {*columns("text", "json", "jsonb", "bytea", "inet"), *event_fields()}
    gone = [
        one.place for one in PERSONAL if not one.place.startswith(("drawer ", "object ", "columns ")) and one.place not in there
    ]
    assert not gone
    assert not PLACES - there


def test_no_name_that_may_be_a_persons_is_neutral_by_itself() -> None:
    assert not [name for name in NAMES if SUSPICIOUS.search(name)]


def test_what_is_plain_says_why_and_what_is_sealed_is_named_as_such() -> None:
    for one in PERSONAL:
        assert one.why or one.protection != "plain", f"{one.place} is plain without a reason"
        if one.place.endswith("_sealed"):
            assert one.protection == "sealed", one.place

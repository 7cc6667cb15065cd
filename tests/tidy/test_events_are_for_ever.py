"""Events are for ever: their tags have one form, their bodies are frozen, and their shape may only grow."""

import json

from tests.tidy import event_schemas


def test_every_tag_reads_area_thing_version() -> None:
    wrong = [
        f"{module.__name__}: {name} = {tag!r}"
        for area, module in event_schemas.event_modules()
        for name, tag in event_schemas.tags(module).items()
        if not (found := event_schemas.TAG.match(tag)) or found["area"] != area
    ]
    assert not wrong, f"A tag reads area.thing.vN: {wrong}"


def test_every_event_body_is_frozen() -> None:
    modules = list(event_schemas.event_modules())
    thawed = [
        f"{area}.{name}"
        for area, module in modules
        for name, struct in event_schemas.structs(module).items()
        if not struct.__struct_config__.frozen
    ]
    assert modules
    assert not thawed, f"An event is a fact, and facts do not change: {thawed}"


def test_events_only_grow_by_fields_with_defaults() -> None:
    golden = json.loads(event_schemas.GOLDEN.read_text())
    assert event_schemas.breaks(golden, event_schemas.schemas()) == []


def test_the_golden_file_knows_every_event() -> None:
    golden = json.loads(event_schemas.GOLDEN.read_text())
    assert golden == event_schemas.schemas(), "Run: python -m tests.tidy.event_schemas"


def test_a_changed_lost_or_newly_required_field_is_found() -> None:
    old = {"a.B": {"x": {"type": "int", "required": True}, "y": {"type": "str", "required": True}}}
    new = {"a.B": {"x": {"type": "str", "required": True}, "z": {"type": "int", "required": True}}}
    assert len(event_schemas.breaks(old, new)) == 3
    assert event_schemas.breaks(old, {}) == ["a.B is gone: events already written still have it"]


def test_a_field_with_a_default_may_be_added() -> None:
    old = {"a.B": {"x": {"type": "int", "required": True}}}
    new = {"a.B": {"x": {"type": "int", "required": True}, "z": {"type": "int", "required": False}}}
    assert event_schemas.breaks(old, new) == []


def test_a_field_of_known_words_may_get_more_and_lose_none() -> None:
    few, more = ({"a.B": {"x": {"type": f"Literal[{words}]", "required": True}}} for words in ("'a', 'b'", "'a', 'b', 'c'"))
    assert event_schemas.breaks(few, more) == []
    assert len(event_schemas.breaks(more, few)) == 1

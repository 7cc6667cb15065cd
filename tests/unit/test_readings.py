"""Who reads the log is shown in words, and nothing is shown where all is as it always is."""

from datetime import UTC, datetime

from entrepot.base.event import Position
from entrepot.console.readings import shown
from entrepot.log.store import Reader

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def projector(source: str, why: str = "", slots: int = 2) -> Reader:
    return Reader("projector", "here/1", source, why, None, slots, None, NOW)


def relay(behind: int, why: str = "") -> Reader:
    return Reader("relay", "there/2", "record", why, Position(7, 7), 0, behind, NOW)


def test_projectors_in_the_record_need_no_words() -> None:
    assert shown([projector("record"), projector("record")]) == []


def test_each_says_where_it_reads_how_much_it_writes_and_how_far_the_relay_is() -> None:
    found = shown([projector("stream", slots=1), relay(12)])
    assert [(one.kind, one.reads, one.shape, one.says) for one in found] == [
        ("Projector", "Kafka", "good", "writes 1 slot"),
        ("Relay", "PostgreSQL", "good", "12 events behind the log"),
    ]


def test_what_is_wrong_is_said_a_late_relay_none_at_all_and_a_stream_that_does_not_reach_back() -> None:
    assert [one.shape for one in shown([relay(50_000)])] == ["warning"]
    waiting = shown([relay(3, "The stream engine does not answer.")])
    assert [(one.shape, one.says) for one in waiting] == [
        ("warning", "3 events behind the log; it waits: The stream engine does not answer.")
    ]
    assert "no relay runs" in shown([projector("stream")])[0].says
    found = shown([projector("record", "The stream does not serve cell 1.")])
    assert [(one.reads, one.shape) for one in found] == [("PostgreSQL", "warning")]
    assert "does not serve" in found[0].says

"""Two readings of the log, the second where the first ended, are one."""

from uuid import UUID

from msgspec import Raw

from entrepot.base.event import Event, Position
from entrepot.log.batch import Batch, joined

FIRST = Event(1, UUID(int=1), Position(10, 1), 5, "note.written.v1", "note/a", 1, Raw(b"{}"))
SECOND = Event(1, UUID(int=2), Position(20, 2), 6, "note.written.v1", "note/b", 1, Raw(b"{}"))
EARLY = Batch([FIRST], [7], end=Position(10, 1), last=Position(10, 1), scanned=3, passed=1, stamp=5, full=True, settled=True)


def test_what_both_have_seen_is_in_order_and_ends_where_the_second_does() -> None:
    late = Batch([SECOND], [8], end=Position(20, 2), last=Position(20, 2), scanned=4, passed=2, stamp=6, settled=False)
    assert joined(EARLY, late) == Batch(
        [FIRST, SECOND], [7, 8], end=Position(20, 2), last=Position(20, 2), scanned=7, passed=2, stamp=6, settled=False
    )


def test_a_second_one_that_saw_nothing_keeps_what_the_first_has_passed() -> None:
    whole = joined(EARLY, Batch([], [], end=Position(10, 1)))
    assert (whole.last, whole.scanned, whole.passed, whole.stamp, whole.full) == (Position(10, 1), 3, 1, 5, False)

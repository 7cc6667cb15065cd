"""A batch of events as read from one source or several: pure."""

from collections.abc import Sequence

from msgspec import Struct, structs

from entrepot.base.event import START, Event, Position

FAR = Position(2**63 - 1, 2**63 - 1)


class Batch(Struct, frozen=True):
    """What was read after a position: ``events`` are all the wanted ones up to and with ``end``.

    ``hashes`` are those of the events' keys; ``scanned`` counts the unwanted too, of which the last stood at ``last`` and
    had the number ``passed`` and the ``stamp``. ``full``: there is more. ``settled``: no transaction was open that may still
    write behind ``end``.
    """

    events: Sequence[Event]
    hashes: Sequence[int]
    end: Position
    last: Position = START
    scanned: int = 0
    passed: int = 0
    stamp: int = 0
    full: bool = False
    settled: bool = True


def joined(first: Batch, second: Batch) -> Batch:
    """Return a reading and the one that goes on at its end as one."""
    seen = second if second.scanned else first
    return Batch(
        events=[*first.events, *second.events],
        hashes=[*first.hashes, *second.hashes],
        end=second.end,
        last=seen.last,
        scanned=first.scanned + second.scanned,
        passed=seen.passed,
        stamp=seen.stamp,
        full=second.full,
        settled=second.settled,
    )


def merged(table: Batch, archived: Batch) -> Batch:
    """Return two readings after one position as one: as far as both have read, in order, each event once."""
    end = min(table.end, archived.end)
    both = {
        event.position: (event, hash_)
        for batch in (archived, table)
        for event, hash_ in zip(batch.events, batch.hashes, strict=True)
        if event.position <= end
    }
    in_order = [both[position] for position in sorted(both)]
    nearer = table if table.end <= archived.end else archived
    return Batch(
        events=[event for event, _ in in_order],
        hashes=[hash_ for _, hash_ in in_order],
        end=end,
        last=max(table.last, archived.last),
        scanned=table.scanned + archived.scanned,
        passed=nearer.passed,
        stamp=nearer.stamp,
        full=table.full or archived.full,
        settled=table.settled,
    )


def at_an_event(batch: Batch, after: Position) -> Batch:
    """Return the batch with its end at the last event it saw, and not where a later one may yet be.

    A source that has no more says that it has read up to its oldest open transaction. That number is no position to
    keep: a server that crashes forgets the transactions that wrote nothing durable, and gives their numbers again.
    """
    return structs.replace(batch, end=min(batch.end, max(batch.last, after)))

"""Reads a cell's log in commit order, and never skips: docs/decisions/0003.

``LogReader.read`` reads anywhere, the archive included. ``Tail`` keeps the newest events of a cell in memory, so that they are
read once for all the projections of a process.
"""

import asyncio
from bisect import bisect_right
from typing import Protocol

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.event import START, Event, Position
from entrepot.base.projection import Slot
from entrepot.log.archived import ArchivedLog
from entrepot.log.batch import Batch, at_an_event, merged
from entrepot.log.forgotten import unlinked
from entrepot.log.store import SQL, event_of
from entrepot.record.transaction import Record


class ReadsLog(Protocol):
    """Where a slot's events come from."""

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return the slot's events of these kinds after a position, reading at most ``limit`` of whatever kind."""
        ...


class LogReader:
    """Reads any part of the log: the table, and before it the archive, as one sequence."""

    def __init__(self, record: Record, archived: ArchivedLog | None = None) -> None:
        self._record = record
        self._archived = archived

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return the slot's events of these kinds after a position, reading at most ``limit`` of whatever kind."""
        return await unlinked(self._record, await self._read(slot, after, kinds, limit))

    async def _read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        table, in_archive = await self._table(slot, after, kinds, limit, 1)
        if not in_archive:
            return at_an_event(table, after)
        if self._archived is None:
            raise BadInputError(
                f"Part of cell {slot.cell}'s log is in the archive: give the objects engine to read it.", cell=slot.cell
            )
        # Each time the table first and then the archive: what leaves the table in between is in the archive already.
        archived = await self._archived.read(slot, after, kinds, limit)
        if table.full and table.end < archived.end:
            table, _ = await self._table(slot, after, kinds, limit, limit)
            archived = await self._archived.read(slot, after, kinds, limit)
        return at_an_event(merged(table, archived), after)

    async def _table(
        self, slot: Slot, after: Position, kinds: frozenset[str], limit: int, limit_beside_archive: int
    ) -> tuple[Batch, bool]:
        async with self._record.committing() as connection:
            *rows, end = await connection.fetch(
                SQL["read_events"],
                *(slot.cell, after.txid, after.seq, limit, list(kinds), slot.shard, slot.shards, limit_beside_archive),
            )
        batch = Batch(
            events=[event_of(slot.cell, row) for row in rows],
            hashes=[row["hash"] for row in rows],
            end=max(Position(end["txid"], end["seq"]), after),
            last=Position(end["last_txid"], end["passed"]) if end["scanned"] else START,
            scanned=end["scanned"],
            passed=end["passed"] or 0,
            stamp=end["at"] or 0,
            full=end["scanned"] == (limit_beside_archive if end["archived"] else limit),
            settled=end["settled"],
        )
        return batch, end["archived"]


class Tail:
    """The newest events of a cell, read once for whoever follows them: a window of the log up to where anyone has read."""

    def __init__(self, reader: ReadsLog, cell: int, kinds: frozenset[str]) -> None:
        self._reader = reader
        self._slot = Slot(cell)
        self._kinds = kinds
        self._start = self._end = START
        self._events: list[Event] = []
        self._hashes: list[int] = []
        self._last = Batch([], [], START)
        self._passed = self._stamp = 0
        self._reading: asyncio.Task[None] | None = None

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return what ``LogReader.read`` would, from memory where the window has it."""
        if after < self._start:
            return await self._reader.read(slot, after, kinds, limit)
        if after >= self._end:
            await self._extend(after)
        if not self._start <= after <= self._end:  # another reader is further on or back, and the window is with it
            return await self._reader.read(slot, after, kinds, limit)
        return self._window(slot, after, kinds, limit)

    async def _extend(self, after: Position) -> None:
        """Read on at the end of the window; all who wait for it share one reading."""
        if self._reading is None or self._reading.done():
            if after > self._end:
                self._start = self._end = after
                self._events.clear()
                self._hashes.clear()
            self._reading = asyncio.get_running_loop().create_task(self._read_on())
        await asyncio.shield(self._reading)

    async def _read_on(self) -> None:
        batch = await self._reader.read(self._slot, self._end, self._kinds, limits.BATCH_EVENTS_MAX)
        self._last, self._end = batch, batch.end
        if batch.scanned:
            self._passed, self._stamp = batch.passed, batch.stamp
        self._events += batch.events
        self._hashes += batch.hashes
        beyond = len(self._events) - limits.TAIL_EVENTS_MAX
        if beyond > 0:
            self._start = self._events[beyond - 1].position
            del self._events[:beyond], self._hashes[:beyond]

    def _window(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        first = bisect_right(self._events, after, key=_position)
        rows = self._events[first : first + limit]
        whole = first + len(rows) == len(self._events)
        chosen = [
            (event, hash_)
            for event, hash_ in zip(rows, self._hashes[first : first + limit], strict=True)
            if event.kind in kinds and (slot.shards == 1 or hash_ % slot.shards == slot.shard)
        ]
        return Batch(
            events=[event for event, _ in chosen],
            hashes=[hash_ for _, hash_ in chosen],
            end=self._end if whole else rows[-1].position,
            # Nothing wanted by anyone may lie before the end: whoever comes after another reader has passed it all the same.
            scanned=len(rows) or int(whole and after < self._end),
            passed=max(rows[-1].position.seq if rows else 0, self._passed if whole else 0),
            stamp=max(rows[-1].at if rows else 0, self._stamp if whole else 0),
            full=not whole or self._last.full,
            settled=self._last.settled,
        )


def _position(event: Event) -> Position:
    return event.position

"""Reads a cell's log from the stream that it is relayed to, and from the record what the stream no longer has.

Positions, order and events are the record's own, so each projection goes on in either, at any moment. Who follows shares a
cursor, which reads ahead of them; what is asked for one by one, as of a quarantine, is looked up in the record.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
import structlog

from entrepot.base import engine_limits, limits
from entrepot.base.errors import EntrepotError
from entrepot.base.event import Event, Position
from entrepot.base.projection import Slot
from entrepot.base.stream import NotInStreamError, Relayed, StreamSource
from entrepot.log import store
from entrepot.log.batch import Batch
from entrepot.log.bell import Bell
from entrepot.log.forgotten import unlinked
from entrepot.log.reader import ReadsLog
from entrepot.log.relay import SCHEMAS, area_of
from entrepot.record.transaction import Record
from entrepot.record.wake import CHANNEL

log = structlog.get_logger()


class StreamedLog:
    """``ReadsLog`` of one cell by its stream. ``source`` makes one, not yet started; ``why`` says what is read elsewhere."""

    def __init__(
        self, record: Record, bell: Bell, table: ReadsLog, source: Callable[[], StreamSource], cell: int, kinds: frozenset[str]
    ) -> None:
        self._record, self._bell, self._table, self._source = record, bell, table, source
        self._cell, self._kinds = cell, kinds
        self._cursors: list[_Cursor] = []
        self._choosing = asyncio.Lock()
        self._again_at = 0.0
        self.why = ""

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return what ``LogReader.read`` would, as far as it has been relayed."""
        cursor = await self._cursor(after) if limit >= limits.BATCH_EVENTS_MIN else None
        if cursor is None:
            return await self._table.read(slot, after, kinds, limit)
        return await unlinked(self._record, cursor.read(slot, after, kinds, limit))

    async def close(self) -> None:
        """Leave the stream."""
        while self._cursors:
            await self._cursors.pop().close()

    async def _cursor(self, after: Position) -> "_Cursor | None":
        """Return the cursor that has a position, or begin one there; nothing where the stream cannot."""
        async with self._choosing:
            now = asyncio.get_running_loop().time()
            await self._close_idle(now)
            having = next((cursor for cursor in self._cursors if cursor.has(after)), None)
            if having is None and now >= self._again_at and len(self._cursors) < engine_limits.STREAM_CURSORS_MAX:
                having = await self._begun(after)
            if having is not None:
                having.used_at = now
            return having

    async def _close_idle(self, now: float) -> None:
        """Close the cursors that nobody follows any more."""
        for cursor in [one for one in self._cursors if one.failed or now - one.used_at > engine_limits.STREAM_IDLE_SECONDS]:
            self._cursors.remove(cursor)
            await cursor.close()

    async def _begun(self, after: Position) -> "_Cursor | None":
        source = self._source()
        try:
            await self._know_kinds(source)
            await source.start(self._cell, sorted({area_of(kind) for kind in self._kinds}), after)
        except NotInStreamError as error:
            await source.close()
            self._say(f"The stream does not serve cell {self._cell} from {after.txid}.{after.seq}: {error}.")
            self._again_at = asyncio.get_running_loop().time() + engine_limits.STREAM_AGAIN_SECONDS
            return None
        except BaseException:
            await source.close()
            raise
        self._say("")
        cursor = _Cursor(self._record, source, self._cell, self._kinds, after, partial(self._bell.ring, CHANNEL))
        self._cursors.append(cursor)
        return cursor

    async def _know_kinds(self, source: StreamSource) -> None:
        """Make sure that the relay relays all that is wanted here; one of before a kind was added passes it over."""
        missing = self._kinds - {kind.decode() for kind in await source.newest(SCHEMAS)}
        if missing:
            raise NotInStreamError(f"the relay does not know {', '.join(sorted(missing))}: upgrade it")

    def _say(self, why: str) -> None:
        if why and not self.why:
            log.warning("projector.reads_record", cell=self._cell, why=why)
        elif self.why and not why:
            log.info("projector.reads_stream", cell=self._cell)
        self.why = why


class _Cursor:
    """A part of the log as it comes: all wanted events behind ``_floor`` and up to ``_end``; it reads on by itself."""

    def __init__(
        self,
        record: Record,
        source: StreamSource,
        cell: int,
        kinds: frozenset[str],
        after: Position,
        news: Callable[[], None],
    ) -> None:
        self.used_at, self.failed = 0.0, False
        self._record, self._source, self._cell, self._kinds, self._news = record, source, cell, kinds, news
        self._floor = self._end = self._asked = after
        self._events: list[Event] = []
        self._hashes: list[int] = []
        self._room = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._follow())

    def has(self, after: Position) -> bool:
        """Say whether it can be read on from a position."""
        return self._floor <= after <= self._end

    def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return what has come after a position."""
        if self._task.done():
            self.failed = True  # who reads next begins another
            self._task.result()
        if after > self._asked:
            self._asked = after
            self._room.set()
        first = bisect_right(self._events, after, key=_position)
        rows = self._events[first : first + limit]
        whole = first + len(rows) == len(self._events)
        end = self._end if whole else rows[-1].position
        chosen = [
            (event, hash_)
            for event, hash_ in zip(rows, self._hashes[first : first + limit], strict=True)
            if event.kind in kinds and (slot.shards == 1 or hash_ % slot.shards == slot.shard)
        ]
        return Batch(
            events=[event for event, _ in chosen],
            hashes=[hash_ for _, hash_ in chosen],
            end=end,
            last=end,
            scanned=len(rows) or int(after < end),
            passed=end.seq,
            stamp=rows[-1].at if rows else 0,
            full=not whole,
        )

    async def close(self) -> None:
        """Stop reading."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with suppress(EntrepotError):  # a broker that is away need not be told
            await self._source.close()

    async def _follow(self) -> None:
        while True:
            relayed = await self._source.more(limits.POLL_SECONDS)
            if relayed.position > self._end:
                await self._take(relayed)
                self._news()
            await self._until_room()

    async def _take(self, relayed: Relayed) -> None:
        decoder = msgspec.json.Decoder(Event)
        came = [decoder.decode(message.value) for message in relayed.messages]
        wanted = sorted((each for each in came if self._wants(each)), key=_position)
        async with self._record.committing() as connection:
            hashes = await store.hashes(connection, [event.key for event in wanted]) if wanted else []
        passed = self._passed() - limits.TAIL_EVENTS_MAX
        if passed > 0:
            self._floor = self._events[passed - 1].position
            del self._events[:passed], self._hashes[:passed]
        self._events += wanted
        self._hashes += hashes
        self._end = relayed.position

    def _wants(self, event: Event) -> bool:
        return event.cell == self._cell and event.kind in self._kinds and event.position > self._end

    async def _until_room(self) -> None:
        """Wait until those who read are not far behind."""
        while len(self._events) - self._passed() > engine_limits.STREAM_AHEAD_EVENTS_MAX:
            self._room.clear()
            await self._room.wait()

    def _passed(self) -> int:
        """Return how many of the events somebody has asked behind."""
        return bisect_right(self._events, self._asked, key=_position)


def _position(event: Event) -> Position:
    return event.position

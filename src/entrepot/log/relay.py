"""Relays a cell's log to a stream, for readers outside: every event once, in order by key, in a topic for each business area.

How far it came is kept in the stream with the events, and asked there whenever it is opened. The lease is only manners, so
that two relays do not shut out one another by turns; that a second one cannot write is the stream's own doing.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

import msgspec
import stamina
import structlog

from entrepot.base import limits
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Event, Position
from entrepot.base.projection import Slot
from entrepot.base.stream import Message, Stream, Topic
from entrepot.log import store
from entrepot.log.batch import Batch
from entrepot.log.bell import Bell
from entrepot.log.reader import ReadsLog
from entrepot.record.transaction import Record
from entrepot.record.wake import CHANNEL

log = structlog.get_logger()

SCHEMAS = "schemas"


class Relay:
    """The relay of one cell. ``schemas`` has every kind of event with the JSON Schema of its body; ``holder`` names us."""

    def __init__(
        self, record: Record, bell: Bell, events: ReadsLog, stream: Stream, cell: int, schemas: Mapping[str, bytes], holder: str
    ) -> None:
        self._record, self._bell, self._events, self._stream = record, bell, events, stream
        self._cell, self._schemas, self._holder = cell, schemas, holder
        self._kinds = frozenset(schemas)
        self._lease = f"relay/{cell}"
        self._renewed = self._reported = 0.0
        self._position: Position | None = None

    async def run(self) -> None:
        """Relay until cancelled; what passes by itself is waited out, what must be mended is raised."""
        try:
            while True:
                async for attempt in stamina.retry_context(
                    on=_passes,
                    attempts=None,
                    timeout=None,
                    wait_initial=limits.POLL_SECONDS,
                    wait_max=limits.BACKOFF_SECONDS_MAX,
                ):
                    with attempt:
                        await self._relay_while_ours()
        finally:
            await self._stream.close()
            with contextlib.suppress(EngineAwayError):  # the lease then runs out by itself
                async with self._record.committing() as connection:
                    await store.release_leases(connection, [self._lease], self._holder)
                    await store.forget_reader(connection, "relay", self._holder)

    async def _relay_while_ours(self) -> None:
        await self._until_ours()
        try:
            await self._go_on(await self._open())
        except Exception as error:
            log.warning("relay.waits", cell=self._cell, why=str(error))
            with contextlib.suppress(EngineAwayError):  # it may be the record that is away
                await self._tell(str(error))
            raise

    async def _go_on(self, position: Position) -> None:
        """Relay what follows a position; where there is more, it is read while what was read is written."""
        ahead: asyncio.Task[Batch] | None = None
        try:
            while await self._ours():
                rings = self._bell.rings(CHANNEL)
                batch = await (ahead or self._read(position))
                ahead = asyncio.create_task(self._read(batch.end)) if batch.full else None
                if batch.events:
                    await self._stream.publish(messages(batch.events), batch.end)
                position = batch.end
                await self._report(position)
                if not batch.full:
                    await self._bell.wait(CHANNEL, rings, limits.POLL_SECONDS)
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, after: Position) -> Batch:
        return await self._events.read(Slot(self._cell), after, self._kinds, limits.RELAY_EVENTS_MAX)

    async def _open(self) -> Position:
        areas = sorted({area_of(kind) for kind in self._kinds})
        position = await self._stream.open(self._cell, [*map(Topic, areas), Topic(SCHEMAS, newest_only=True)])
        published = [Message(SCHEMAS, kind.encode(), schema) for kind, schema in self._schemas.items()]
        await self._stream.publish(published, position)
        return position

    async def _report(self, position: Position) -> None:
        """Say how far it is, once in a while: who must know it exactly asks the stream."""
        self._position = position
        now = asyncio.get_running_loop().time()
        if now - self._reported > limits.LEASE_SECONDS / 4:
            self._reported = now
            await self._tell()

    async def _tell(self, why: str = "") -> None:
        """Note for people how far it is, and why it waits, if it does."""
        async with self._record.committing() as connection:
            await store.report_reader(connection, self._cell, "relay", self._holder, "record", why, self._position)

    async def _until_ours(self) -> None:
        while not await self._ours():  # noqa: ASYNC110  # what is waited for is in a database, which sets no Event
            await asyncio.sleep(limits.LEASE_SECONDS / 2)

    async def _ours(self) -> bool:
        """Take or renew the lease, at most a few times while it lasts."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed < limits.LEASE_SECONDS / 4:
            return True
        async with self._record.committing() as connection:
            taken = await store.claim_leases(connection, [self._lease], self._holder, limits.LEASE_SECONDS)
        self._renewed = now if taken else 0.0
        return bool(taken)


def messages(events: Sequence[Event]) -> list[Message]:
    """Return the events as messages: JSON of the whole envelope, under the event's key, which keeps its order."""
    encoder = msgspec.json.Encoder()
    return [Message(area_of(event.kind), event.key.encode(), encoder.encode(event)) for event in events]


def area_of(kind: str) -> str:
    """Return the business area that a kind of event belongs to."""
    return kind.partition(".")[0]


def _passes(error: BaseException) -> bool:
    """Say whether to wait and try again: not what somebody must mend, and not the end of this task."""
    return isinstance(error, Exception) and not isinstance(error, BadInputError)

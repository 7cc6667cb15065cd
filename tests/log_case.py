"""What the tests of the log share: a migrated record, a toy projection of notes, and the projector around them.

The toy stands for any business area: its events and items are as small as can be, and ``poison`` makes one unreadable.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Event, Token
from entrepot.base.ids import IdSource, uuid7_at
from entrepot.base.projection import Item, Projection, Shape, Slot, Store, Target
from entrepot.base.time import SystemClock, millis_of
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.log.archive import ensure_partitions
from entrepot.log.archived import ArchivedLog
from entrepot.log.bell import Bell
from entrepot.log.live import LiveTargets
from entrepot.log.projector import Projector, Subscription
from entrepot.log.streamed import StreamedLog
from entrepot.record.transaction import Fact, Record, open_record
from entrepot.record.wake import Waker

DEADLINE_SECONDS = 20.0
WRITTEN = "note.written.v1"
OTHER = "other.happened.v1"
ALL = frozenset({WRITTEN, OTHER})
SLOT = Slot(1)
UNFIT = "\N{SYMBOL FOR NULL}"
"""What the projection makes a NUL of, which PostgreSQL's text can never hold."""


class Written(Struct, frozen=True):
    """A note says something."""

    text: str


class Misspelt(Struct, frozen=True):
    """A body that the projection cannot read."""

    tezt: str


class Notes:
    """Each note as it was last written, and how many versions were folded into it, so that a lost or doubled one shows."""

    name = "notes"
    version = 1
    role = "documents"
    kinds = frozenset({WRITTEN})
    aggregates: tuple[str, ...] = ("note",)
    shape = Shape()

    def reads(self, event: Event) -> Sequence[str]:
        return (event.key,)

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        before = state.get(event.key)
        seen = int(str(before.body["seen"])) if before and before.body else 0
        if before and before.version >= event.version:
            return []
        text = event.decode(Written).text.replace(UNFIT, "\0")
        return [Item(event.key, event.version, {"text": text, "seen": seen + 1})]


class Forgiving(Notes):
    """The projection after its mistake was mended: it takes what could not be read before."""

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        try:
            return super().project(event, state)
        except ValueError:
            return [Item(event.key, event.version, {"text": "(unreadable)", "seen": event.version})]


class IdsOf(IdSource):
    """Ids as they were on another day, so that events lie in that day's partition."""

    def __init__(self, moment: datetime) -> None:
        self._millis = millis_of(moment)

    def fresh(self) -> UUID:
        return uuid7_at(self._millis, super().fresh().bytes[6:])


def days_ago(days: int) -> datetime:
    """Return this time of an earlier day."""
    return datetime.now(UTC) - timedelta(days=days)


@dataclass
class House:
    """A record with its log, and a store to project into."""

    url: str
    record: Record
    bell: Bell
    store: Store
    live: LiveTargets
    streamed: StreamedLog | None = None  # from where projectors read, if not from the record

    async def write(self, *notes: tuple[str, int, str], kind: str = WRITTEN) -> Token:
        """Append versions of notes in one transaction and return the position."""
        async with self.record.transaction(1) as tx:
            return await tx.append([Fact(kind, f"note/{key}", version, Written(text)) for key, version, text in notes])

    async def write_poison(self, key: str, version: int) -> Token:
        """Append an event that ``Notes`` cannot read."""
        async with self.record.transaction(1) as tx:
            return await tx.append([Fact(WRITTEN, f"note/{key}", version, Misspelt("x"))])

    def projector(self, *projections: Projection, shards: int = 1, archived: ArchivedLog | None = None) -> Projector:
        """Return a projector of these projections (by default of the notes)."""
        subscriptions = [Subscription(projection, self.store, shards) for projection in projections or [Notes()]]
        streamed = {1: self.streamed} if self.streamed else None
        return Projector(self.record, self.bell, subscriptions, archived=archived, streamed=streamed)

    @contextlib.asynccontextmanager
    async def projecting(
        self, *projections: Projection, shards: int = 1, archived: ArchivedLog | None = None
    ) -> AsyncIterator[None]:
        """Run a projector while the block runs."""
        task = asyncio.create_task(self.projector(*projections, shards=shards, archived=archived).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_live(self, projection: Projection) -> None:
        """Wait until the projector has made the projection's first generation."""

        async def live() -> bool:
            await self.live.refresh()
            with contextlib.suppress(NotThereYetError):
                return self.live.target(projection.name).generation > 0
            return False

        await until(live)

    async def notes(self, generation: int | None = None) -> dict[str, object]:
        """Return the text of every note of the live (or another) generation."""
        await self.live.refresh()
        target = Target("notes", generation) if generation else self.live.target("notes")
        return {item.id.removeprefix("note/"): (item.body or {})["text"] for item in await self.store.scan(target, "", None)}

    async def readable(self, token: Token) -> None:
        """Wait until no open transaction of the server holds a position back from readers."""

        async def below_horizon() -> bool:
            async with self.record.committing() as connection:
                xmin = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())")
            return bool(xmin > token.position.txid)

        await until(below_horizon)

    async def passed(self, token: Token, projection: str = "notes") -> None:
        """Wait until the projection has passed a position, or fail."""
        assert await self.live.wait_for(projection, token, DEADLINE_SECONDS), f"{projection} did not reach {token}"


@contextlib.asynccontextmanager
async def house(url: str, *projections: Projection) -> AsyncIterator[House]:
    """Open everything on a migrated database; documents lie in the same one, in a schema of their own."""
    store = PostgresqlDocuments(url)
    await store.open()
    waker = Waker(url)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        stack.push_async_callback(waker.close)
        record = await stack.enter_async_context(await open_record(url, wake=waker.wake))
        bell = await stack.enter_async_context(Bell(url))
        live = await stack.enter_async_context(LiveTargets(record, bell, projections or [Notes()]))
        await ensure_partitions(record, SystemClock())
        yield House(url, record, bell, store, live)


async def until(what: Callable[[], Awaitable[bool]], seconds: float | None = None) -> None:
    """Wait until a condition holds, or fail."""
    async with asyncio.timeout(seconds or DEADLINE_SECONDS):
        while not await what():  # noqa: ASYNC110  # what is waited for is in a database, which sets no Event
            await asyncio.sleep(0.01)


async def finished(work: Coroutine[object, object, object], *, turns: int) -> bool:
    """Cut work off after so many turns of the event loop, as a kill would; say whether it was done before."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
        if task.done():
            break
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
        return True
    return False

"""The work of a stream: the relay takes a real log from PostgreSQL to it, and a question is how soon an order can be read.

The log is that of a shop of the bench's own, whose orders are placed as the API places them. While questions are asked, orders
come at a steady rate and are relayed by a process of its own; an order counts from the stamp that it bears, which is older
than its commit, until it has been handed over by what projectors read the stream by. Topics have a prefix of their own, and
are deleted in the end.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import uvloop
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from entrepot.app import make_room
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.ids import IdSource
from entrepot.base.limits import CONNECT_SECONDS_MAX, POLL_SECONDS
from entrepot.base.stream import Message, NotInStreamError, Relayed, Stream, StreamSource
from entrepot.base.time import SystemClock, stamp_millis
from entrepot.bench import BenchError
from entrepot.bench.shop import CELL, article_order, open_shop
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.requests import OrderRequest
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.engines.products import driver, source
from entrepot.engines.stream.kafka_connection import address
from entrepot.jobs.schemas import schemas
from entrepot.log import store
from entrepot.log.bell import Bell
from entrepot.log.reader import LogReader
from entrepot.log.relay import Relay, area_of
from entrepot.record.migrate import migrate
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.record.wake import Waker
from entrepot.settings import Engines

SQL = queries("entrepot.bench.engines", "relaying.sql")

EVENTS = 100_000
ARTICLES = 5_000
AT_ONCE = 1_000
ORDERS_PER_SECOND = 500
# The generations that are relayed; in the third a reader that begins anew reads all of the second.
RELAYED = (1, 2)
TICK_SECONDS = 0.01
READY_SECONDS_MAX = 60.0
# A question waits for an order that is placed up to so much later, so that all moments between two transactions are met.
APART_MILLIS = 100
STREAM, RECORD = "ENTREPOT_BENCH_STREAM", "ENTREPOT_BENCH_RECORD"


class _Stamped(Struct):
    at: int


async def write_log(engines: Engines, share: float) -> int:
    """Migrate an empty record, place orders until its log has as many events as are wanted, and return how many it has."""
    await asyncio.to_thread(migrate, engines.owner)
    async with await open_record(engines.owner, connections=1) as owner:
        await make_room(owner)
    async with await open_record(engines.record) as record:
        await open_shop(record, _articles(share))
        gatherer = Gatherer(record, CELL, actor="bench")
        placed = events = 0
        while events < EVENTS * share:
            await asyncio.gather(*[gatherer.place(f"log-{placed + n}", _order(placed + n, share)) for n in range(AT_ONCE)])
            placed += AT_ONCE
            async with record.committing() as connection:
                events = int(await connection.fetchval(SQL["events"], CELL))
            await gatherer.close()
    return events


def own_topics(url: str) -> str:
    """Return the URL with topics that nobody else has."""
    return _with_prefix(url, f"bench-{IdSource().fresh().hex[-12:]}")


class Relaying:
    """``Work`` of a stream, whose URL has a prefix of its own, on a record with a log of ``amount`` events."""

    unit = "events"

    def __init__(self, record_url: str, url: str, share: float, amount: int = 0) -> None:
        self.amount = amount
        self._record, self._url, self._share = record_url, url, share
        self._schemas, self._answering = schemas(), 0
        self._stack = AsyncExitStack()
        self._live: _Live | None = None

    async def fill(self, generation: int, read: int | None = None) -> None:  # noqa: ARG002  # a stream's readers wait for no one
        """Relay the whole log; or, in a generation that is not relayed, read from its beginning what was."""
        async with await open_record(self._record) as record:
            async with record.committing() as connection:
                head = await store.head(connection, CELL)
            if generation in RELAYED:
                await self._relay(record, driver("stream", self._of(generation)), head)
            else:
                await self._read(source(self._of(RELAYED[-1])), head)

    def answers_from(self, generation: int) -> None:
        """Place orders, relay them to this generation and read them there, from the next question on."""
        self._answering = generation

    async def ask(self, number: int) -> float:
        """Return how many milliseconds after its stamp an order could be read."""
        if self._live is None:
            live = _live(self._record, self._of(self._answering), self._share)
            self._live = await self._stack.enter_async_context(live)
        return await self._live.readable(number * 37 % APART_MILLIS)

    async def drop(self, generation: int) -> None:
        """Place no more orders, and delete the topics."""
        self._live = None
        await self._stack.aclose()
        await asyncio.to_thread(_deleted, self._of(generation))

    async def _relay(self, record: Record, stream: Stream, end: Position) -> None:
        """Relay the log from its beginning to a position, opening the stream included."""
        followed = _Until(stream, end)
        async with Bell(self._record) as bell:
            relay = asyncio.create_task(Relay(record, bell, LogReader(record), followed, CELL, self._schemas, "bench").run())
            reached = asyncio.create_task(followed.reached.wait())
            await asyncio.wait([relay, reached], return_when=asyncio.FIRST_COMPLETED)
            relay.cancel()
            reached.cancel()
            (ended, _) = await asyncio.gather(relay, reached, return_exceptions=True)
        if not followed.reached.is_set():
            raise BenchError(f"The relay ended before the end of the log: {ended}")

    async def _read(self, reader: StreamSource, end: Position) -> None:
        """Read all that was relayed up to a position, as a projector that begins anew."""
        try:
            await reader.start(CELL, sorted({area_of(kind) for kind in self._schemas}), START)
            while (await reader.more(POLL_SECONDS)).position < end:
                pass
        finally:
            await reader.close()

    def _of(self, generation: int) -> str:
        return _with_prefix(self._url, f"{address(self._url).prefix}.{generation}")


class _Until:
    """``Stream`` that tells when what was published has reached a position."""

    def __init__(self, stream: Stream, end: Position) -> None:
        self._stream, self._end = stream, end
        self.open, self.close = stream.open, stream.close
        self.reached = asyncio.Event()

    async def publish(self, messages: Sequence[Message], position: Position) -> None:
        await self._stream.publish(messages, position)
        if position >= self._end:
            self.reached.set()


@asynccontextmanager
async def _live(record_url: str, url: str, share: float) -> AsyncIterator["_Live"]:
    """Run a relay in a process of its own, place orders and read them, until the block ends."""
    async with AsyncExitStack() as stack:
        environ = {**os.environ, STREAM: url, RECORD: record_url}
        relay = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, env=environ)
        stack.push_async_callback(_ended, relay)
        waker = Waker(record_url)
        stack.push_async_callback(waker.close)
        record = await stack.enter_async_context(await open_record(record_url, wake=waker.wake))
        reader = source(url)
        stack.push_async_callback(reader.close)
        live = _Live(record, reader, share)
        stack.push_async_callback(live.close)
        await live.until_read()
        yield live


class _Live:
    """Orders that come at a rate, each a task, and who reads them."""

    def __init__(self, record: Record, reader: StreamSource, share: float) -> None:
        self._gatherer, self._record, self._reader = Gatherer(record, CELL, actor="bench"), record, reader
        self._share, self._rate = share, ORDERS_PER_SECOND * share
        self._under_way: set[asyncio.Task[object]] = set()
        self._came, self._clock = asyncio.Event(), SystemClock()
        self._seen: list[tuple[int, int]] = []
        self._tasks = [asyncio.create_task(self._until_ended_place()), asyncio.create_task(self._until_ended_read())]

    async def readable(self, in_millis: int) -> float:
        """Return how long an order that is placed in so many milliseconds takes until it can be read."""
        self._seen.clear()
        wanted = self._clock.millis() + in_millis
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                while not (found := [one for one in self._seen if one[0] >= wanted]):
                    await self._arrival()
        except TimeoutError:
            raise EngineAwayError("stream", f"no order could be read within {CONNECT_SECONDS_MAX:.0f} s") from None
        at, read = min(found)
        return float(read - at)

    async def until_read(self) -> None:
        """Wait until the relay, whose process starts now, has come so far that an order can be read."""
        until = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                await self.readable(0)
            except EngineAwayError:
                if time.monotonic() > until:
                    raise
            else:
                return

    async def close(self) -> None:
        """Place no more, and read no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._gatherer.close()

    async def _arrival(self) -> None:
        self._came.clear()
        arrived = asyncio.create_task(self._came.wait())
        done, _ = await asyncio.wait([arrived, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        for task in done - {arrived}:
            await task  # raises what ended it

    async def _until_ended_place(self) -> None:
        began, placed = time.perf_counter(), 0
        while True:
            due = int((time.perf_counter() - began) * self._rate)
            for number in range(placed, due):
                task = asyncio.create_task(self._gatherer.place(f"live-{number}", _order(number, self._share)))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            placed = due
            if len(self._under_way) > self._rate:
                raise BenchError(f"{len(self._under_way)} orders wait: this machine does not place {self._rate:.0f} a second.")
            await asyncio.sleep(TICK_SECONDS)

    async def _until_ended_read(self) -> None:
        async with self._record.committing() as connection:
            position = await store.head(connection, CELL)
        while True:
            with suppress(EngineAwayError, NotInStreamError):
                await self._reader.start(CELL, [area_of(ORDER_PLACED)], position)
                while True:
                    relayed = await self._reader.more(POLL_SECONDS)
                    position = relayed.position
                    self._note(relayed)
            await asyncio.sleep(POLL_SECONDS)

    def _note(self, relayed: Relayed) -> None:
        now = self._clock.millis()
        stamps = (msgspec.json.decode(message.value, type=_Stamped).at for message in relayed.messages)
        self._seen += [(stamp_millis(at), now) for at in stamps]
        if relayed.messages:
            self._came.set()


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


def _articles(share: float) -> int:
    return max(1, int(ARTICLES * share))


def _order(number: int, share: float) -> OrderRequest:
    return article_order(number * 7919 % _articles(share))


def _with_prefix(url: str, prefix: str) -> str:
    parts = urlsplit(url)
    options = urlencode(dict(parse_qsl(parts.query)) | {"prefix": prefix}, safe="/:,")
    return parts._replace(query=options).geturl()


def _deleted(url: str) -> None:
    """Delete the topics of a URL's prefix."""
    place = address(url)
    admin = AdminClient(dict(place.config))
    names = [name for name in admin.list_topics(timeout=CONNECT_SECONDS_MAX).topics if name.startswith(f"{place.prefix}.")]
    for gone in admin.delete_topics(names).values() if names else ():
        gone.result()


async def _relay(record_url: str, url: str) -> None:
    """Relay until this process is ended, as ``entrepot relay`` does."""
    async with await open_record(record_url) as record, Bell(record_url) as bell:
        await Relay(record, bell, LogReader(record), driver("stream", url), CELL, schemas(), "bench-live").run()


if __name__ == "__main__":
    uvloop.run(_relay(os.environ[RECORD], os.environ[STREAM]))

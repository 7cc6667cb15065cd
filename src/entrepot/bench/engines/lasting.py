"""The work of the two roles that keep what they were given until it is too old: points of a series, messages of a stream.

What is made has a name of its own (``bench``), and the same run again writes the same points over.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Position
from entrepot.base.ids import IdSource
from entrepot.base.limits import CONNECT_SECONDS_MAX, RELAY_EVENTS_MAX
from entrepot.base.stream import Message, Stream, Topic
from entrepot.bench import BenchError
from entrepot.bench.engines.work import orders
from entrepot.engines.series.port import MINUTE_NS, POINTS_AT_ONCE, Asked, Point, SeriesStore
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool
from entrepot.engines.stream.kafka_connection import address

NAME = "bench"
POINTS = 100_000
MESSAGES = 20_000
SERVERS = 20
STEP_NS = 10_000_000
# Cells of no installation, one for who fills and one for who asks: neither shuts out the other, or a real relay.
CELLS = (32_766, 32_767)
FILLED, ASKED = "bench", "bench_asked"
RATE = 500
BURST_SECONDS = 0.1


class Points:
    """``Work`` of a series: the points of twenty servers over the last minutes, several batches under way."""

    unit = "points"

    def __init__(self, series: SeriesStore, now_ns: int, share: float) -> None:
        self._series, self.amount = series, int(POINTS * share)
        self._until = now_ns // MINUTE_NS * MINUTE_NS
        self._since = self._until - self.amount // SERVERS * STEP_NS
        self._seen = [{"requests": float(number % 997), "seconds": number % 31 / 1000} for number in range(self.amount)]

    async def fill(self, generation: int) -> None:
        """Have the collector keep every point and send what it has kept; another generation has other tags."""
        tags = [{"server": f"s{number}", "run": str(generation)} for number in range(SERVERS)]
        points = [
            Point(NAME, tags[number % SERVERS], fields, self._since + number // SERVERS * STEP_NS)
            for number, fields in enumerate(self._seen)
        ]
        with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
            collector = Collector(self._series, Spool(Path(folder), IdSource()))
            for start in range(0, self.amount, POINTS_AT_ONCE):
                await collector.keep(points[start : start + POINTS_AT_ONCE])
            await collector.send()

    def answers_from(self, generation: int) -> None:
        """Ask all of them, whatever the generation."""

    async def ask(self, number: int) -> None:
        """Ask for a number of all servers, by the minute."""
        field = ("requests", "seconds")[number % 2]
        asked = Asked(name=NAME, field=field, since_ns=self._since, until_ns=self._until, by=("server",))
        if not await self._series.spans(asked):
            raise BenchError(f"The points of {NAME} are not there.")

    async def drop(self, generation: int) -> None:
        """Leave them: no series engine deletes but by age."""


class Messages:
    """``Work`` of a stream: orders relayed in transactions of thousands; a question is how soon a few more can be read."""

    unit = "events"

    def __init__(self, stream: Stream, url: str, share: float) -> None:
        self._stream, self._url, self.amount = stream, url, int(MESSAGES * share)
        self._orders = [(event.key.encode(), bytes(event.body)) for event in orders(min(self.amount, RELAY_EVENTS_MAX))]
        self._consumer: Consumer | None = None
        self._open = False
        self._at = 0

    async def fill(self, generation: int) -> None:
        """Publish all of them, as the relay does."""
        del generation  # each fills the same topic further
        some = self._messages(FILLED, len(self._orders))
        for _ in range(0, self.amount, len(some)):
            await self._publish(some, CELLS[0])

    def answers_from(self, generation: int) -> None:
        """Ask as ever: what is read is what was just written."""

    async def ask(self, number: int) -> None:
        """Publish what comes in a tenth of a second at 500 a second, and wait until it has been read, at ``read_committed``."""
        del number  # they are all alike
        burst = self._messages(ASKED, int(RATE * BURST_SECONDS))
        if self._consumer is None:
            await self._publish(burst, CELLS[1])  # makes the topic
            self._consumer = await asyncio.to_thread(self._reader)
        await self._publish(burst, CELLS[1])
        await asyncio.to_thread(_read, self._consumer, len(burst))

    async def drop(self, generation: int) -> None:
        """Let go of the reader; messages stay until they are too old."""
        del generation  # as above
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.close)
            self._consumer = None

    async def _publish(self, batch: list[Message], cell: int) -> None:
        if not self._open:
            self._at = (await self._stream.open(cell, [Topic(FILLED), Topic(ASKED)])).txid
        self._open = False  # after a failure it is opened again
        self._at += 1
        await self._stream.publish(batch, Position(self._at, 0))
        self._open = True

    def _messages(self, topic: str, count: int) -> list[Message]:
        return [Message(topic, key, body) for key, body in self._orders[:count]]

    def _reader(self) -> Consumer:
        place = address(self._url)
        topic = f"{place.prefix}.{ASKED}"
        known = AdminClient(dict(place.config)).list_topics(topic, timeout=CONNECT_SECONDS_MAX).topics[topic]
        config = {"group.id": NAME, "isolation.level": "read_committed", "enable.auto.commit": False}
        consumer = Consumer({**place.config, **config, "fetch.wait.max.ms": 20})
        ends = [TopicPartition(topic, one) for one in known.partitions]
        for end in ends:
            end.offset = consumer.get_watermark_offsets(end, timeout=CONNECT_SECONDS_MAX)[1]
        consumer.assign(ends)
        return consumer


def _read(consumer: Consumer, count: int) -> None:
    """Read so many messages; what takes too long is an engine that is away."""
    until = time.monotonic() + CONNECT_SECONDS_MAX
    while count > 0:
        if time.monotonic() > until:
            raise EngineAwayError("stream", f"{count} messages could not be read within {CONNECT_SECONDS_MAX:.0f} s")
        count -= len([one for one in consumer.consume(count, timeout=CONNECT_SECONDS_MAX) if one.error() is None])

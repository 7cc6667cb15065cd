"""Reads what the relay has written to Kafka, at ``read_committed``: the messages up to a position, and none beyond.

A transaction becomes readable one partition after the other. So what came is held back until every partition was read up to
where it ended when the relay wrote the position. No group keeps a place: whoever follows knows its own, and begins there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import confluent_kafka
import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from entrepot.base.engine_limits import STREAM_FETCHED_KILOBYTES_MAX, STREAM_HELD_MAX, STREAM_TAKEN_MAX
from entrepot.base.event import START, Position
from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.base.stream import Message, NotInStreamError, Relayed
from entrepot.engines.stream.kafka_connection import Place, address, partitions_of_topics, telling, until_edges

T = TypeVar("T")
Partition = tuple[str, int]
Held = deque[tuple[int, Message]]


class KafkaSource:
    """``StreamSource`` on a Kafka. The client blocks, so each source has one thread, in which its calls follow one another."""

    def __init__(self, url: str) -> None:
        self._address = address(url)
        self._thread = ThreadPoolExecutor(1, "kafka-source")
        self._noted: list[KafkaError] = []
        self._consumer: Consumer | None = None
        self._positions = ""
        self._position = START
        self._reached: dict[Partition, int] = {}
        self._held: dict[Partition, Held] = {}
        self._pending: deque[Place] = deque()
        self._resting: set[Partition] = set()

    async def start(self, cell: int, topics: Collection[str], after: Position) -> None:
        """Stand behind a position of a cell, where the topics reach back so far."""
        await self._in_thread(lambda: self._start(cell, topics, after))

    async def more(self, seconds: float) -> Relayed:
        """Return what has come."""
        return await self._in_thread(lambda: self._more(seconds))

    async def newest(self, topic: str) -> Mapping[bytes, bytes]:
        """Return the newest message of each key of a topic of one partition."""
        return await self._in_thread(lambda: self._newest(self._name(topic)))

    async def close(self) -> None:
        """Leave the brokers and end the thread."""
        await self._in_thread(self._let_go)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        def told() -> T:
            self._noted.clear()
            with telling(self._address.where, self._noted):
                return call()

        return await asyncio.get_running_loop().run_in_executor(self._thread, told)

    def _let_go(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _opened(self, **more: Any) -> Consumer:
        options: dict[str, Any] = {
            **self._address.config,
            "group.id": f"{self._address.prefix}.projectors",  # asked for by the client; nothing is kept under it
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": STREAM_FETCHED_KILOBYTES_MAX,
            "error_cb": self._noted.append,
        }
        return Consumer(options | more)

    @contextmanager
    def _asking(self) -> Iterator[Consumer]:
        """Have a consumer for questions. One that follows waits at the end of its topics for what comes, and answers late."""
        consumer = self._opened(**{"fetch.wait.max.ms": 10})
        try:
            yield consumer
        finally:
            consumer.close()

    def _admin(self) -> AdminClient:
        config: dict[str, Any] = {**self._address.config, "error_cb": self._noted.append}
        return AdminClient(config)

    def _start(self, cell: int, topics: Collection[str], after: Position) -> None:
        self._positions = self._name(f"relay.{cell}")
        names = [self._name(topic) for topic in topics]
        admin = self._admin()
        there = self._partitions(admin, [self._positions, *names])
        with self._asking() as consumer:
            place, begin = self._before(consumer, after)
        lows = until_edges(admin, names, there, last=False)
        starts = {(name, partition): _end(place, name, partition) for name, partition in lows}
        for (name, partition), start in starts.items():
            if lows[name, partition] > start:
                raise NotInStreamError(f"the topic {name} no longer reaches back so far")
        self._reached, self._held = dict(starts), {partition: deque() for partition in starts}
        self._pending.clear()
        self._resting.clear()
        self._position = place.position if place else START
        assigned = [TopicPartition(*partition, start) for partition, start in starts.items()]
        self._let_go()
        self._consumer = self._opened()
        self._consumer.assign([*assigned, TopicPartition(self._positions, 0, begin)])

    def _partitions(self, admin: AdminClient, wanted: Collection[str]) -> dict[str, int]:
        """Return how many partitions each of these topics has."""
        found = partitions_of_topics(admin, self._noted)
        for name in wanted:
            if name not in found:
                raise NotInStreamError(f"there is no topic {name} yet: the relay makes it")
        return {name: found[name] for name in wanted}

    def _before(self, consumer: Consumer, after: Position) -> tuple[Place | None, int]:
        """Return the last place up to a position that the relay noted, if there is one, and the offset behind it."""
        low, high = consumer.get_watermark_offsets(TopicPartition(self._positions, 0), timeout=CONNECT_SECONDS_MAX)
        found, begin = None, low
        while low < high:
            middle = (low + high) // 2
            message = next(_read(consumer, self._positions, middle), None)
            place = msgspec.json.decode(message.value() or b"", type=Place) if message is not None else None
            if message is None or place is None or place.position > after:
                high = middle
            else:
                found, begin = place, (message.offset() or 0) + 1
                low = begin
        # Of a relay before ours it is not known where partitions ended: then all of them are read from the beginning.
        return (found, begin) if found is None or found.ends else (None, begin)

    def _newest(self, topic: str) -> dict[bytes, bytes]:
        self._partitions(self._admin(), [topic])
        with self._asking() as consumer:
            low, _ = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=CONNECT_SECONDS_MAX)
            return {message.key() or b"": message.value() or b"" for message in _read(consumer, topic, low)}

    def _more(self, seconds: float) -> Relayed:
        consumer = self._consumer
        if consumer is None:
            raise KafkaException(KafkaError(KafkaError._STATE, "it was closed"))  # noqa: SLF001  # public, for all its underscore
        first = consumer.poll(seconds)
        if first is not None:
            for message in (first, *consumer.consume(STREAM_TAKEN_MAX, 0)):
                self._take(message)
        ready: list[Message] = []
        while self._pending and self._whole(self._pending[0]):
            place = self._pending.popleft()
            self._position = place.position
            for partition, held in self._held.items():
                end = _end(place, *partition)
                while held and held[0][0] < end:
                    ready.append(held.popleft()[1])
        self._balance(consumer)
        return Relayed(ready, self._position)

    def _take(self, message: confluent_kafka.Message) -> None:
        error, topic = message.error(), message.topic() or ""
        partition, offset = (topic, message.partition() or 0), message.offset() or 0
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # public, for all its underscore
            raise KafkaException(error)
        if topic == self._positions:
            if error is None:
                self._pending.append(msgspec.json.decode(message.value() or b"", type=Place))
        elif partition in self._reached:
            self._reached[partition] = offset if error else offset + 1
            if error is None:
                one = Message(topic, message.key() or b"", message.value() or b"")
                self._held[partition].append((offset, one))

    def _whole(self, place: Place) -> bool:
        return all(reached >= _end(place, *partition) for partition, reached in self._reached.items())

    def _balance(self, consumer: Consumer) -> None:
        """Let partitions rest that are far ahead of the others: what is held is in memory."""
        if self._pending:
            needed = self._pending[0]
            ahead = {
                partition
                for partition, held in self._held.items()
                if len(held) > STREAM_HELD_MAX and self._reached[partition] >= _end(needed, *partition)
            }
        else:
            ahead = set()
        if rest := ahead - self._resting:
            consumer.pause([TopicPartition(*partition) for partition in rest])
        if go_on := self._resting - ahead:
            consumer.resume([TopicPartition(*partition) for partition in go_on])
        self._resting = ahead

    def _name(self, topic: str) -> str:
        return f"{self._address.prefix}.{topic}"


def _read(consumer: Consumer, topic: str, offset: int) -> Iterator[confluent_kafka.Message]:
    """Yield the messages of a topic's one partition from an offset on, up to its end."""
    consumer.assign([TopicPartition(topic, 0, offset)])
    while message := consumer.poll(CONNECT_SECONDS_MAX):
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # as above
            return
        else:
            raise KafkaException(error)
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{topic} does not answer"))  # noqa: SLF001  # as above


def _end(place: Place | None, topic: str, partition: int) -> int:
    """Return where a partition ended; one that is not named had nothing."""
    ends = place.ends.get(topic, ()) if place else ()
    return ends[partition] if partition < len(ends) else 0

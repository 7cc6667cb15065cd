"""The stream in Kafka 2.5 or newer: the events of a batch and the position behind them are one transaction.

https://kafka.apache.org/documentation/#semantics. The position is the last message of a compacted topic of its own, one for
each cell, so it never expires as a consumer group's offset does. Whoever opens the stream under the same transactional id
shuts out who had it before, whose open transaction is undone and whose prepared one is finished first. Readers must be at
``read_committed``. A transaction takes 40 to 90 ms however large it is, so they are made of thousands of events.

Beside each position stands where every partition then ended: by that a reader knows when it has all of a transaction, whose
marks reach the partitions one after the other, and where to begin behind a position.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import confluent_kafka
import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from entrepot.base.errors import BadInputError
from entrepot.base.event import START, Position
from entrepot.base.limits import CONNECT_SECONDS_MAX, STATEMENT_SECONDS_MAX, STREAM_MESSAGE_BYTES_MAX
from entrepot.base.stream import Message, Topic
from entrepot.engines.stream.kafka_connection import Place, address, partitions_of_topics, telling, until_edges

T = TypeVar("T")

# The position is the last but one of its topic, before the mark of its transaction; behind it only marks of those undone.
_LOOK_BACK = 16


class KafkaStream:
    """``Stream`` on a Kafka. The client blocks, so each stream has one thread, in which its calls follow one another."""

    def __init__(self, url: str) -> None:
        self._address = address(url)
        self._thread = ThreadPoolExecutor(1, "kafka")
        self._producer: Producer | None = None
        self._positions = ""
        self._ends: dict[str, list[int]] = {}
        self._undelivered: KafkaError | None = None
        self._noted: list[KafkaError] = []

    async def check(self) -> None:
        """Make sure that a broker answers."""
        await self._in_thread(lambda: partitions_of_topics(self._admin(), self._noted))

    async def open(self, cell: int, topics: Collection[Topic]) -> Position:
        """Make what topics are missing, shut out every other relay of this cell, and return how far it came."""
        return await self._in_thread(lambda: self._open(cell, topics))

    async def publish(self, messages: Sequence[Message], position: Position) -> None:
        """Write the messages and the position in one transaction."""
        await self._in_thread(lambda: self._publish(messages, position))

    async def close(self) -> None:
        """Undo what is open and end the thread."""
        await self._in_thread(self._let_go)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        def told() -> T:
            self._noted.clear()
            with telling(self._address.where, self._noted):
                return call()

        return await asyncio.get_running_loop().run_in_executor(self._thread, told)

    def _config(self) -> dict[str, Any]:
        return {**self._address.config, "error_cb": self._noted.append}

    def _admin(self) -> AdminClient:
        return AdminClient(self._config())

    def _open(self, cell: int, topics: Collection[Topic]) -> Position:
        self._let_go()
        self._positions, self._undelivered = self._name(f"relay.{cell}"), None
        self._make([*topics, Topic(f"relay.{cell}", newest_only=True)])
        config = {
            "transactional.id": self._positions,
            "transaction.timeout.ms": int(STATEMENT_SECONDS_MAX * 1000),
            "message.max.bytes": STREAM_MESSAGE_BYTES_MAX,
            "linger.ms": 5,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",  # as Java's clients do it, so that joins find each other
        }
        self._producer = Producer(self._config() | config)
        self._producer.init_transactions(STATEMENT_SECONDS_MAX)
        self._ends = self._partition_ends([self._name(topic.name) for topic in topics if not topic.newest_only])
        return self._position()

    def _partition_ends(self, topics: Collection[str]) -> dict[str, list[int]]:
        """Return where every partition ends now that nothing of ours is open: all up to our position lies before."""
        admin = self._admin()
        found = until_edges(admin, topics, partitions_of_topics(admin, self._noted), last=True)
        return {topic: [found[topic, partition] for partition in range(self._address.partitions)] for topic in topics}

    def _make(self, topics: Collection[Topic]) -> None:
        admin = self._admin()
        there = partitions_of_topics(admin, self._noted)
        wanted = {topic.name: 1 if topic.newest_only else self._address.partitions for topic in topics}
        for name, partitions in wanted.items():
            if there.get(self._name(name), partitions) < partitions:
                raise BadInputError(
                    f"The topic {self._name(name)} has {there[self._name(name)]} partitions, and {partitions} are wanted: more "
                    "would part what is there from what comes. Name another prefix in ENTREPOT_STREAM_URL, or fewer partitions."
                )
        missing = [
            NewTopic(
                self._name(topic.name),
                num_partitions=wanted[topic.name],
                replication_factor=self._address.replication,
                config={
                    "max.message.bytes": str(STREAM_MESSAGE_BYTES_MAX),
                    "cleanup.policy": "compact" if topic.newest_only else "delete",
                },
            )
            for topic in topics
            if self._name(topic.name) not in there
        ]
        for made in admin.create_topics(missing).values() if missing else ():
            try:
                made.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another relay was quicker
                    raise

    def _position(self) -> Position:
        """Return the last position that was committed."""
        config = {
            "group.id": self._positions,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
        consumer = Consumer(self._config() | config)
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._positions, 0), timeout=CONNECT_SECONDS_MAX)
            start, back = high, _LOOK_BACK
            found = None
            while found is None and start > low:
                start, back = max(low, high - back), back * 2
                consumer.assign([TopicPartition(self._positions, 0, start)])
                found = _last_of(consumer)
        finally:
            consumer.close()
        return START if found is None else msgspec.json.decode(found, type=Position)

    def _publish(self, messages: Sequence[Message], position: Position) -> None:
        producer = self._producer
        if producer is None:
            raise KafkaException(KafkaError(KafkaError._STATE, "it was closed"))  # noqa: SLF001  # public, for all its underscore
        try:
            producer.begin_transaction()
            for message in messages:
                self._until_queued(producer, self._name(message.topic), message.key, message.value)
            self._until_delivered(producer)
            place = msgspec.json.encode(Place(position.txid, position.seq, self._ends))
            self._until_queued(producer, self._positions, self._positions.encode(), place)
            producer.commit_transaction(STATEMENT_SECONDS_MAX)
        except KafkaException:
            self._let_go()  # whether the transaction was committed, only opening again can say
            raise

    def _until_queued(self, producer: Producer, topic: str, key: bytes, value: bytes) -> None:
        """Give the message to the client, and wait while its queue is full."""
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=self._delivered)
            except BufferError:
                producer.poll(1.0)
            else:
                return

    def _until_delivered(self, producer: Producer) -> None:
        """Wait until the broker has what was given, and has said where it lies."""
        while len(producer) and self._undelivered is None:
            if any(error.code() == KafkaError._FATAL for error in self._noted):  # noqa: SLF001  # as above
                producer.commit_transaction(STATEMENT_SECONDS_MAX)  # it raises what made it so, such as another relay
            if not producer.poll(STATEMENT_SECONDS_MAX):
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "it did not take what was written"))  # noqa: SLF001  # as above
        if self._undelivered is not None:
            raise KafkaException(self._undelivered)

    def _delivered(self, error: KafkaError | None, message: confluent_kafka.Message) -> None:
        if error is not None:
            self._undelivered = self._undelivered or error
        elif (ends := self._ends.get(message.topic() or "")) is not None:
            partition, end = message.partition() or 0, (message.offset() or 0) + 1
            ends[partition] = max(ends[partition], end)

    def _let_go(self) -> None:
        """Undo the open transaction, if there is one and it can be told to: else whoever opens next undoes it."""
        if self._producer is not None:
            self._producer.purge()
            with suppress(KafkaException):
                self._producer.abort_transaction(1.0)
            self._producer = None

    def _name(self, topic: str) -> str:
        return f"{self._address.prefix}.{topic}"


def _last_of(consumer: Consumer) -> bytes | None:
    """Return the last message from where the consumer stands to the end; an answer that takes too long is an absence."""
    last: bytes | None = None
    while message := consumer.poll(CONNECT_SECONDS_MAX):
        error = message.error()
        if error is None:
            last = message.value()
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # public, for all its underscore
            return last
        else:
            raise KafkaException(error)
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "its position topic does not answer"))  # noqa: SLF001  # as above

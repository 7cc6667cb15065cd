"""What the tests of relay and stream share: a topic read as a consumer of ours would, relay and projectors around a house."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from entrepot.base.event import Event
from entrepot.engines.stream.kafka import KafkaStream
from entrepot.engines.stream.kafka_connection import address
from entrepot.engines.stream.kafka_source import KafkaSource
from entrepot.log.bell import Bell
from entrepot.log.reader import LogReader, ReadsLog
from entrepot.log.relay import Relay
from entrepot.log.streamed import StreamedLog
from entrepot.record.transaction import Record, open_record
from tests.log_case import ALL, House, until

SCHEMAS: Mapping[str, bytes] = dict.fromkeys(ALL, b"{}")


def with_prefix(url: str, prefix: str) -> str:
    """Return the URL with topics of its own."""
    return f"{url}&prefix={prefix}"


def committed(url: str, topic: str) -> list[tuple[int, bytes, bytes]]:
    """Return what a reader of committed messages finds in a topic: partition, key and value, each partition in order."""
    where = address(url)
    config = {**where.config, "group.id": "reader", "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer({**config, "enable.auto.commit": False})
    name = f"{where.prefix}.{topic}"
    ends = len(consumer.list_topics(name, timeout=10).topics[name].partitions)
    consumer.assign([TopicPartition(name, partition, 0) for partition in range(ends)])
    found: list[tuple[int, bytes, bytes]] = []
    while ends:
        message = consumer.poll(20)
        assert message is not None
        if error := message.error():
            assert error.code() == KafkaError._PARTITION_EOF
            ends -= 1
        else:
            found.append((message.partition() or 0, message.key() or b"", message.value() or b""))
    consumer.close()
    return found


def events(url: str, topic: str = "note") -> list[Event]:
    """Return the events of a topic, each partition in order."""
    return [msgspec.json.decode(value, type=Event) for _, _, value in committed(url, topic)]


def relay_of(record: Record, bell: Bell, url: str, holder: str) -> Relay:
    """Return a relay of the notes."""
    return Relay(record, bell, LogReader(record), KafkaStream(url), 1, SCHEMAS, holder)


@contextlib.asynccontextmanager
async def relaying(home: House, url: str, holder: str = "one") -> AsyncIterator[None]:
    """Relay the notes while the block runs."""
    task = asyncio.create_task(relay_of(home.record, home.bell, url, holder).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def streamed(home: House, url: str, table: ReadsLog | None = None) -> AsyncIterator[StreamedLog]:
    """Have the house's projectors read by the stream while the block runs, and from ``table`` what it does not have."""
    reads = StreamedLog(home.record, home.bell, table or LogReader(home.record), lambda: KafkaSource(url), 1, ALL)
    home.streamed = reads
    try:
        yield reads
    finally:
        home.streamed = None
        await reads.close()


async def until_relayed(home: House, url: str, count: int) -> list[Event]:
    """Wait until so many events are there, and return them."""
    found: list[Event] = []

    async def there() -> bool:
        with contextlib.suppress(KeyError):  # the topic is not made yet
            found[:] = await asyncio.to_thread(events, url)
        return len(found) >= count

    await until(there, 120)
    return found


async def started(record_url: str, stream_url: str, holder: str) -> asyncio.subprocess.Process:
    """Start a relay as a process of its own, which can be killed."""
    environ = {**os.environ, "RECORD": record_url, "STREAM": stream_url, "HOLDER": holder}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.engines.relaying", env=environ)


async def _main() -> None:
    record_url = os.environ["RECORD"]
    async with await open_record(record_url) as record, Bell(record_url) as bell:
        await relay_of(record, bell, os.environ["STREAM"], os.environ["HOLDER"]).run()


if __name__ == "__main__":
    asyncio.run(_main())

"""Every message that a Kafka still has, of every topic: keys, values and headers, of undone transactions too."""

import asyncio
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from entrepot.base.limits import CONNECT_SECONDS_MAX, STATEMENT_SECONDS_MAX
from entrepot.engines.stream.kafka_connection import Address, address, telling
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

_AT_ONCE = 1_000


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search every topic that this user may read. Events name subjects by their ids, as the record does: ids are no finding."""
    return await asyncio.to_thread(_search, Looking(source, needles, ids=False), address(url))


def _search(looking: Looking, where: Address) -> Looked:
    with telling(where.where, []):
        topics = AdminClient(dict(where.config)).list_topics(timeout=CONNECT_SECONDS_MAX).topics
        for name in topics:
            looking.look(f"{name}: its name", name.encode())
        _look(where, [(name, partition) for name in sorted(topics) for partition in topics[name].partitions], looking)
    return looking.end()


def _look(where: Address, places: Sequence[tuple[str, int]], looking: Looking) -> None:
    """Read every partition from its first message to its end, and leave no trace of a reader."""
    config: dict[str, Any] = {
        **where.config,
        "group.id": "entrepot.scan",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_uncommitted",
    }
    pieces = {place: looking.pieces(f"{place[0]}/{place[1]}") for place in places}
    unread, consumer = set(places), Consumer(config)
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in places])
        while unread and (found := consumer.consume(_AT_ONCE, STATEMENT_SECONDS_MAX)):
            for message in found:
                error, place = message.error(), (message.topic() or "", message.partition() or 0)
                if error is None:
                    pieces[place](_bytes(message))
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # public, for all its underscore
                    unread.discard(place)
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    for topic, partition in unread:  # its end never came
        looking.unread(f"{topic}/{partition}")


def _bytes(message: Message) -> bytes:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    told = b"\n".join(
        name.encode() + b"\n" + (value if isinstance(value, bytes) else str(value).encode()) for name, value in pairs
    )
    return b"\n".join(
        part if isinstance(part, bytes) else str(part).encode() for part in (message.key(), message.value(), told)
    )

"""The stream's work of `bench engines`, a little of it, on a real Kafka."""

import asyncio

from confluent_kafka.admin import AdminClient

from entrepot.bench.engines.relaying import Relaying, own_topics, write_log
from entrepot.engines.stream.kafka_connection import address
from entrepot.settings import Engines
from tests.log_case import until

SHARE = 0.02


async def test_a_log_is_relayed_read_and_asked_and_its_topics_are_deleted(kafka_url: str, migrated_url: str) -> None:
    events = await write_log(Engines(record=migrated_url), SHARE)
    assert events >= 2_000
    url = own_topics(kafka_url)
    work = Relaying(migrated_url, url, SHARE, events)
    try:
        for generation in (1, 2):
            await work.fill(generation)
        work.answers_from(2)
        assert 0 <= await work.ask(0) < 10_000
        await work.fill(3)
        assert await work.ask(1) >= 0
    finally:
        for generation in (1, 2, 3):
            await work.drop(generation)

    async def gone() -> bool:  # a broker forgets them soon after
        place = address(url)
        topics = (await asyncio.to_thread(AdminClient(dict(place.config)).list_topics, timeout=10)).topics
        return not [name for name in topics if name.startswith(place.prefix)]

    await until(gone, 30)

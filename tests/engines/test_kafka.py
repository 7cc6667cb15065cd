"""The log is in a real Kafka once, in order by key, whatever is killed on the way; what is wrong with a broker is said."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import START, Event, Position
from entrepot.base.stream import Message, StreamTakenError, Topic
from entrepot.engines.stream.kafka import KafkaStream
from entrepot.log import store
from tests.engines.relaying import committed, relaying, started, until_relayed, with_prefix
from tests.log_case import House, house, until

TOPICS = (Topic("note"),)


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as home:
        yield home


@pytest.fixture
def url(kafka_url: str, request: pytest.FixtureRequest) -> str:
    return with_prefix(kafka_url, f"{request.node.originalname[:40]}.{uuid4().hex[:8]}")


@contextlib.asynccontextmanager
async def stream(url: str) -> AsyncIterator[KafkaStream]:
    stream = KafkaStream(url)
    try:
        yield stream
    finally:
        await stream.close()


def versions(found: Sequence[Event]) -> dict[str, list[int]]:
    by_key: dict[str, list[int]] = {}
    for event in found:
        by_key.setdefault(event.key, []).append(event.version)
    return by_key


def notes(batch: int, count: int = 200) -> list[tuple[str, int, str]]:
    return [(str(number % 20), batch * count // 20 + number // 20 + 1, "said") for number in range(count)]


async def test_every_event_is_there_once_with_its_envelope_and_in_order_by_key(home: House, url: str) -> None:
    async with relaying(home, url):
        for batch in range(5):
            await home.write(*notes(batch))
        found = await until_relayed(home, url, 1_000)
    assert versions(found) == {f"note/{number}": list(range(1, 51)) for number in range(20)}
    assert len({event.id for event in found}) == 1_000
    places = {(partition, key) for partition, key, _ in committed(url, "note")}
    assert len(places) == 20
    assert len({partition for partition, _ in places}) == 4


async def test_the_shapes_of_events_are_published_beside_them(home: House, url: str) -> None:
    async with relaying(home, url):
        await home.write(("1", 1, "said"))
        await until_relayed(home, url, 1)
    assert {key for _, key, _ in committed(url, "schemas")} == {b"note.written.v1", b"other.happened.v1"}


async def test_relays_that_are_killed_anywhere_neither_lose_nor_double(home: House, url: str, migrated_url: str) -> None:
    for batch in range(6):
        await home.write(*notes(batch, 2_000))
        relay = await started(migrated_url, url, f"killed {batch}")
        if batch:
            before = 2_000 * (batch - 1)
            await until_relayed(home, url, before + 1)
        relay.kill()
        await relay.wait()
    async with relaying(home, url):
        found = await until_relayed(home, url, 12_000)
    assert versions(found) == {f"note/{number}": list(range(1, 601)) for number in range(20)}
    assert len(found) == 12_000


async def test_whoever_opens_a_stream_shuts_out_who_had_it(url: str) -> None:
    async with stream(url) as first, stream(url) as second:
        assert await first.open(1, TOPICS) == START
        await first.publish([Message("note", b"a", b"1")], Position(1, 1))
        assert await second.open(1, TOPICS) == Position(1, 1)
        with pytest.raises(StreamTakenError):
            await first.publish([Message("note", b"a", b"2")], Position(2, 2))
        await second.publish([Message("note", b"a", b"3")], Position(3, 3))
    assert [value for _, _, value in committed(url, "note")] == [b"1", b"3"]


async def test_many_topics_that_were_just_made_are_waited_for_and_not_told_as_away(url: str) -> None:
    topics = [Topic(f"area{number}") for number in range(30)]
    for time in range(4):
        async with stream(f"{url}.{time}") as one:
            assert await one.open(1, topics) == START


async def test_another_cell_has_a_position_of_its_own(url: str) -> None:
    async with stream(url) as first, stream(url) as second:
        await first.open(1, TOPICS)
        await first.publish([], Position(7, 7))
        assert await second.open(2, TOPICS) == START
        await first.publish([], Position(8, 8))


async def test_a_message_that_no_topic_takes_stops_its_batch_with_a_sentence_and_nothing_of_it_is_read(url: str) -> None:
    async with stream(url) as one:
        await one.open(1, TOPICS)
        with pytest.raises(BadInputError, match="smaller messages"):
            await one.publish([Message("note", b"a", b"1"), Message("note", b"a", bytes(20 << 20))], Position(1, 1))
        assert await one.open(1, TOPICS) == START
    assert committed(url, "note") == []


async def test_a_topic_with_too_few_partitions_is_refused_before_anything_is_written(url: str) -> None:
    async with stream(url) as few, stream(url.replace("partitions=4", "partitions=8")) as many:
        await few.open(1, TOPICS)
        with pytest.raises(BadInputError, match="has 4 partitions, and 8 are wanted"):
            await many.open(1, TOPICS)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("only-for-tests", "wrong-password"), "refuses this user and password"),
        (("?ca=", "?nobody="), "has the option 'nobody'"),
        (("partitions=4", "partitions=none"), "partitions=none"),
        (("replication=1", "replication=3"), "fewer brokers"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said_without_its_password(url: str, changed: tuple[str, str], told: str) -> None:
    with pytest.raises(BadInputError, match=told) as error:
        async with stream(url.replace(*changed)) as one:
            await one.open(1, TOPICS)
    assert "only-for-tests" not in str(error.value)
    assert "wrong-password" not in str(error.value)


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(kafka_url: str) -> None:
    async with stream(kafka_url.partition("?")[0]) as one:
        with pytest.raises(BadInputError, match="certificate"):
            await one.check()


async def test_a_broker_that_is_not_there_is_told_as_away() -> None:
    async with stream("kafka://127.0.0.1:1") as one:
        with pytest.raises(EngineAwayError, match="stream engine does not answer"):
            await one.check()


async def test_a_relay_whose_broker_is_not_there_says_why_it_waits(home: House) -> None:
    async def told() -> bool:
        async with home.record.committing() as connection:
            return any("does not answer" in one.why for one in await store.readers(connection, 1) if one.kind == "relay")

    async with relaying(home, "kafka://127.0.0.1:1?prefix=away"):
        await until(told)

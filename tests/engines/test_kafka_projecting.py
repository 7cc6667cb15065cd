"""Projectors that read a real Kafka in place of the record: the same notes, once, whoever is killed, and back at any moment.

The suites of the projector run here as they are: this module's ``home`` has a relay beside it and reads by the stream.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from entrepot.base import engine_limits, limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import START, Position, Token
from entrepot.base.limits import BATCH_EVENTS_MAX
from entrepot.base.projection import Slot
from entrepot.base.stream import NotInStreamError
from entrepot.engines.stream import kafka_source
from entrepot.engines.stream.kafka_connection import address, until_edges
from entrepot.engines.stream.kafka_source import KafkaSource
from entrepot.log.batch import Batch
from entrepot.log.generations import rebuild
from entrepot.log.reader import LogReader
from entrepot.log.relay import SCHEMAS
from entrepot.log.store import readers
from entrepot.log.streamed import StreamedLog
from tests.engines.relaying import relaying, started, streamed, until_relayed, with_prefix
from tests.faults.test_projector import kill, projectors, start
from tests.flows.test_projector import (
    test_a_changed_number_of_shards_counts_from_the_next_rebuild,  # noqa: F401  # read from Kafka
    test_a_poison_event_stops_its_key_and_nothing_else,  # noqa: F401  # read from Kafka
    test_a_position_is_passed_by_events_that_the_projection_does_not_want,  # noqa: F401  # read from Kafka
    test_a_quarantined_key_stays_parked_after_a_restart,  # noqa: F401  # read from Kafka
    test_a_refusal_by_the_store_is_parked_with_its_reason,  # noqa: F401  # read from Kafka
    test_a_replay_takes_what_was_parked_since_it_was_asked_for_too,  # noqa: F401  # read from Kafka
    test_a_written_note_is_found_once_its_position_is_passed,  # noqa: F401  # read from Kafka
    test_replay_takes_parked_events_in_order_and_releases_their_key,  # noqa: F401  # read from Kafka
    test_shards_together_find_every_note,  # noqa: F401  # read from Kafka
    test_two_projectors_share_the_slots_and_one_alone_has_all,  # noqa: F401  # read from Kafka
)
from tests.flows.test_rebuild import (
    is_live,
    test_a_rebuild_ends_with_the_same_items_in_a_new_generation,  # noqa: F401  # read from Kafka
    test_an_interrupted_rebuild_goes_on_where_it_was,  # noqa: F401  # read from Kafka
    test_no_read_is_stale_or_fails_while_a_rebuild_is_switched_in,  # noqa: F401  # read from Kafka
)
from tests.log_case import ALL, SLOT, House, Notes, house, until


@pytest.fixture
def url(kafka_url: str) -> str:
    return with_prefix(kafka_url, f"projecting.{uuid4().hex[:12]}")


class NoTable:
    """A record whose log is not to be read."""

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        raise AssertionError(f"{limit} events of {slot} were read in the record, of {kinds} behind {after}")


@pytest.fixture
async def home(migrated_url: str, url: str) -> AsyncIterator[House]:
    """Return a house whose projectors have nothing but the stream to read."""
    async with house(migrated_url) as opened, relaying(opened, url):
        await until(lambda: is_opened(url))
        async with streamed(opened, url, NoTable()):
            yield opened


async def is_opened(url: str) -> bool:
    """Say whether the relay has begun: before, projectors would read the record."""
    source = KafkaSource(url)
    try:
        return bool(await source.newest(SCHEMAS))
    except (NotInStreamError, EngineAwayError):  # a topic that was just made has no leader for a moment
        return False
    finally:
        await source.close()


async def write_versions(home: House, first: int, last: int) -> Token:
    """Write these versions of twenty notes, a transaction for each."""
    for version in range(first, last + 1):
        token = await home.write(*((str(note), version, f"version {version}") for note in range(20)))
    return token


async def seen(home: House) -> dict[str, object]:
    """Return how many versions were folded into each note: one that was lost or doubled shows."""
    return {item.id: (item.body or {})["seen"] for item in await home.store.scan(home.live.target("notes"), "", None)}


async def until_passed(home: House, token: Token) -> None:
    """Wait until the notes have passed a position, on a machine that is slow and has a broker to run, too."""
    assert await home.live.wait_for("notes", token, 120)


async def test_what_was_relayed_is_read_there_and_the_record_is_left_alone(home: House, url: str) -> None:
    await write_versions(home, 1, 300)
    await until_relayed(home, url, 6_000)
    async with home.projecting(shards=2):
        await home.until_live(Notes())
        await until_passed(home, await write_versions(home, 301, 330))
        await rebuild(home.record, Notes(), 2)
        await until(lambda: is_live(home, 2), 120)
    assert await seen(home) == {f"note/{note}": 330 for note in range(20)}


async def test_who_reads_the_log_and_where_is_told(home: House) -> None:
    async def told() -> bool:
        async with home.record.committing() as connection:
            found = await readers(connection, 1)
        return [(one.kind, one.source, one.slots, one.why) for one in found] == [
            ("projector", "stream", 1, ""),
            ("relay", "record", 0, ""),
        ] and found[1].behind == 0

    async with home.projecting():
        await home.until_live(Notes())
        await until_passed(home, await write_versions(home, 1, 2))
        await until(told)


async def test_one_goes_on_in_the_record_and_again_in_the_stream_where_the_other_stopped(home: House) -> None:
    stream = home.streamed
    for turn in range(4):
        home.streamed = stream if turn % 2 == 0 else None
        token = await write_versions(home, 50 * turn + 1, 50 * turn + 25)
        async with home.projecting():
            await home.until_live(Notes())
            await until_passed(home, token)
            await until_passed(home, await write_versions(home, 50 * turn + 26, 50 * turn + 50))
    assert await seen(home) == {f"note/{note}": 200 for note in range(20)}


async def test_relay_and_projectors_that_are_killed_at_random_lose_and_double_nothing(migrated_url: str, url: str) -> None:
    chance = random.Random(0)
    async with house(migrated_url) as home, projectors(home, 2, url) as running:
        running.append(await started(migrated_url, url, "first"))
        for turn in range(6):
            token = await write_versions(home, 40 * turn + 1, 40 * turn + 40)
            await kill(running.pop())
            await kill(running.pop(chance.randrange(2)))
            running += [await start(home, url), await started(migrated_url, url, f"after {turn}")]
        await home.until_live(Notes())
        await until_passed(home, token)
        assert await seen(home) == {f"note/{note}": 240 for note in range(20)}


async def test_what_a_topic_no_longer_has_is_read_in_the_record_and_said(home: House, url: str) -> None:
    await write_versions(home, 1, 20)
    await until_relayed(home, url, 400)
    await asyncio.to_thread(forget, url, "note")
    async with streamed(home, url) as reads, home.projecting():
        await home.until_live(Notes())
        await until(lambda: says(reads, "no longer reaches back"), 120)
        await until_passed(home, await write_versions(home, 21, 40))
        await until(lambda: says(reads, ""), 120)
        await until_passed(home, await write_versions(home, 41, 60))
    assert await seen(home) == {f"note/{note}": 60 for note in range(20)}


async def test_a_relay_that_does_not_know_a_kind_is_not_relied_on(home: House, url: str) -> None:
    await home.write(("a", 1, "x"))
    await until_relayed(home, url, 1)
    kinds = ALL | {"note.burnt.v1"}
    reads = StreamedLog(home.record, home.bell, LogReader(home.record), lambda: KafkaSource(url), 1, kinds)
    batch = await reads.read(SLOT, START, kinds, BATCH_EVENTS_MAX)
    assert [event.key for event in batch.events] == ["note/a"]
    assert "does not know note.burnt.v1: upgrade it" in reads.why
    await reads.close()


async def test_a_broker_that_is_away_is_waited_for_with_a_sentence(home: House) -> None:
    async with home.projecting():
        await home.until_live(Notes())
    home.streamed = None
    async with streamed(home, "kafka://127.0.0.1:1?prefix=away"), home.projecting():
        token = await home.write(("a", 1, "x"))
        await until(lambda: shows(home, "stream engine does not answer"), 120)
    async with home.projecting():
        await until_passed(home, token)


async def test_partitions_far_ahead_rest_and_what_waits_for_readers_is_bounded(
    home: House, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_source, "STREAM_HELD_MAX", 5)
    monkeypatch.setattr(engine_limits, "STREAM_AHEAD_EVENTS_MAX", 50)
    monkeypatch.setattr(limits, "TAIL_EVENTS_MAX", 50)
    token = await write_versions(home, 1, 100)
    await until_relayed(home, url, 2_000)
    async with home.projecting():
        await home.until_live(Notes())
        await until_passed(home, token)
    assert await seen(home) == {f"note/{note}": 100 for note in range(20)}


def forget(url: str, topic: str) -> None:
    """Take from a topic what is in it, as retention does."""
    where = address(url)
    admin, name = AdminClient(dict(where.config)), f"{where.prefix}.{topic}"
    ends = until_edges(admin, [name], {name: where.partitions}, last=True)
    for done in admin.delete_records([TopicPartition(*place, end) for place, end in ends.items()]).values():
        done.result()


async def says(reads: StreamedLog, what: str) -> bool:
    return what in reads.why if what else not reads.why


async def shows(home: House, what: str) -> bool:
    async with home.record.committing() as connection:
        return what in str(await connection.fetchval("SELECT string_agg(error, ' ') FROM log.progress"))

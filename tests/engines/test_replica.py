"""Reads that may be some seconds old go to a real streaming replica, as long as it is near; else, unnoticed, to the primary."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from msgspec import Struct

from entrepot.base.engine_limits import REPLICA_AGE_SECONDS_MAX
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Token
from entrepot.base.principal import Membership, Principal
from entrepot.local.place import Place
from entrepot.local.postgres import Postgres
from entrepot.local.process import free_ports, running
from entrepot.local.roles import PLATFORM, TENANT
from entrepot.record.replica import Replica as Followed
from entrepot.record.replica import open_replica
from entrepot.record.transaction import Connection, Fact, Record, open_record
from tests.conftest import SECRET, UnsyncedPostgres, working
from tests.engines.replica import Replica
from tests.gate import gate_before
from tests.servers import Server as Away

SECONDS = 120.0  # what a busy machine may take for anything here
PATIENCE_SECONDS = 1.0  # what a read waits for the replica


T = TypeVar("T")


class Noted(Struct, frozen=True):
    """What the tests write."""

    number: int


class Pair(Struct, frozen=True):
    """A record, the replica it asks, and the server that this is."""

    record: Record
    replica: Followed
    server: Away

    async def note(self, number: int) -> Token:
        async with self.record.transaction(1) as tx:
            return await tx.append([Fact("test.noted.v1", f"note/{number}", 1, Noted(number))])

    async def until(self, *, near: bool) -> None:
        async with asyncio.timeout(SECONDS):
            while self.replica.near is not near:  # noqa: ASYNC110  # it is another server's doing, which sets no Event
                await asyncio.sleep(0.02)

    async def standing_still(self, still: bool) -> None:
        """Have the replica replay nothing more, or go on."""
        told = "SELECT pg_wal_replay_pause()" if still else "SELECT pg_wal_replay_resume()"
        await Postgres()._run(self.server.place, "postgres", told)


async def asked(connection: Connection) -> tuple[bool, int]:
    """Return whether a replica answers, and how many notes it knows."""
    row = await connection.fetchrow("SELECT pg_is_in_recovery() AS here, count(*) AS notes FROM log.event")
    assert row is not None
    return row["here"], row["notes"]


async def until_told(record: Record, ask: Callable[[Connection], Awaitable[T]], expected: T) -> None:
    """Ask what may be old until it is this: a busy machine's replica is left for a moment now and then."""
    async with asyncio.timeout(SECONDS):
        while await record.recent(ask) != expected:  # noqa: ASYNC110  # it is another server's doing, which sets no Event
            await asyncio.sleep(0.02)


async def until_says(replica: Followed, why: str) -> None:
    """Wait until this is why nobody reads from the replica."""
    async with asyncio.timeout(SECONDS):
        while why not in replica.why:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def server(record_url: str, engines_home: Path) -> AsyncIterator[Away]:
    home = engines_home / "replica"
    place = Place(home, "replica", free_ports(home, 1, ()), SECRET)
    async with gate_before(place.ports[0]) as gate:
        started = await asyncio.to_thread(Away, Replica(record_url), place, gate)
        try:
            await started.ready()
            yield started
        finally:
            await started.end()


@pytest.fixture
async def pair(record: Record, migrated_url: str, server: Away) -> AsyncIterator[Pair]:
    url, tenant = (elsewhere(working(migrated_url, user), server.gate.port) for user in (PLATFORM, TENANT))
    replica = await open_replica(record.pool, url, tenant, PATIENCE_SECONDS)
    record.replica = replica
    try:
        pair = Pair(record, replica, server)
        await pair.until(near=True)
        yield pair
    finally:
        await replica.close()


def elsewhere(url: str, port: int) -> str:
    """Return the URL of the same database and user at another port of this machine."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()


async def test_what_was_written_is_read_from_the_replica_once_it_has_seen_it(pair: Pair) -> None:
    await pair.note(1)
    await until_told(pair.record, asked, (True, 1))


async def test_a_read_that_must_have_seen_a_position_never_misses_it(pair: Pair) -> None:
    for number in range(1, 51):
        token = await pair.note(number)
        assert (await pair.record.recent(asked, token))[1] == number


async def test_one_that_stands_still_answers_until_it_is_too_old(pair: Pair) -> None:
    await pair.standing_still(True)
    try:
        token = await pair.note(1)
        assert await pair.record.recent(asked, token) == (False, 1)
        await pair.until(near=False)
        assert pair.replica.age_seconds > REPLICA_AGE_SECONDS_MAX
        assert await pair.record.recent(asked) == (False, 1)
    finally:
        await pair.standing_still(False)
    await pair.until(near=True)


async def test_nobody_writes_by_what_only_reads(pair: Pair) -> None:
    async def write(connection: Connection) -> str:
        return await connection.execute("DELETE FROM log.event")

    with pytest.raises(EngineAwayError, match="read-only"):
        await pair.record.recent(write)


@pytest.mark.parametrize("way", ["killed", "frozen", "refusing", "slow"])
async def test_one_that_goes_away_costs_no_answer_and_is_used_again_when_it_is_back(pair: Pair, way: str) -> None:
    token = await pair.note(1)
    await pair.server.go(way)
    try:
        assert [await pair.record.recent(asked, token) for _ in range(20)] == [(False, 1)] * 20
        await pair.until(near=False)
        assert pair.replica.why
    finally:
        await pair.server.back(way)
    await pair.until(near=True)


async def test_a_seller_reads_there_too_and_still_nobody_elses_rows(pair: Pair) -> None:
    seller = Principal(kind="person", memberships=frozenset({Membership("seller", "seller/nobody")}))

    async def who(connection: Connection) -> tuple[bool, str]:
        row = await connection.fetchrow("SELECT pg_is_in_recovery() AS here, current_user AS who")
        assert row is not None
        return row["here"], row["who"]

    await until_told(pair.record.as_tenant(seller), who, (True, "entrepot_tenant"))


async def test_a_server_that_takes_writes_is_no_replica(record: Record, migrated_url: str) -> None:
    replica = await open_replica(record.pool, working(migrated_url), "", PATIENCE_SECONDS)
    try:
        await until_says(replica, "takes writes")
        assert not replica.near
    finally:
        await replica.close()


async def test_a_replica_of_another_server_is_never_read(pair: Pair, engines_home: Path) -> None:
    home = engines_home / "stranger"
    home.mkdir()
    home.chmod(0o755)
    async with running(UnsyncedPostgres(), home, SECRET) as urls, await open_record(urls["record"]) as stranger:
        replica = await open_replica(stranger.pool, elsewhere(urls["record"], pair.server.gate.port), "", PATIENCE_SECONDS)
        try:
            await until_says(replica, "another server")
            assert not replica.near
        finally:
            await replica.close()

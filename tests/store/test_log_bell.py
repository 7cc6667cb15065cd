"""Readers are woken by a message, not by the next look at the clock; and a bell that is broken mends itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from functools import partial

import asyncpg
import pytest

from entrepot.base import limits
from entrepot.base.event import Position, Token
from entrepot.log import store
from entrepot.log.bell import Bell
from entrepot.log.generations import rebuild
from entrepot.log.live import PROGRESS
from entrepot.log.store import LiveSlot
from entrepot.record.transaction import Connection
from tests.log_case import DEADLINE_SECONDS, House, Notes, house, until

FAR_SECONDS = 30.0


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as opened:
        yield opened


async def test_a_write_is_followed_at_once_though_the_next_poll_is_far(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POLL_SECONDS", FAR_SECONDS)
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
        async with asyncio.timeout(FAR_SECONDS / 10):
            for version in range(2, 12):
                await home.passed(await home.write(("a", version, "x")))


async def test_what_an_open_transaction_held_back_is_followed_soon_after_it_ends(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that ends wrote no event, so nobody rings: the reader must look by itself."""
    monkeypatch.setattr(limits, "POLL_SECONDS", FAR_SECONDS)
    other = await asyncpg.connect(home.url)
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT pg_current_xact_id()")
        held = await home.write(("a", 2, "y"))
        assert not await home.live.wait_for("notes", held, 0.1)
        await transaction.commit()
        async with asyncio.timeout(FAR_SECONDS / 10):
            await home.passed(held)
    await other.close()


async def test_a_bell_whose_connection_was_cut_listens_again_and_says_that_it_may_have_missed_some(home: House) -> None:
    heard: list[str | None] = []
    async with Bell(home.url) as bell:
        bell.hear("test", heard.append)
        await until(lambda: heard_so_far(heard, 1))
        async with home.record.committing() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        await until(lambda: heard_so_far(heard, 2))
        async with home.record.committing() as connection:
            await connection.execute("SELECT pg_notify('test', 'again')")
        await until(lambda: heard_so_far(heard, 3))
    assert heard == [None, None, "again"]


async def heard_so_far(heard: list[str | None], count: int) -> bool:
    return len(heard) >= count


async def test_a_reader_names_what_changed_so_that_caches_can_drop_it(home: House) -> None:
    told: list[tuple[str, object]] = []
    home.live.on_change(lambda name, ids: told.append((name, ids)))
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x"), ("b", 1, "x")))
        await home.passed(await home.write(("a", 2, "x")))
        await home.passed(await home.write(*((f"{n}", 1, "x") for n in range(limits.PROGRESS_NOTIFY_IDS_MAX + 1))))
    assert told[-2:] == [("notes", ["note/a"]), ("notes", None)]


async def test_a_position_whose_message_was_lost_counts_only_when_caches_have_been_told(home: House) -> None:
    told: list[tuple[str, object]] = []
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
        async with home.record.committing() as connection:  # as a projector would, but without its message
            await connection.execute("UPDATE log.progress SET txid = txid + 1000")
            position = await connection.fetchrow("SELECT txid, seq FROM log.progress")
        home.live.on_change(lambda name, ids: told.append((name, ids)))
        assert position is not None
        assert await home.live.wait_for("notes", Token(1, Position(*position)), DEADLINE_SECONDS)
    assert told == [("notes", None)]


async def test_a_message_that_comes_while_its_generation_is_looked_up_counts(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "POLL_SECONDS", FAR_SECONDS)
    look, written, heard = store.live_slots, list[Token](), list[str | None]()
    home.bell.hear(PROGRESS, heard.append)

    async def told_of_meanwhile() -> bool:
        texts = [text for text in heard if text is not None]
        return any(json.loads(text)["seq"] >= written[0].position.seq for text in texts)

    async def slow(connection: Connection) -> list[LiveSlot]:
        slots = await look(connection)
        if slots and not written:
            written.append(await home.write(("a", 1, "x")))
            await until(told_of_meanwhile)
        return slots

    monkeypatch.setattr(store, "live_slots", slow)
    async with home.projecting():
        await home.until_live(Notes())
        async with asyncio.timeout(FAR_SECONDS / 10):
            await home.passed(written[0])


async def test_one_who_fails_over_a_change_does_not_keep_the_others_from_the_next_generation(home: House) -> None:
    def fail(_: str, ids: Sequence[str] | None) -> None:
        if ids is None:
            raise RuntimeError("a cache that is broken")

    async with home.projecting():
        await home.passed(await home.write(("a", 1, "one")))
        home.live.on_change(fail)
        for number in (2, 3):
            await rebuild(home.record, Notes())
            await until(partial(reads, home, number))


async def reads(home: House, generation: int) -> bool:
    return home.live.target("notes").generation == generation

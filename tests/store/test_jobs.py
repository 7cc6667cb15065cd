"""Jobs and reactions on a real log: what a reaction does and how far it has read are one; a job is done by one at a time."""

import asyncio
from collections.abc import Sequence

import pytest

from entrepot.base.event import Event
from entrepot.base.time import SystemClock
from entrepot.commerce.catalog.events import PRODUCT_CHANGED
from entrepot.jobs import old_keys, store
from entrepot.jobs.reaction import Follower, Reaction
from entrepot.jobs.runner import Job, Runner
from entrepot.log import quarantine
from entrepot.log.bell import Bell
from entrepot.log.reader import LogReader
from entrepot.log.store import claim_leases
from entrepot.record.idempotency import once
from entrepot.record.transaction import Record, Transaction
from tests.conftest import superuser
from tests.trade import CELL, open_shop

PRODUCTS = frozenset({PRODUCT_CHANGED})
SECONDS_MAX = 45.0
FINGERPRINT = bytes(32)


class Witness:
    """Writes down, in the transaction, that it has seen an event; stumbles once if told to."""

    def __init__(self, stumbles: int = 0) -> None:
        self.stumbles = stumbles
        self.reaction = Reaction(name="witness", kinds=PRODUCTS, react=self.react, from_start=True)

    async def react(self, tx: Transaction, events: Sequence[Event]) -> None:
        await tx.connection.executemany("INSERT INTO seen VALUES ($1)", [(event.id,) for event in events])
        if self.stumbles:
            self.stumbles -= 1
            raise RuntimeError("stumbled")


@pytest.fixture
async def witnessed(record: Record) -> Record:
    """Return the record with a table for what witnesses see, which the application may write and not make."""
    async with superuser(record) as connection:
        await connection.execute("CREATE TABLE seen (id uuid)")
        await connection.execute("GRANT SELECT, INSERT ON seen TO entrepot_platform")
    return record


async def seen(record: Record) -> tuple[int, int]:
    """Return how many events were seen, and how many different ones."""
    async with record.reading() as connection:
        row = await connection.fetchrow("SELECT count(*), count(DISTINCT id) FROM seen")
        assert row is not None
        return row[0], row[1]


async def test_two_that_react_to_the_same_batch_see_each_event_once(witnessed: Record) -> None:
    await open_shop(witnessed, {f"A{n}": 1 for n in range(20)})
    followers = [Follower(witnessed, LogReader(witnessed), CELL, Witness().reaction) for _ in range(2)]

    await followers[0].step()
    await asyncio.gather(*(follower.step() for follower in followers for _ in range(3)))

    assert await seen(witnessed) == (20, 20)


async def test_a_reaction_that_fails_leaves_nothing_and_reads_the_batch_again(witnessed: Record, migrated_url: str) -> None:
    await open_shop(witnessed, {"A": 1, "B": 1})
    witness = Witness(stumbles=1)
    async with Bell(migrated_url) as bell:
        runner = Runner(witnessed, bell, CELL, "me", jobs=[], reactions=[witness.reaction])
        running = asyncio.create_task(runner.run())
        async with asyncio.timeout(SECONDS_MAX):
            await wait_for_run(witnessed, "witness", done=2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert await seen(witnessed) == (2, 2)


async def test_a_new_reaction_begins_with_what_comes_from_now_on(witnessed: Record) -> None:
    await open_shop(witnessed, {"OLD": 1})
    reaction = Reaction(name="late", kinds=PRODUCTS, react=Witness().react)
    assert await Follower(witnessed, LogReader(witnessed), CELL, reaction).step() == (0, False)


async def test_a_job_is_left_to_the_process_that_holds_its_lease(record: Record, migrated_url: str) -> None:
    ran: list[str] = []

    async def act(name: str) -> int:
        ran.append(name)
        return 1

    async with record.committing() as connection:
        await claim_leases(connection, [f"job/{CELL}/taken"], "another", 60.0)
    async with Bell(migrated_url) as bell:
        jobs = [Job(name=name, seconds=0.01, act=lambda name=name: act(name)) for name in ("taken", "free")]  # type: ignore[misc]  # a default binds this round's name
        running = asyncio.create_task(Runner(record, bell, CELL, "me", jobs=jobs, reactions=[]).run())
        async with asyncio.timeout(SECONDS_MAX):
            await wait_for_run(record, "free", done=3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert set(ran) == {"free"}


async def wait_for_run(record: Record, name: str, done: int) -> None:
    """Wait until a job has done so much."""
    while True:
        async with record.committing() as connection:
            if any(run.name == name and run.done >= done for run in await store.runs(connection)):
                return
        await asyncio.sleep(0.02)


async def test_old_keys_are_forgotten_page_by_page_and_what_is_asked_for_again_is_kept(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_keys, "KEYS_PER_PAGE_MAX", 2)
    monkeypatch.setattr(old_keys, "KEYS_PER_RUN_PAGES_MAX", 2)
    old, young = [f"old-{n}" for n in range(7)], ["zz-young"]
    for key in (*old, "import:shop:1", "subscription/a/1", *young):
        async with record.transaction(CELL) as tx:
            assert await once(tx, key, FINGERPRINT) is None
            if key not in young:
                long_ago = "UPDATE log.idempotency SET at = now() - interval '31 days' WHERE key = $1"
                await tx.connection.execute(long_ago, key)
    job = old_keys.OldKeys(record, CELL, SystemClock())
    assert [await job.forget() for _ in range(4)] == [3, 4, 0, 0]
    async with record.reading() as connection:
        left = [row["key"] for row in await connection.fetch("SELECT key FROM log.idempotency ORDER BY key")]
    assert left == ["import:shop:1", "subscription/a/1", "zz-young"]


async def test_an_event_that_a_reaction_cannot_take_is_set_aside_with_its_error_and_the_others_go_on(witnessed: Record) -> None:
    await open_shop(witnessed, {f"A{n}": 1 for n in range(5)})
    witness = Witness()
    poison: list[str] = []

    async def react(tx: Transaction, events: Sequence[Event]) -> None:
        poison[:] = poison or [events[2].key]
        if poison[0] in {event.key for event in events}:
            raise RuntimeError("it has no order")
        await witness.react(tx, events)

    picky = Reaction(name="picky", kinds=PRODUCTS, react=react, from_start=True)
    follower = Follower(witnessed, LogReader(witnessed), CELL, picky)
    await until_all_is_read(follower)
    assert await seen(witnessed) == (4, 4)
    async with witnessed.committing() as connection:
        (cursor,) = [one for one in await store.cursors(connection, CELL) if one.name == "picky"]
    assert (cursor.aside, cursor.error) == (1, "RuntimeError: it has no order")
    assert await quarantine.replay(witnessed, "reaction/picky") == 1
    await until_all_is_read(follower)  # it fails again, and stays aside
    poison[0] = "mended"
    assert await quarantine.replay(witnessed, "reaction/picky") == 1
    await until_all_is_read(follower)
    assert (await seen(witnessed), await quarantine.parked(witnessed, "reaction/picky")) == ((5, 5), [])


async def until_all_is_read(follower: Follower) -> None:
    """Step, as the runner does, whatever a step raises, until there is nothing more to read."""
    more = True
    while more:
        try:
            _, more = await follower.step()
        except RuntimeError:
            more = True

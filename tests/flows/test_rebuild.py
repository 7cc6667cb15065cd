"""A rebuild is built beside the live generation and switched in without a failed or stale read."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from entrepot.base import limits
from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.event import START
from entrepot.base.projection import Target
from entrepot.base.time import SystemClock
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.log.generations import generations, rebuild
from entrepot.log.status import GenerationStatus, status
from tests.log_case import SLOT, House, Notes, finished, house, until


class Renewed(Notes):
    """The projection in its next version: it says the same louder."""

    version = 2


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as opened:
        yield opened


async def states(home: House) -> dict[int, str]:
    every = ("building", "live", "retired", "dropped")
    return {found.generation: found.state for found in await generations(home.record, ["notes"], every)}


async def is_live(home: House, generation: int) -> bool:
    return (await states(home)).get(generation) == "live"


async def test_a_rebuild_ends_with_the_same_items_in_a_new_generation(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "first"), ("b", 1, "other")))
        last = await home.write(("a", 2, "second"))
        assert await rebuild(home.record, Notes()) == 2
        await until(lambda: is_live(home, 2))
        await home.passed(last)
    assert await states(home) == {1: "retired", 2: "live"}
    assert await home.notes() == {"a": "second", "b": "other"}


async def test_no_read_is_stale_or_fails_while_a_rebuild_is_switched_in(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(*((f"{n}", 1, "x") for n in range(3000))))
        version, generations_read = 1, {home.live.target("notes").generation}
        await rebuild(home.record, Notes())
        while generations_read != {1, 2}:
            version += 1
            assert version < 300, "the rebuild was never switched in"
            await home.passed(await home.write(("0", version, f"version {version}")))
            target = home.live.target("notes")
            generations_read.add(target.generation)
            item = (await home.store.read(target, ["note/0"]))["note/0"]
            assert item.version == version


async def test_a_second_rebuild_at_once_is_refused_with_a_sentence(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
    await rebuild(home.record, Notes())
    with pytest.raises(ConflictError, match="is being rebuilt already"):
        await rebuild(home.record, Notes())


async def test_what_was_never_built_cannot_be_rebuilt(home: House) -> None:
    with pytest.raises(NotFoundError, match="start the projector first"):
        await rebuild(home.record, Notes())


async def test_a_newer_version_of_the_code_builds_a_new_generation_by_itself(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
    async with home.projecting(Renewed()):
        await until(lambda: is_live(home, 2))
    async with home.projecting():  # the older code, still running elsewhere, does not build its own again
        await home.passed(await home.write(("a", 2, "y")))
    assert await states(home) == {1: "retired", 2: "live"}


async def test_an_interrupted_rebuild_goes_on_where_it_was(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(*((f"{n}", 1, "x") for n in range(3000))))
    await rebuild(home.record, Notes())
    for turns in (500, 1000, 2000, 4000):
        await finished(home.projector().run(), turns=turns)
    async with home.projecting():
        await until(lambda: is_live(home, 2))
    assert len(await home.notes()) == 3000


async def test_the_old_generation_is_dropped_when_no_reader_can_hold_it(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RETIRED_SECONDS", 0.0)
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
        await rebuild(home.record, Notes())

        async def is_dropped() -> bool:
            return (await states(home))[1] == "dropped"

        await until(is_dropped)
        await home.passed(await home.write(("b", 1, "y")))
    assert await home.store.position(Target("notes", 1), SLOT) == START


async def test_a_store_that_hangs_over_an_old_generation_costs_nobody_a_lease(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETIRED_SECONDS", 0.0)
    monkeypatch.setattr(limits, "LEASE_SECONDS", 1.0)
    hanging = asyncio.Event()

    class Hanging(PostgresqlDocuments):
        async def drop(self, _target: Target) -> None:
            hanging.set()
            await asyncio.Event().wait()

    home.store = Hanging(home.url)
    await home.store.open()
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "x")))
        await rebuild(home.record, Notes())
        await hanging.wait()
        await lease_is_renewed(home)
        await home.passed(await home.write(("b", 1, "y")))
    await home.store.close()


async def lease_is_renewed(home: House) -> None:
    """Wait until a slot is held beyond the lease that it has now."""
    async with home.record.committing() as connection:
        held = await connection.fetchval("SELECT clock_timestamp() + make_interval(secs => $1)", 2 * limits.LEASE_SECONDS)

    async def is_renewed() -> bool:
        async with home.record.committing() as connection:
            return bool(await connection.fetchval("SELECT max(expires_at) > $1 FROM log.lease WHERE name LIKE 'slot/%'", held))

    await until(is_renewed)


async def shown(home: House) -> tuple[GenerationStatus | None, GenerationStatus | None]:
    found = await status(home.record, ["notes"], [1], SystemClock())
    return found.projections[0].live, found.projections[0].building


async def test_status_shows_how_far_the_live_and_the_building_generation_are(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(*((f"{n}", 1, "x") for n in range(100))))
    await rebuild(home.record, Notes())
    await home.write(*((f"{n}", 2, "x") for n in range(50)))
    live, building = await shown(home)
    assert live is not None
    assert building is not None
    assert (live.done, live.total, live.lag_events) == (100, 150, 50)
    assert (building.done, building.total, building.lag_events) == (0, 150, 150)
    assert live.lag_seconds > 0
    async with home.projecting():
        await until(lambda: is_live(home, 2))
    live, building = await shown(home)
    assert live is not None
    assert building is None
    assert (live.generation, live.done, live.lag_events, live.lag_seconds, live.events) == (2, 150, 0, 0.0, 150)

"""The projector follows the log: every note is found, once, in any number of shards and after any start."""

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base import limits
from entrepot.base.event import Position
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.log.generations import generations, rebuild
from entrepot.log.projector import is_at_work
from entrepot.log.quarantine import parked, replay
from tests.log_case import OTHER, SLOT, UNFIT, Forgiving, House, Notes, house, until


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as opened:
        yield opened


async def nothing_parked(home: House) -> bool:
    return not await parked(home.record, "notes")


async def nothing_to_replay(home: House) -> bool:
    return not any(one.replay for one in await parked(home.record, "notes"))


async def is_live(home: House, generation: int) -> bool:
    return any(g.generation == generation and g.state == "live" for g in await generations(home.record, ["notes"]))


async def slots_are_shared(home: House, shares: list[int]) -> bool:
    async with home.record.committing() as connection:
        rows = await connection.fetch("SELECT count(*) FROM log.lease WHERE name LIKE 'slot/%' GROUP BY holder ORDER BY 1")
    return [row[0] for row in rows] == shares


async def an_error_is_shown(home: House) -> bool:
    async with home.record.committing() as connection:
        return bool(await connection.fetchval("SELECT count(error) FROM log.progress"))


async def test_a_written_note_is_found_once_its_position_is_passed(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "first"), ("b", 1, "other")))
        await home.passed(await home.write(("a", 2, "second")))
    assert await home.notes() == {"a": "second", "b": "other"}


async def test_other_processes_see_whether_a_projector_is_at_work(home: House) -> None:
    async def at_work() -> bool:
        return await is_at_work(home.record)

    assert not await at_work()
    async with home.projecting():
        await until(at_work)
    assert not await at_work()


async def test_a_position_is_passed_by_events_that_the_projection_does_not_want(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, "not for notes"), kind=OTHER))
    assert await home.notes() == {}


async def test_a_poison_event_stops_its_key_and_nothing_else(home: House) -> None:
    async with home.projecting():
        await home.write(("a", 1, "good"), ("b", 1, "good"))
        await home.write_poison("a", 2)
        await home.write(("a", 3, "behind the poison"))
        await home.passed(await home.write(("b", 2, "goes on")))
    assert await home.notes() == {"a": "good", "b": "goes on"}
    found = await parked(home.record, "notes")
    assert [(one.key, one.error is not None) for one in found] == [("note/a", True), ("note/a", False)]
    assert "text" in str(found[0].error)


async def test_a_quarantined_key_stays_parked_after_a_restart(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write_poison("a", 1))
    async with home.projecting():
        await home.passed(await home.write(("a", 2, "behind"), ("b", 1, "good")))
    assert await home.notes() == {"b": "good"}


async def test_replay_takes_parked_events_in_order_and_releases_their_key(home: House) -> None:
    async with home.projecting():
        await home.write_poison("a", 1)
        await home.passed(await home.write(("a", 2, "second"), ("a", 3, "third")))
    async with home.projecting(Forgiving()):
        assert await replay(home.record, "notes") == 3
        await until(lambda: nothing_parked(home))
        assert await home.notes() == {"a": "third"}
        await home.passed(await home.write(("a", 4, "fourth")))
    assert await home.notes() == {"a": "fourth"}


async def test_a_replay_takes_what_was_parked_since_it_was_asked_for_too(home: House) -> None:
    async with home.projecting():
        await home.write_poison("a", 1)
        await home.passed(await home.write(("a", 2, "second")))
    async with home.record.committing() as connection:  # as if the second had been parked a moment after replay was asked for
        await connection.execute("UPDATE log.quarantine SET replay = true WHERE error IS NOT NULL")
    async with home.projecting(Forgiving()):
        await until(lambda: nothing_parked(home))
    assert await home.notes() == {"a": "second"}


async def test_a_replay_that_fails_again_keeps_the_key_parked(home: House) -> None:
    async with home.projecting():
        await home.write_poison("a", 1)
        await home.passed(await home.write(("a", 2, "second")))
        assert await replay(home.record, "notes", "note/a") == 2
        await until(lambda: nothing_to_replay(home))
        await home.passed(await home.write(("a", 3, "third")))
    assert await home.notes() == {}
    assert not await nothing_parked(home)


async def test_a_refusal_by_the_store_is_parked_with_its_reason(home: House) -> None:
    async with home.projecting():
        await home.passed(await home.write(("a", 1, f"{UNFIT} fits into no text"), ("b", 1, "good")))
        await home.passed(await home.write(("a", 2, "behind")))
    assert await home.notes() == {"b": "good"}
    assert not await nothing_parked(home)


async def test_few_notes_among_many_other_events_are_gathered_into_one_batch(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    class Counting(PostgresqlDocuments):
        async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
            batches.append(len(items))
            return await super().apply(target, slot, items, position)

    monkeypatch.setattr(limits, "BATCH_EVENTS_MAX", 10)
    for number in range(9):
        await home.write((f"{number}", 1, str(number)))
        last = await home.write(*((f"{n}", 1, "not for notes") for n in range(10)), kind=OTHER)
    home.store = Counting(home.url)
    await home.store.open()
    await home.readable(last)
    async with home.projecting():
        await home.passed(last)
    await home.store.close()
    assert (sum(batches), max(batches)) == (9, 9)


@pytest.mark.parametrize("shards", [2, 3])
async def test_shards_together_find_every_note(home: House, shards: int) -> None:
    async with home.projecting(shards=shards), home.projecting(shards=shards):
        await home.passed(await home.write(*((f"{n}", 1, str(n)) for n in range(100))))
    assert await home.notes() == {str(n): str(n) for n in range(100)}


async def test_two_projectors_share_the_slots_and_one_alone_has_all(home: House) -> None:
    async with home.projecting(shards=4):
        await until(lambda: slots_are_shared(home, [4]))
        async with home.projecting(shards=4):
            await until(lambda: slots_are_shared(home, [2, 2]))
        await until(lambda: slots_are_shared(home, [4]))
        await home.passed(await home.write(("a", 1, "x")))


async def test_a_changed_number_of_shards_counts_from_the_next_rebuild(home: House) -> None:
    async with home.projecting(shards=1):
        await home.passed(await home.write(("a", 1, "one shard")))
    async with home.projecting(shards=4):
        await home.passed(await home.write(("b", 1, "still one shard")))
        assert [found.shards for found in await generations(home.record, ["notes"])] == [1]
        await rebuild(home.record, Notes(), 4)
        await until(lambda: is_live(home, 2))
        await home.passed(await home.write(("c", 1, "four")))
    assert await home.notes() == {"a": "one shard", "b": "still one shard", "c": "four"}


async def test_a_store_that_is_away_is_waited_for(home: House) -> None:
    assert isinstance(home.store, PostgresqlDocuments)
    await home.store.close()
    async with home.projecting():
        token = await home.write(("a", 1, "written while the store was away"))
        await until(lambda: an_error_is_shown(home))
        await home.store.open()
        await home.passed(token)
    assert await home.notes() == {"a": "written while the store was away"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    versions=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), min_size=1, max_size=12),
    again=st.integers(0, 11),
)
async def test_a_log_read_twice_is_as_read_once(home: House, versions: list[tuple[str, int]], again: int) -> None:
    prefix = str(home.record.ids.fresh())
    async with home.projecting():
        tokens = [await home.write((f"{prefix}/{key}", version, f"{key}{version}")) for key, version in versions]
        await home.passed(tokens[-1])
    target = home.live.target("notes")
    await home.store.apply(target, SLOT, [], tokens[-1].position)
    async with home.record.committing() as connection:  # as a crash leaves it: items written, position not
        await connection.execute(
            "UPDATE projection.position SET txid = $1, seq = 0", tokens[min(again, len(tokens) - 1)].position.txid
        )
    async with home.projecting():
        await home.passed(await home.write((f"{prefix}/end", 1, "end")))
    newest = {key: f"{key}{max(v for k, v in versions if k == key)}" for key, _ in versions}
    found = {key.rpartition("/")[2]: text for key, text in (await home.notes()).items() if key.startswith(prefix)}
    assert found == {**newest, "end": "end"}

"""The contract of ``entrepot.base.projection.Store`` as tests: every driver of every role inherits them.

A role's module gives one fixture, ``case`` (session or module scoped), and a class for each product::

    class TestPostgresql(StoreSuite): ...

Nothing here knows an engine: bodies come from the case, and a cut is made by cancelling the task that writes.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base.errors import EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.limits import BATCH_EVENTS_MAX
from entrepot.base.projection import Body, Item, Refusal, Shape, Slot, Store, Target

SLOT = Slot(cell=1)
_generations = itertools.count(1)

# What sorts differently by UTF-8 bytes than by a language, by UTF-16 or without case, and what must be quoted somewhere.
STRANGE_IDS = sorted(
    f"thing/{tail}" for tail in ("", "A", "a", "B", "Z/1", "é", "ﬀ", "中", "😀", "'", '"', "\\", "%_", "{x}", "a b")
)


@dataclass(frozen=True)
class Case:
    """A store under test, and how to make bodies that its role takes: another number, another body.

    ``ids`` are those that order is tried with; a stand-in that orders otherwise than its product has fewer, and says why.
    """

    store: Store
    body: Callable[[int], Body]
    shape: Shape = field(default_factory=Shape)
    projection: str = "conformance"
    ids: Sequence[str] = field(default_factory=lambda: STRANGE_IDS)


@dataclass(frozen=True)
class Home:
    """One generation of the case, with short words for what the tests do to it."""

    case: Case
    target: Target

    def item(self, id_: str, version: int, body: int | None = None) -> Item:
        """Return an item with the case's body of this number; by default that of its version."""
        return Item(id_, version, self.case.body(version if body is None else body))

    async def apply(self, *items: Item, at: int = 1, slot: Slot = SLOT) -> Sequence[Refusal]:
        """Apply the items and move the slot to ``Position(at, at)``."""
        return await self.case.store.apply(self.target, slot, items, Position(at, at))

    async def read(self, *ids: str) -> dict[str, Item]:
        """Return what the writer sees of these ids."""
        return await self.case.store.read(self.target, ids)

    async def live(self) -> list[Item]:
        """Return every live item, by id."""
        return list(await self.case.store.scan(self.target, "", None))

    async def position(self, slot: Slot = SLOT) -> Position:
        """Return the slot's position."""
        return await self.case.store.position(self.target, slot)

    async def position_once_back(self) -> Position:
        """Return it from an engine that may have ended of having been cut off, and is being started again."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.position()
                except EngineAwayError:
                    await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def fresh(case: Case) -> AsyncIterator[Home]:
    """Give an empty generation that nobody else uses, and drop it."""
    target = Target(case.projection, next(_generations), case.shape)
    await case.store.drop(target)  # what a run that was killed may have left in a lasting engine
    await case.store.create(target)
    yield Home(case, target)
    await case.store.drop(target)


def tombstone(id_: str, version: int) -> Item:
    """Return the deletion of an id."""
    return Item(id_, version, None)


_versions = st.integers(min_value=1, max_value=6)
_writes = st.tuples(st.sampled_from(("thing/1", "thing/2", "thing/é")), _versions, st.none() | st.integers(0, 3))
_histories = st.lists(st.lists(_writes, max_size=5), max_size=6)


class StoreSuite:
    """What every store keeps. Subclass it as ``Test...`` where a ``case`` fixture is in reach."""

    @pytest.fixture
    async def home(self, case: Case) -> AsyncIterator[Home]:
        """Give each test a generation of its own."""
        async with fresh(case) as home:
            yield home

    async def test_a_batch_applied_twice_is_as_applied_once(self, home: Home) -> None:
        batch = [home.item("thing/1", 1), home.item("thing/2", 3), tombstone("thing/3", 2)]
        await home.apply(*batch)
        await home.apply(*batch)
        assert await home.live() == batch[:2]
        assert await home.read("thing/1", "thing/2", "thing/3") == {item.id: item for item in batch}

    async def test_batches_out_of_order_end_on_the_newest(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 3), at=3)
        await home.apply(home.item("thing/1", 1), at=1)
        await home.apply(home.item("thing/1", 2), at=2)
        assert await home.live() == [home.item("thing/1", 3)]

    async def test_an_id_several_times_in_one_batch_ends_on_the_newest(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 2), home.item("thing/1", 3), home.item("thing/1", 1))
        assert await home.live() == [home.item("thing/1", 3)]

    async def test_an_equal_version_is_dropped(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 5, body=1))
        await home.apply(home.item("thing/1", 5, body=2), tombstone("thing/1", 5))
        assert await home.live() == [home.item("thing/1", 5, body=1)]

    async def test_an_older_version_is_dropped_beside_newer_neighbours(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 5), home.item("thing/2", 5))
        await home.apply(home.item("thing/1", 4), home.item("thing/2", 6), home.item("thing/3", 1))
        assert await home.live() == [home.item("thing/1", 5), home.item("thing/2", 6), home.item("thing/3", 1)]

    async def test_a_tombstone_keeps_its_version_so_that_an_older_write_cannot_raise_the_dead(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 1), tombstone("thing/1", 3))
        await home.apply(home.item("thing/1", 2))
        assert await home.live() == []
        assert await home.read("thing/1") == {"thing/1": tombstone("thing/1", 3)}

    async def test_a_newer_write_replaces_a_tombstone(self, home: Home) -> None:
        await home.apply(tombstone("thing/1", 3))
        await home.apply(home.item("thing/1", 4))
        assert await home.live() == [home.item("thing/1", 4)]

    async def test_a_newer_body_leaves_nothing_of_the_older_one(self, home: Home) -> None:
        await home.apply(*(home.item("thing/1", version, body=version) for version in range(1, 8)))
        await home.apply(home.item("thing/1", 9, body=0))
        assert await home.live() == [home.item("thing/1", 9, body=0)]

    async def test_read_returns_tombstones_and_leaves_out_what_never_was(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 1), tombstone("thing/2", 1))
        assert await home.read("thing/1", "thing/2", "thing/3") == {
            "thing/1": home.item("thing/1", 1),
            "thing/2": tombstone("thing/2", 1),
        }
        assert await home.read() == {}

    async def test_items_that_arrived_without_their_position_are_completed_by_repeating_the_batch(self, home: Home) -> None:
        batch = [home.item("thing/1", 1), tombstone("thing/2", 2)]
        await home.case.store.apply(home.target, SLOT, batch, START)  # as a crash between items and position leaves it
        assert await home.position() == START
        await home.apply(*batch, at=7)
        assert await home.live() == batch[:1]
        assert await home.position() == Position(7, 7)

    async def test_an_apply_that_is_cut_anywhere_never_leaves_the_position_ahead_of_its_items(self, home: Home) -> None:
        batch = [home.item(f"thing/{number:03}", 1) for number in range(200)]
        for cut in range(14):
            at = cut + 1
            items = [Item(item.id, at, item.body) for item in batch]
            writing = asyncio.create_task(home.apply(*items, at=at))
            for _ in range(2**cut):  # turns of the event loop, not time: each cut falls later in the conversation
                await asyncio.sleep(0)
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            if await home.position_once_back() == Position(at, at):
                assert await home.live() == items
            await home.apply(*items, at=at)
            assert await home.live() == items
            assert await home.position() == Position(at, at)

    async def test_a_position_belongs_to_its_slot(self, home: Home) -> None:
        slots = [Slot(1), Slot(2), Slot(1, 0, 2), Slot(1, 1, 2)]
        for number, slot in enumerate(slots[:-1], start=1):
            await home.apply(at=number, slot=slot)
        expected = [Position(1, 1), Position(2, 2), Position(3, 3), START]
        assert [await home.position(slot) for slot in slots] == expected

    async def test_a_position_belongs_to_its_generation(self, case: Case, home: Home) -> None:
        async with fresh(case) as other:
            await home.apply(at=5)
            assert await other.position() == START
            await other.apply(at=2)
        assert await home.position() == Position(5, 5)

    async def test_a_position_keeps_the_largest_numbers_of_a_log(self, home: Home) -> None:
        far = Position(2**62, 2**62 + 1)
        await home.case.store.apply(home.target, SLOT, [], far)
        assert await home.position() == far

    async def test_an_older_batch_that_comes_late_does_not_move_the_position_back(self, home: Home) -> None:
        await home.case.store.apply(home.target, SLOT, [], Position(7, 3))
        await home.case.store.apply(home.target, SLOT, [home.item("thing/1", 1)], Position(6, 9))
        await home.case.store.apply(home.target, SLOT, [], Position(7, 2))
        assert await home.position() == Position(7, 3)
        assert await home.live() == [home.item("thing/1", 1)]

    async def test_two_slots_that_write_at_once_lose_nothing(self, home: Home) -> None:
        parts = [[home.item(f"thing/{shard}/{number:03}", 1) for number in range(100)] for shard in range(2)]
        slots = [Slot(1, shard, 2) for shard in range(2)]
        await asyncio.gather(*(home.apply(*part, slot=slot) for part, slot in zip(parts, slots, strict=True)))
        assert await home.live() == [*parts[0], *parts[1]]
        assert [await home.position(slot) for slot in slots] == [Position(1, 1), Position(1, 1)]

    async def test_the_largest_batch_fits(self, home: Home) -> None:
        batch = [home.item(f"thing/{number:06}", 1, body=number % 7) for number in range(BATCH_EVENTS_MAX)]
        assert list(await home.apply(*batch)) == []
        assert await home.live() == batch
        assert await home.read(*(item.id for item in batch)) == {item.id: item for item in batch}

    async def test_create_again_changes_nothing(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 1), at=4)
        await home.case.store.create(home.target)
        assert await home.live() == [home.item("thing/1", 1)]
        assert await home.position() == Position(4, 4)

    async def test_drop_leaves_nothing_and_may_be_repeated(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 1), tombstone("thing/2", 1), at=4)
        await home.case.store.drop(home.target)
        await home.case.store.drop(home.target)
        await home.case.store.create(home.target)
        assert await home.live() == []
        assert await home.read("thing/1", "thing/2") == {}
        assert await home.position() == START

    async def test_another_generation_is_untouched_by_writes_repairs_and_drop(self, case: Case, home: Home) -> None:
        await home.apply(home.item("thing/1", 1), at=4)
        async with fresh(case) as other:
            await other.apply(other.item("thing/1", 2), other.item("thing/2", 2))
            await case.store.put(other.target, [tombstone("thing/1", 0)])
        assert await home.live() == [home.item("thing/1", 1)]
        assert await home.position() == Position(4, 4)

    async def test_scan_lists_by_the_bytes_of_the_id_exactly_what_was_written(self, home: Home) -> None:
        items = [home.item(id_, number + 1, body=number) for number, id_ in enumerate(home.case.ids)]
        await home.apply(*reversed(items))
        assert await home.live() == items

    async def test_ranges_tile_the_ids(self, home: Home) -> None:
        items = [home.item(id_, 1, body=number) for number, id_ in enumerate(home.case.ids)]
        await home.apply(*items, tombstone("thing/gone", 1))
        bounds = ["", *home.case.ids[::3], "thing/m", None]
        bounds = [*sorted(bound for bound in bounds if bound is not None), None]
        tiles = [await home.case.store.scan(home.target, low or "", high) for low, high in itertools.pairwise(bounds)]
        assert [item for tile in tiles for item in tile] == items
        assert list(await home.case.store.scan(home.target, "thing/é", "thing/é")) == []

    async def test_put_makes_an_id_exactly_this_whatever_is_there(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 9), tombstone("thing/2", 9), at=4)
        mended = [home.item("thing/1", 2), home.item("thing/2", 9, body=1), home.item("thing/3", 1)]
        await home.case.store.put(home.target, mended)
        assert await home.live() == mended
        await home.apply(home.item("thing/1", 3), at=4)
        assert await home.read("thing/1") == {"thing/1": home.item("thing/1", 3)}
        assert await home.position() == Position(4, 4)

    async def test_put_replaces_a_body_under_the_same_version(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 4, body=1))
        await home.case.store.put(home.target, [home.item("thing/1", 4, body=2)])
        assert await home.live() == [home.item("thing/1", 4, body=2)]
        assert await home.read("thing/1") == {"thing/1": home.item("thing/1", 4, body=2)}

    async def test_put_without_a_body_removes_the_item_and_its_trace(self, home: Home) -> None:
        await home.apply(home.item("thing/1", 9), home.item("thing/2", 1))
        await home.case.store.put(home.target, [tombstone("thing/1", 9), tombstone("thing/never", 1)])
        assert await home.read("thing/1", "thing/never") == {}
        await home.apply(home.item("thing/1", 1))
        assert await home.live() == [home.item("thing/1", 1), home.item("thing/2", 1)]

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.differing_executors],  # each subclass runs this same test, on purpose
    )
    @given(history=_histories)
    async def test_any_sequence_of_batches_equals_a_dict(
        self, case: Case, history: list[list[tuple[str, int, int | None]]]
    ) -> None:
        model: dict[str, Item] = {}
        async with fresh(case) as home:
            for at, writes in enumerate(history, start=1):
                batch = [Item(id_, version, None if body is None else case.body(body)) for id_, version, body in writes]
                await home.apply(*batch, at=at)
                for item in batch:
                    if item.id not in model or model[item.id].version < item.version:
                        model[item.id] = item
            assert await home.read("thing/1", "thing/2", "thing/é") == model
            assert await home.live() == sorted(
                (item for item in model.values() if item.body is not None), key=lambda item: item.id
            )


class RefusingStoreSuite(StoreSuite):
    """For an engine that can never take some bodies; a second fixture, ``unfit``, gives one."""

    async def test_a_refused_item_does_not_stop_its_neighbours_nor_the_position(self, home: Home, unfit: Body) -> None:
        refusals = await home.apply(home.item("thing/1", 1), Item("thing/2", 1, unfit), home.item("thing/3", 1), at=2)
        assert [refusal.id for refusal in refusals] == ["thing/2"]
        assert refusals[0].reason
        assert await home.live() == [home.item("thing/1", 1), home.item("thing/3", 1)]
        assert await home.position() == Position(2, 2)

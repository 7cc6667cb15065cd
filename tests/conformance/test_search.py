"""The contract of a store and of a search engine, kept by every search product."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.event import Position
from entrepot.base.projection import Body, Slot, Target
from entrepot.engines.search.tantivy import TantivyStore
from tests.conformance.search_suite import ITEMS, SHAPE, Filled, SearchSuite
from tests.conformance.store_suite import Case, RefusingStoreSuite


def _body(number: int) -> Body:
    return {
        "title": {"en": f"thing {number}", "ja": "赤い傘"},
        "tags": ["a", f"b{number}"],
        "rank": number,
        "price": {"GB": number * 100},
        "kept": {"not indexed": [number, None, 1.5, "é"]},
    }


@pytest.fixture(scope="module")
async def case(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    store = TantivyStore(f"tantivy://{tmp_path_factory.mktemp('search')}")
    yield Case(store, _body, SHAPE)
    await store.close()


@pytest.fixture(scope="module")
async def filled(case: Case) -> Filled:
    store = case.store
    assert isinstance(store, TantivyStore)
    target = Target("questions", 1, SHAPE)
    await store.create(target)
    half = len(ITEMS) // 2  # two batches, so that an engine of segments has two
    for number, part in enumerate((ITEMS[:half], ITEMS[half:]), start=1):
        assert not await store.apply(target, Slot(1), part, Position(number, number))
    return Filled(store, target)


@pytest.fixture
def unfit() -> Body:
    return {"rank": "not a number"}


async def test_what_a_crash_left_aside_is_swept_and_what_is_being_made_stays(tmp_path: Path) -> None:
    left, young = tmp_path / ".things_g1.0123", tmp_path / ".things_g2.4567"
    left.mkdir()
    os.utime(left, (0, 0))
    young.mkdir()
    store = TantivyStore(f"tantivy://{tmp_path}")
    await store.create(Target("things", 3, SHAPE))
    assert (left.exists(), young.exists()) == (False, True)
    await store.close()


class TestTantivyStore(RefusingStoreSuite):
    """tantivy, embedded: what every store keeps."""


class TestTantivySearch(SearchSuite):
    """tantivy, embedded: what every search engine answers."""

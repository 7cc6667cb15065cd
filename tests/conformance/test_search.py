"""The contract of a store and of a search engine, kept by every search product."""

from collections.abc import AsyncIterator

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


class TestTantivyStore(RefusingStoreSuite):
    """tantivy, embedded: what every store keeps."""


class TestTantivySearch(SearchSuite):
    """tantivy, embedded: what every search engine answers."""

"""The contract of a store and of a search engine, kept by every search product."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.projection import Body, Target
from entrepot.engines.search.tantivy import TantivyStore
from tests.conformance.search_case import body, fill
from tests.conformance.search_items import SHAPE
from tests.conformance.search_suite import Filled, SearchSuite
from tests.conformance.store_suite import Case, RefusingStoreSuite


@pytest.fixture(scope="module")
async def case(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    store = TantivyStore(f"tantivy://{tmp_path_factory.mktemp('search')}")
    yield Case(store, body, SHAPE)
    await store.close()


@pytest.fixture(scope="module")
async def filled(case: Case) -> Filled:
    store = case.store
    assert isinstance(store, TantivyStore)
    return await fill(store)


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

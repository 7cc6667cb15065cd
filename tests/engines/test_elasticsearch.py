"""Elasticsearch keeps what every store keeps, answers what every search engine answers, and tells what is wrong."""

from collections.abc import AsyncIterator

import pytest

from entrepot.base.projection import Body
from entrepot.engines.search.elasticsearch import ElasticsearchStore
from tests.conformance.search_case import body, fill
from tests.conformance.search_suite import SHAPE, Filled, SearchSuite
from tests.conformance.store_suite import Case, RefusingStoreSuite


@pytest.fixture(scope="module")
async def store(elasticsearch_url: str) -> AsyncIterator[ElasticsearchStore]:
    store = ElasticsearchStore(elasticsearch_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: ElasticsearchStore) -> Case:
    return Case(store, body, SHAPE)


@pytest.fixture(scope="module")
async def filled(store: ElasticsearchStore) -> Filled:
    return await fill(store)


@pytest.fixture
def unfit() -> Body:
    return {"rank": "not a number"}


class TestElasticsearchStore(RefusingStoreSuite):
    """Elasticsearch: what every store keeps."""


class TestElasticsearchSearch(SearchSuite):
    """Elasticsearch: what every search engine answers."""

"""Every product of the documents role keeps the store contract, and gives bodies as JSON text."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Body
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from tests.conformance.documents_suite import DocumentsSuite, body
from tests.conformance.store_suite import Case, fresh


@pytest.fixture(scope="module")
async def store(record_url: str) -> AsyncIterator[PostgresqlDocuments]:
    store = PostgresqlDocuments(record_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: PostgresqlDocuments) -> Case:
    return Case(store, body)


@pytest.fixture(params=["a NUL in a text", "half a surrogate pair", "too large"])
def unfit(request: pytest.FixtureRequest) -> Body:
    texts = {"a NUL in a text": "a\0b", "half a surrogate pair": "\ud83d", "too large": "x" * ITEM_BYTES_MAX}
    return {"text": texts[request.param]}


class TestPostgresql(DocumentsSuite):
    """Documents in PostgreSQL."""


async def test_a_server_that_is_not_there_is_told_as_away() -> None:
    with pytest.raises(EngineAwayError, match="documents engine does not answer"):
        await PostgresqlDocuments("postgresql://nobody@127.0.0.1:1/none").open()


async def test_a_server_that_ends_every_connection_is_told_as_away_at_most_once_each(case: Case, record_url: str) -> None:
    operator = await asyncpg.connect(record_url)
    async with fresh(case) as home:
        ended = await operator.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'entrepot.documents'"
        )
        for _ in range(ended):
            with contextlib.suppress(EngineAwayError):
                await home.apply()
        await home.apply(home.item("thing/1", 1))
        assert await home.live() == [home.item("thing/1", 1)]
    await operator.close()


async def test_a_database_that_is_not_there_is_a_wrong_url_and_no_absence(record_url: str) -> None:
    with pytest.raises(BadInputError, match=r'refuses ENTREPOT_DOCUMENTS_URL \(database "nowhere" does not exist\)'):
        await PostgresqlDocuments(f"{record_url.rpartition('/')[0]}/nowhere").open()

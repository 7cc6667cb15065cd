"""Verify finds and mends what was changed behind its back in any engine, for every projection, on the real ones."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from entrepot.base.projection import Item, Projection, Store, Target
from entrepot.engines.columns.clickhouse import ClickHouseColumns
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.engines.graph.falkordb import FalkorGraph
from entrepot.engines.memory.redis import RedisMemory
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.projections.bought_together.project import BoughtTogether
from entrepot.projections.live_stock.project import LiveStock
from entrepot.projections.product_page.project import ProductPages
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.sales_facts.project import SalesFacts
from entrepot.verify.verify import Verifier
from tests.full_shop import fill, trade
from tests.log_case import House, house

Engine = PostgresqlDocuments | TantivyStore | ClickHouseColumns | FalkorGraph | RedisMemory
ENGINES: dict[str, type[Engine]] = {
    "documents": PostgresqlDocuments,
    "search": TantivyStore,
    "columns": ClickHouseColumns,
    "graph": FalkorGraph,
    "memory": RedisMemory,
}
PROJECTIONS: list[Projection] = [ProductPages(), ProductSearch(), SalesFacts(), BoughtTogether(), LiveStock()]


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url, *PROJECTIONS) as opened:
        yield opened


@pytest.fixture
def urls(record_url: str, search_url: str, columns_url: str, graph_url: str, memory_url: str) -> dict[str, str]:
    return {"documents": record_url, "search": search_url, "columns": columns_url, "graph": graph_url, "memory": memory_url}


@pytest.fixture
async def store(urls: dict[str, str], projection: Projection) -> AsyncIterator[Store]:
    """Return the embedded engine of the projection's role, without what another test may have left of it."""
    async with contextlib.AsyncExitStack() as stack:
        engine = ENGINES[projection.role](urls[projection.role])
        stack.push_async_callback(engine.close)
        if not isinstance(engine, TantivyStore):  # a folder, which needs no connection
            await engine.open()
        await engine.drop(target(projection))
        yield engine


def target(projection: Projection) -> Target:
    return Target(projection.name, 1, projection.shape)


async def spoil(projection: Projection, store: Store) -> dict[str, str]:
    """Delete an item, change two and add one; returns what verify must say of each."""
    deleted, changed, raised, *_ = await store.scan(target(projection), "", None)
    planted = f"{projection.aggregates[0]}/planted"
    await store.put(
        target(projection),
        [
            Item(deleted.id, deleted.version, None),
            Item(changed.id, changed.version, raised.body),
            Item(raised.id, raised.version + 1, raised.body),
            Item(planted, 1, raised.body),
        ],
    )
    return {deleted.id: "missing", changed.id: "content differs", raised.id: "newer version", planted: "extra"}


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
async def test_what_was_changed_behind_its_back_is_named_and_mended(home: House, projection: Projection, store: Store) -> None:
    home.store = store
    verifier = Verifier(home.record, home.live)
    await fill(home.record)
    async with home.projecting(projection):
        await home.until_live(projection)
        first = await verifier.verify(projection, store)
        assert (first.differences, first.checked > 0) == ([], True)
        await trade(home.record)
        assert (await verifier.verify(projection, store)).differences == []
        spoilt = await spoil(projection, store)
        found = await verifier.verify(projection, store)
        assert {difference.id: difference.why for difference in found.differences} == spoilt
        assert (await verifier.verify(projection, store, repair=True)).repaired == len(spoilt)
        assert (await verifier.verify(projection, store)).differences == []

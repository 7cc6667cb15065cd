"""A product withdrawn and offered again, through the log into page and search: no old price comes back, no new one is lost."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from entrepot.base.projection import Projection, Store
from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.checkout.offering import set_prices, withdraw_product
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.projections.product_page.project import ProductPages
from entrepot.projections.product_page.query import page, read_page
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Wanted, search
from entrepot.verify.compare import Difference
from entrepot.verify.verify import Verifier
from tests.log_case import House, house
from tests.trade import CELL, draft, open_shop

PAGES, SEARCH = ProductPages(), ProductSearch()


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url, PAGES, SEARCH) as opened:
        await open_shop(opened.record, {"tea": 1}, price_minor=500)
        yield opened


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[TantivyStore]:
    store = TantivyStore(f"tantivy://{tmp_path}")
    yield store
    await store.close()


async def tea(home: House) -> PriceDraft:
    """Return what the tea shall cost when it is offered again."""
    async with home.record.reading() as connection:
        row = (await skus(connection, ["tea"]))["tea"]
    return PriceDraft(product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=700)


async def offer_again(home: House, product_id: UUID) -> None:
    async with home.record.transaction(CELL) as tx:
        await withdraw_product(tx, product_id)
    async with home.record.transaction(CELL) as tx:
        await save_products(tx, [draft("tea")])


async def differences(home: House, projection: Projection, store: Store) -> list[Difference]:
    return list((await Verifier(home.record, home.live).verify(projection, store)).differences)


async def test_the_page_shows_the_new_price_and_only_that(home: House) -> None:
    price, store = await tea(home), home.store
    assert isinstance(store, PostgresqlDocuments)
    async with home.projecting(PAGES):
        await home.until_live(PAGES)
        assert await differences(home, PAGES, store) == []
        await offer_again(home, price.product_id)
        assert await differences(home, PAGES, store) == []
        assert read_page(await page(store, home.live.target(PAGES.name), price.product_id)).prices == []
        async with home.record.transaction(CELL) as tx:
            await set_prices(tx, [price])
        assert await differences(home, PAGES, store) == []
        shown = read_page(await page(store, home.live.target(PAGES.name), price.product_id))
    assert [one.amount_minor for one in shown.prices] == [700]


async def test_search_shows_the_new_price_and_only_that(home: House, index: TantivyStore) -> None:
    price, home.store = await tea(home), index
    wanted = Wanted(text="thing", market="uk")
    async with home.projecting(SEARCH):
        await home.until_live(SEARCH)
        assert await differences(home, SEARCH, index) == []
        await offer_again(home, price.product_id)
        assert await differences(home, SEARCH, index) == []
        assert (await search(index, home.live.target(SEARCH.name), wanted)).hits == [], "without a price it is not sold there"
        async with home.record.transaction(CELL) as tx:
            await set_prices(tx, [price])
        assert await differences(home, SEARCH, index) == []
        (hit,) = (await search(index, home.live.target(SEARCH.name), wanted)).hits
    assert hit.price is not None
    assert hit.price.amount_minor == 700

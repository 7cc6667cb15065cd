"""Product pages rebuilt from the archive in a real S3 and the table after it are what the truth says; so is what follows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.ids import IdSource
from entrepot.base.projection import Item
from entrepot.base.time import SystemClock
from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.checkout.offering import set_prices, withdraw_product
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.engines.objects.s3 import S3Objects
from entrepot.log.archive import archive_passed
from entrepot.log.archived import ArchivedLog
from entrepot.log.generations import rebuild
from entrepot.projections.product_page.project import ProductPages
from entrepot.verify.verify import Verifier
from tests.log_case import House, IdsOf, days_ago, house, until
from tests.trade import CELL, draft, open_shop

PAGES = ProductPages()
ARTICLES = {f"article-{n}": 1 for n in range(40)}


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url, PAGES) as opened:
        async with opened.record.committing() as connection:
            await connection.execute("SELECT log.ensure_partitions('log.event', 'day', now() - interval '5 days', now())")
        yield opened


@pytest.fixture
async def objects(objects_url: str) -> AsyncIterator[S3Objects]:
    store = S3Objects(objects_url)
    yield store
    await store.close()


async def write_three_days(home: House) -> None:
    """Open a shop, change and withdraw some of it on later days: most products have events in archive and table."""
    home.record.ids = IdsOf(days_ago(3))
    await open_shop(home.record, ARTICLES)
    home.record.ids = IdsOf(days_ago(2))
    async with home.record.transaction(CELL) as tx:
        saved = await save_products(tx, [draft(sku, title="Changed") for sku in list(ARTICLES)[::2]])
        await withdraw_product(tx, saved.ids["article-0"])
        await withdraw_product(tx, saved.ids["article-2"])
    home.record.ids = IdSource()
    await change_today(home, amount_minor=700)


async def change_today(home: House, amount_minor: int) -> None:
    async with home.record.transaction(CELL) as tx:
        await save_products(tx, [draft(sku, title=f"For {amount_minor}") for sku in ("article-2", "article-5")])
        row = (await skus(tx.connection, ["article-2"]))["article-2"]
        price = PriceDraft(
            product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=amount_minor
        )
        await set_prices(tx, [price])


async def pages(home: House) -> list[Item]:
    return list(await home.store.scan(home.live.target(PAGES.name), "", None))


async def differs(home: House) -> int:
    return (await Verifier(home.record, home.live).verify(PAGES, home.store)).differs


async def is_live(home: House, generation: int) -> bool:
    await home.live.refresh()
    return home.live.target(PAGES.name).generation == generation


async def test_pages_rebuilt_across_archive_and_table_are_the_truth(home: House, objects: S3Objects, tmp_path: Path) -> None:
    async with home.projecting(PAGES, archived=ArchivedLog(home.record, objects, tmp_path)):
        await write_three_days(home)
        assert await differs(home) == 0
        before = await pages(home)
        assert len(before) == len(ARTICLES) - 1
        moved = await archive_passed(home.record, objects, SystemClock())
        assert len(moved) == 2
        await rebuild(home.record, PAGES)
        await until(lambda: is_live(home, 2))
        assert await differs(home) == 0
        assert await pages(home) == before
        await change_today(home, amount_minor=900)
        assert await differs(home) == 0

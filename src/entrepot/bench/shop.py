"""A shop to measure in: numbered articles at one price, with more pieces than any run can sell."""

from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.catalog.rules import ProductDraft, VariantDraft
from entrepot.commerce.catalog.store import SkuRow, skus
from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.pricing.commands import save_market, set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.commerce.stock.commands import receive_stock, save_warehouse
from entrepot.commerce.stock.rules import Change
from entrepot.record.transaction import Record

CELL = 1
PIECES = 1_000_000
SCARCE = "scarce"
BATCH = 1_000


async def open_shop(record: Record, articles: int) -> None:
    """Make so many articles with a price in the market ``uk`` and pieces in the warehouse ``main``, and gather statistics."""
    async with record.transaction(CELL) as tx:
        await save_market(tx, "uk", "GBP")
        await save_warehouse(tx, "main", 1)
    for first in range(0, articles, BATCH):
        names = [f"s{n}" for n in range(first, min(first + BATCH, articles))]
        async with record.transaction(CELL) as tx:
            await save_products(tx, [_draft(name) for name in names])
            rows = list((await skus(tx.connection, names)).values())
            await set_prices(tx, [_price(row) for row in rows])
            await receive_stock(tx, [Change(variant_id=row.variant_id, warehouse="main", delta=PIECES) for row in rows])
    async with record.committing() as connection:
        await connection.execute("ANALYZE")


async def add_scarce(record: Record, pieces: int) -> None:
    """Offer one more article, of which there are few."""
    async with record.transaction(CELL) as tx:
        await save_products(tx, [_draft(SCARCE)])
        [row] = (await skus(tx.connection, [SCARCE])).values()
        await set_prices(tx, [_price(row)])
        await receive_stock(tx, [Change(variant_id=row.variant_id, warehouse="main", delta=pieces)])


async def furnish_shop(record: Record) -> None:
    """Give the market ``uk`` its country, and the shop what quotes need: zones, methods, rates, promotions, coupons."""
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")


def article_order(article: int) -> OrderRequest:
    """Return a request for one piece of an article."""
    return OrderRequest(market="uk", country="GB", currency="GBP", lines=[LineRequest(sku=f"s{article}", quantity=1)])


def _draft(name: str) -> ProductDraft:
    return ProductDraft(code=name, texts={"en": ProductText(title=f"Article {name}")}, variants=[VariantDraft(sku=name)])


def _price(row: SkuRow) -> PriceDraft:
    return PriceDraft(product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=500)

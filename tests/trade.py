"""A small shop for tests: one market, two warehouses, articles with prices and stock, orders by short names."""

from collections.abc import Sequence
from uuid import UUID

from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.catalog.rules import ProductDraft, VariantDraft
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.checkout.requests import ChargeRequest, LineRequest, OrderRequest
from entrepot.commerce.pricing.commands import save_market, set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.commerce.stock.commands import receive_stock, save_warehouse
from entrepot.commerce.stock.rules import Change
from entrepot.record.transaction import Record

CELL = 1


def draft(code: str, *, title: str = "A thing", sku_names: Sequence[str] = ()) -> ProductDraft:
    """Return a draft of a product with one English text; its SKU is its code unless others are given."""
    variants = [VariantDraft(sku=sku) for sku in (sku_names or [code])]
    return ProductDraft(code=code, texts={"en": ProductText(title=title)}, variants=variants)


async def open_shop(
    record: Record, stock: dict[str, int], *, price_minor: int = 500, warehouse: str = "main"
) -> dict[str, UUID]:
    """Make articles with a price in the market ``uk`` and pieces in a warehouse; returns the variant of each SKU."""
    async with record.transaction(CELL) as tx:
        await save_market(tx, "uk", "GBP")
        await save_warehouse(tx, "main", 1)
        await save_warehouse(tx, "spare", 2)
        await save_products(tx, [draft(sku) for sku in stock])
        known = await skus(tx.connection, list(stock))
        await set_prices(
            tx,
            [
                PriceDraft(
                    product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=price_minor
                )
                for row in known.values()
            ],
        )
        receipts = [Change(variant_id=known[sku].variant_id, warehouse=warehouse, delta=n) for sku, n in stock.items() if n]
        if receipts:
            await receive_stock(tx, receipts)
    return {sku: row.variant_id for sku, row in known.items()}


def order(wanted: dict[str, int], *, postage_minor: int = 0, country: str = "GB") -> OrderRequest:
    """Return a request for these articles, in pounds, from the market ``uk``."""
    charges = [ChargeRequest(kind="postage", amount_minor=postage_minor)] if postage_minor else []
    lines = [LineRequest(sku=sku, quantity=quantity) for sku, quantity in wanted.items()]
    return OrderRequest(market="uk", country=country, currency="GBP", lines=lines, charges=charges)


async def left(record: Record, sku: str) -> int:
    """Return how many pieces of a SKU are available in all warehouses."""
    async with record.reading() as connection:
        found: int = await connection.fetchval(
            "SELECT coalesce(sum(l.available), 0) FROM stock.level l JOIN catalog.sku s USING (variant_id) WHERE s.sku = $1",
            sku,
        )
        return found


async def ledger(record: Record) -> dict[str, int]:
    """Return the balance of every account of the ledger: debits less credits, in minor units."""
    async with record.reading() as connection:
        rows = await connection.fetch(
            "SELECT account::text, sum(amount)::bigint AS balance FROM ("
            "SELECT debit AS account, amount_minor AS amount FROM ordering.transfer UNION ALL "
            "SELECT credit, -amount_minor FROM ordering.transfer) AS t GROUP BY account"
        )
        return {row["account"]: row["balance"] for row in rows}

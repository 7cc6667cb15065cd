"""The queries of pricing, typed; nothing else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from entrepot.commerce.pricing.events import Price
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def markets(connection: Connection) -> dict[str, str]:
    """Return the currency of each market."""
    return {row["code"]: row["currency"] for row in await connection.fetch(SQL["markets"])}


async def put_market(connection: Connection, code: str, currency: str) -> None:
    """Make a market, or leave the one there is."""
    await connection.execute(SQL["put_market"], code, currency)


async def versions_for_update(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the prices of products and return how often each has changed."""
    await connection.execute(SQL["claim_products"], product_ids)
    rows = await connection.fetch(SQL["products_for_update"], product_ids)
    return {row["product_id"]: row["version"] for row in rows}


async def prices_of_products(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, list[Price]]:
    """Return every price of these products."""
    prices: dict[UUID, list[Price]] = defaultdict(list)
    for row in await connection.fetch(SQL["prices_of_products"], product_ids):
        prices[row["product_id"]].append(
            Price(
                variant_id=row["variant_id"],
                market=row["market"],
                currency=row["currency"],
                amount_minor=row["amount_minor"],
            )
        )
    return prices


async def put_prices(connection: Connection, prices: Mapping[UUID, Sequence[Price]]) -> None:
    """Write prices by product, and count one change of each product."""
    rows = [(product_id, price) for product_id, of_product in prices.items() for price in of_product]
    await connection.execute(
        SQL["put_prices"],
        [product_id for product_id, _ in rows],
        [price.variant_id for _, price in rows],
        [price.market for _, price in rows],
        [price.currency for _, price in rows],
        [price.amount_minor for _, price in rows],
    )
    await connection.execute(SQL["count_change"], list(prices))


async def clear_prices(connection: Connection, product_ids: Sequence[UUID]) -> list[UUID]:
    """Take the prices of products away, count one change of each that had any, and return those."""
    rows = await connection.fetch(SQL["clear_prices"], product_ids)
    cleared = sorted({row["product_id"] for row in rows})
    await connection.execute(SQL["count_change"], cleared)
    return cleared

"""A product and its prices come and go together, in one transaction."""

from uuid import UUID

import pytest

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.checkout.offering import set_prices, withdraw_product
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Record
from tests.trade import CELL, draft, open_shop


async def price_of(record: Record, sku: str, amount_minor: int) -> PriceDraft:
    async with record.reading() as connection:
        row = (await skus(connection, [sku]))[sku]
    return PriceDraft(
        product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=amount_minor
    )


async def told(record: Record, product_id: UUID) -> list[tuple[str, int]]:
    async with record.reading() as connection:
        rows = await connection.fetch(
            "SELECT kind, version FROM log.event WHERE key = $1 ORDER BY seq", f"product/{product_id}"
        )
    return [(row["kind"], row["version"]) for row in rows]


async def test_withdrawing_a_product_takes_its_prices_away_and_tells_both(record: Record) -> None:
    await open_shop(record, {"tea": 1, "cup": 1})
    product_id = (await price_of(record, "tea", 1)).product_id
    async with record.transaction(CELL) as tx:
        token = await withdraw_product(tx, product_id)
        left = await tx.connection.fetch("SELECT product_id FROM pricing.price")
        assert token.position == tx.position
    assert product_id not in {row["product_id"] for row in left}
    assert len(left) == 1
    assert (await told(record, product_id))[-2:] == [("catalog.product_withdrawn.v1", 2), ("pricing.prices_set.v1", 2)]


async def test_withdrawing_a_product_that_has_no_price_tells_of_none(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        product_id = (await save_products(tx, [draft("tea")])).ids["tea"]
        await withdraw_product(tx, product_id)
    assert [kind for kind, _ in await told(record, product_id)] == [
        "catalog.product_changed.v1",
        "catalog.product_withdrawn.v1",
    ]


async def test_a_withdrawn_product_takes_no_price_until_it_is_offered_again(record: Record) -> None:
    await open_shop(record, {"tea": 1})
    price = await price_of(record, "tea", 700)
    async with record.transaction(CELL) as tx:
        await withdraw_product(tx, price.product_id)
        with pytest.raises(ConflictError, match="offer it again first"):
            await set_prices(tx, [price])
        await save_products(tx, [draft("tea")])
        assert await set_prices(tx, [price]) is not None


async def test_a_product_that_is_not_there_takes_no_price(record: Record) -> None:
    await open_shop(record, {"tea": 1})
    unknown = PriceDraft(
        product_id=record.ids.fresh(), variant_id=record.ids.fresh(), market="uk", currency="GBP", amount_minor=1
    )
    async with record.transaction(CELL) as tx:
        with pytest.raises(NotFoundError, match="no product"):
            await set_prices(tx, [unknown])

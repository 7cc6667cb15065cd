"""A shop with one of everything that the truth knows, and trade that goes on: for tests that compare projections with it."""

from datetime import UTC, date, datetime

import msgspec

from entrepot.commerce.catalog.commands import save_categories, save_products, withdraw_product
from entrepot.commerce.catalog.events import Media, ProductText
from entrepot.commerce.catalog.rules import CategoryDraft, ProductDraft, VariantDraft
from entrepot.commerce.checkout.commands import cancel_order, return_goods
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.requests import ChargeRequest, ReturnLineRequest, ReturnRequest
from entrepot.commerce.pricing.commands import save_market, set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Record
from tests.conftest import superuser
from tests.trade import CELL, open_shop, order


def rich_product() -> ProductDraft:
    return ProductDraft(
        code="teapot",
        brand="Ärger & Söhne",
        texts={
            "en": ProductText(title="Teapot", summary="A pot", description="For tea."),
            "de": ProductText(title="Teekanne"),
            "pt-BR": ProductText(title="Bule"),
        },
        variants=[
            VariantDraft(sku="pot-b", options={"size": "L", "a longer name": "1"}, barcodes=["4006381333931"]),
            VariantDraft(sku="pot-a"),
        ],
        category_codes=["pots", "garden"],
        attributes={"weight": 1.50, "big": 1e15, "small": 2e-7, "pieces": 3, "dishwasher safe": True, "x": "1.0"},
        media=[Media(url="https://example.org/b.jpg", role="main"), Media(url="https://example.org/a.jpg", alt="back")],
        released_on=date(2011, 2, 28),
    )


async def fill(record: Record) -> None:
    """Make room, and one of everything that the truth knows."""
    async with superuser(record) as connection:
        await connection.execute("SELECT ordering.ensure_room('2020-05-01', '2020-05-01'), ordering.ensure_room(now(), now())")
    await open_shop(record, {"tea": 10_000, "cup": 10_000, "gone": 1})
    async with record.transaction(CELL) as tx:
        kitchen = [CategoryDraft(code="home", names={"en": "Home"}), CategoryDraft(code="garden", names={"en": "Garden"})]
        await save_categories(
            tx, [*kitchen, CategoryDraft(code="pots", names={"en": "Pots", "de": "Töpfe"}, parent_code="home")]
        )
        saved = await save_products(tx, [rich_product()])
        await save_market(tx, "jp", "JPY")
        variant = await tx.connection.fetchval("SELECT variant_id FROM catalog.sku WHERE sku = 'pot-a'")
        for market, currency in (("uk", "GBP"), ("jp", "JPY")):
            price = PriceDraft(
                product_id=saved.ids["teapot"], variant_id=variant, market=market, currency=currency, amount_minor=999
            )
            await set_prices(tx, [price])
        gone = await tx.connection.fetchval("SELECT id FROM catalog.product WHERE code = 'gone'")
        await withdraw_product(tx, gone)
    await trade(record)


async def trade(record: Record) -> None:
    """Place three orders, cancel one, take goods back with and without an order."""
    gatherer = Gatherer(record, CELL)
    placed = [
        await gatherer.place(f"{record.ids.fresh()}", order({"tea": n, "cup": 1}, postage_minor=199 * (n - 1)))
        for n in (1, 2, 3)
    ]
    async with record.transaction(CELL) as tx:
        await cancel_order(tx, f"{tx.ids.fresh()}", placed[0].order_id, "changed my mind")
        lines = [ReturnLineRequest(sku="tea", quantity=1, amount_minor=400)]
        request = ReturnRequest(market="uk", country="GB", currency="GBP", reason="broken", lines=lines)
        await return_goods(tx, f"{tx.ids.fresh()}", msgspec.structs.replace(request, order_id=placed[1].order_id))
        before = msgspec.structs.replace(
            request,
            at=datetime(2020, 5, 1, 12, 30, 15, 123456, UTC),
            charges=[ChargeRequest(kind="postage", amount_minor=50, note="back")],
        )
        await return_goods(tx, f"{tx.ids.fresh()}", before)

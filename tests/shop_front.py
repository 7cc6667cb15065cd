"""A shop front for tests: products with texts, prices and stock, ways to ship them, and orders that hold them together."""

from entrepot.commerce.catalog.commands import save_categories, save_products
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.catalog.rules import CategoryDraft, ProductDraft, VariantDraft
from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.pricing.commands import save_market, set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.commerce.stock.commands import receive_stock, save_warehouse
from entrepot.commerce.stock.rules import Change
from tests.house import House

BRANDS = ("Alder", "Birch", "Cedar")
COLOURS = ("black", "white", "red")
KINDS = ("Kettle", "Teapot", "Mug", "Tray")
STOCK = 1_000


def products() -> list[ProductDraft]:
    """Return three dozen drafts: every kind in every brand and colour."""
    return [
        ProductDraft(
            code=f"{kind}-{brand}-{colour}".upper(),
            texts={"en": ProductText(title=f"{brand} {kind} {colour}", summary=f"A {colour} {kind.lower()} for every day")},
            variants=[VariantDraft(sku=f"{kind}-{brand}-{colour}".upper())],
            brand=brand,
            category_codes=["kitchen"],
            attributes={"colour": colour, "weight": 100 * (place + 1), "dishwasher_safe": colour != "red"},
        )
        for place, kind in enumerate(KINDS)
        for brand in BRANDS
        for colour in COLOURS
    ]


async def fill_shop_front(house: House) -> None:
    """Offer the products, place some orders, and wait until every projection has seen them."""
    drafts = products()
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        await save_market(tx, "uk", "GBP")
        await save_warehouse(tx, "main", 1)
        await save_categories(tx, [CategoryDraft(code="home", names={"en": "Home"})])
        await save_categories(tx, [CategoryDraft(code="kitchen", names={"en": "Kitchen"}, parent_code="home")])
        await save_products(tx, drafts)
        known = await variants(tx.connection, [draft.code for draft in drafts])
        rows = list(known.values())
        await set_prices(
            tx,
            [
                PriceDraft(
                    product_id=row.product_id,
                    variant_id=row.variant_id,
                    market="uk",
                    currency="GBP",
                    amount_minor=500 + 250 * place,
                )
                for place, row in enumerate(rows)
            ],
        )
        await furnish(tx, "uk", country="GB", currencies=["EUR"])
        await receive_stock(tx, [Change(variant_id=row.variant_id, warehouse="main", delta=STOCK) for row in rows])
    for place in range(10):
        lines = [LineRequest(sku=drafts[0].code, quantity=1), LineRequest(sku=drafts[1 + place % 3].code, quantity=2)]
        await house.app.gatherer.place(f"front-{place}", OrderRequest(market="uk", country="GB", currency="GBP", lines=lines))
    await house.seen_by_all()

"""What the demo sells beside its catalogue, so that each business model has its pages: a company, a plan, a seller, a supplier,
a digital article. Made by commands, once; what people have changed since then is left as it is.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.app import App
from entrepot.commerce.business.commands import save_buyer, save_company
from entrepot.commerce.business.rules import BuyerDraft, CompanyDraft
from entrepot.commerce.catalog.commands import save_products, set_selling_terms
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.catalog.rules import ProductDraft, SellingTerms, VariantDraft
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.digital.commands import add_licences, offer_file
from entrepot.commerce.digital.rules import FileDraft
from entrepot.commerce.marketplace.commands import apply_feed, save_seller, save_warehouse
from entrepot.commerce.marketplace.rules import Feed, FeedLine, SellerDraft
from entrepot.commerce.pricing.commands import set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.commerce.stock.commands import receive_stock
from entrepot.commerce.stock.commands import save_warehouse as save_own_warehouse
from entrepot.commerce.stock.rules import Change
from entrepot.commerce.subscription.commands import save_plan
from entrepot.commerce.subscription.events import PlanPrice
from entrepot.commerce.subscription.plans import PlanDraft
from entrepot.importing.settle import patiently
from entrepot.record.idempotency import fingerprint, once, remember
from entrepot.record.transaction import Transaction
from entrepot.shoppers.regulars import MAKERS
from entrepot.shoppers.storefront import Market

COMPANY: Final = UUID("01a20000-0000-7000-8000-00000000c0de")
BUYER: Final = UUID("01a20000-0000-7000-8000-00000000b0e5")
BUYERS_EMAIL: Final = "customer@demo.example.com"
SELLER: Final = "demo"
WICK: Final = "Wick & Daughters"
HAMPERS: Final = "Hampers by the River"
DONE: Final = "import:demo-trade"  # a key that is never forgotten
PIECES = 500
LICENCES = 400
FILE: Final = b"%PDF-1.4\n% The atlas of the demo: an empty document.\n%%EOF\n"


class Article(Struct, frozen=True):
    """An article of the demo's own: whose it is (empty: ours), its brand, and how it is delivered."""

    sku: str
    title: str
    amount_minor: int
    of: str = ""
    brand: str = ""
    delivery: str = "ship"


ARTICLES: Final[Sequence[Article]] = (
    Article("WICK-BEESWAX", "Beeswax candle by hand", 1450, SELLER, WICK),
    Article("WICK-LANTERN", "Storm lantern, brass", 4900, SELLER, WICK),
    Article("WICK-TAPER", "Taper candles, set of six", 990, SELLER, WICK),
    Article("HAMPER-PICNIC", "Picnic hamper for four", 7900, "hampers", HAMPERS),
    Article("TEA-BOX", "Tea box of the month", 1200),
    Article("STAR-ATLAS", "Star atlas to download", 1900, brand=MAKERS[0], delivery="digital"),
)


async def furnish_trade(app: App, market: Market) -> None:
    """Give the demo's market what the other business models sell, unless it has it already."""
    atlas = f"downloads/demo-{hashlib.sha256(FILE).hexdigest()[:16]}"
    await _put(app, atlas)

    async def make() -> None:
        async with app.record.transaction(app.settings.cell, "import") as tx:
            if await once(tx, DONE, fingerprint(DONE.encode())) is None:
                await _articles(tx, market)
                await _business(tx, market)
                await _digital(tx, atlas)
                await remember(tx, DONE, msgspec.json.encode(True))

    await patiently(make)


async def _articles(tx: Transaction, market: Market) -> None:
    """Make the articles, who sells them, their prices and their stock."""
    await save_products(
        tx,
        [
            ProductDraft(
                code=one.sku.lower(),
                texts={"en": ProductText(title=one.title)},
                variants=[VariantDraft(sku=one.sku)],
                brand=one.brand,
            )
            for one in ARTICLES
        ],
    )
    known = await skus(tx.connection, [one.sku for one in ARTICLES])
    country = market.address["country"]
    drafts = {
        SELLER: SellerDraft(name=WICK, country=country, commission_permille=150),
        "hampers": SellerDraft(name=HAMPERS, country=country, kind="supplier"),
    }
    sellers = {code: (await save_seller(tx, code, draft)).seller.id for code, draft in drafts.items()}
    for code, seller_id in sellers.items():
        await save_warehouse(tx, seller_id, f"{code}-store", country, 50, 350)
        lines = [FeedLine(sku=one.sku, quantity=PIECES, cost_minor=_cost(code, one)) for one in ARTICLES if one.of == code]
        await apply_feed(tx, seller_id, f"{code}-store", Feed(sequence=1, lines=lines, currency=market.currency))
    terms = [
        SellingTerms(sku=one.sku, seller_id=sellers.get(one.of), weight_grams=400, delivery=one.delivery)  # type: ignore[arg-type]  # of the table above
        for one in ARTICLES
    ]
    await set_selling_terms(tx, terms)
    prices = [
        PriceDraft(
            product_id=known[one.sku].product_id,
            variant_id=known[one.sku].variant_id,
            market=market.code,
            currency=market.currency,
            amount_minor=one.amount_minor,
        )
        for one in ARTICLES
    ]
    await set_prices(tx, prices)
    await save_own_warehouse(tx, "demo")
    await receive_stock(tx, [Change(variant_id=known["TEA-BOX"].variant_id, warehouse="demo", delta=PIECES)])


def _cost(code: str, article: Article) -> int | None:
    """Return what the supplier asks for a piece; a seller asks for nothing, it is paid out."""
    return None if code == SELLER else article.amount_minor * 6 // 10


async def _business(tx: Transaction, market: Market) -> None:
    """Make the company with credit, its buyer with a limit, and the plan."""
    company = CompanyDraft(
        name="Lovelace Hotels", country=market.address["country"], currency=market.currency, address="1 Inn Yard",
        credit_limit_minor=50_000_000, terms_days=30,
    )  # fmt: skip
    await save_company(tx, COMPANY, company)
    buyer = BuyerDraft(name="Ada Byron", email=BUYERS_EMAIL, order_limit_minor=100_000, month_limit_minor=10_000_000)
    await save_buyer(tx, COMPANY, BUYER, buyer)
    price = PlanPrice(market=market.code, currency=market.currency, amount_minor=1_000)
    await save_plan(tx, "tea-club", PlanDraft(title="Tea club", sku="TEA-BOX", unit="month", prices=[price]))


async def _digital(tx: Transaction, atlas: str) -> None:
    codes = [f"ATLAS-{hashlib.sha256(f'demo {number}'.encode()).hexdigest()[:12].upper()}" for number in range(LICENCES)]
    await add_licences(tx, "STAR-ATLAS", codes)
    file = FileDraft(object=atlas, file_name="star-atlas.pdf", media_type="application/pdf")
    await offer_file(tx, "STAR-ATLAS", file)


async def _put(app: App, atlas: str) -> None:
    with tempfile.NamedTemporaryFile(prefix="entrepot-demo-") as file:
        await asyncio.to_thread(Path(file.name).write_bytes, FILE)
        await patiently(lambda: app.stores.objects.put(atlas, Path(file.name)))

"""Products, categories and prices against a real PostgreSQL: what is so already is left alone, what cannot be is said."""

import pytest
from msgspec.structs import replace

from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.commerce.catalog.commands import save_categories, save_products, withdraw_product
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.catalog.rules import CategoryDraft
from entrepot.commerce.catalog.store import skus
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.pricing.commands import save_market, set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Record
from tests.trade import CELL, draft, open_shop, order


async def test_a_product_saved_again_unchanged_makes_no_event(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        first = await save_products(tx, [draft("tea")])
    async with record.transaction(CELL) as tx:
        second = await save_products(tx, [draft("tea")])
    assert (first.created, first.unchanged) == (1, 0)
    assert (second.created, second.changed, second.unchanged, second.token) == (0, 0, 1, None)
    assert first.ids == second.ids


async def test_a_changed_product_keeps_its_id_and_counts_its_version(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        first = await save_products(tx, [draft("tea")])
        second = await save_products(tx, [draft("tea", title="Green tea")])
    async with record.reading() as connection:
        versions = await connection.fetch(
            "SELECT version FROM log.event WHERE key = $1 ORDER BY seq", f"product/{first.ids['tea']}"
        )
    assert second.changed == 1
    assert [row["version"] for row in versions] == [1, 2]


async def test_a_sku_of_another_product_is_refused_by_name(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        await save_products(tx, [draft("tea", sku_names=["shared"])])
    with pytest.raises(ConflictError, match="'shared'"):
        async with record.transaction(CELL) as tx:
            await save_products(tx, [draft("cup", sku_names=["shared"])])


async def test_a_code_that_is_taken_is_refused_when_only_new_ones_are_meant(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        await save_products(tx, [draft("tea")])
        with pytest.raises(ConflictError, match="'tea' is taken"):
            await save_products(tx, [draft("tea")], only_new=True)


@pytest.mark.parametrize(
    ("locales", "says"),
    [(["en", "EN"], "two texts in one language"), (["klingon"], "'klingon', which is no locale"), ([], "in 0 languages")],
)
async def test_texts_in_languages_that_cannot_be_are_refused(record: Record, locales: list[str], says: str) -> None:
    bad = replace(draft("tea"), texts={locale: ProductText(title="Tea") for locale in locales})
    async with record.transaction(CELL) as tx:
        with pytest.raises(BadInputError, match=says):
            await save_products(tx, [bad])


async def test_a_withdrawn_product_can_no_longer_be_ordered(record: Record) -> None:
    await open_shop(record, {"tea": 5})
    async with record.transaction(CELL) as tx:
        product_id = (await skus(tx.connection, ["tea"]))["tea"].product_id
        await withdraw_product(tx, product_id)
    with pytest.raises(NotFoundError, match="on offer"):
        await Gatherer(record, CELL).place("k1", order({"tea": 1}))


async def test_a_variant_that_a_product_no_longer_has_cannot_be_ordered(record: Record) -> None:
    await open_shop(record, {"tea": 5})
    async with record.transaction(CELL) as tx:
        await save_products(tx, [draft("tea", sku_names=["tea-bag"])])
    with pytest.raises(NotFoundError, match="on offer"):
        await Gatherer(record, CELL).place("k1", order({"tea": 1}))


async def test_a_category_knows_the_way_to_its_root(record: Record) -> None:
    drafts = [
        CategoryDraft(code="food", names={"en": "Food", "de": "Essen"}),
        CategoryDraft(code="tea", names={"en": "Tea"}, parent_code="food"),
    ]
    async with record.transaction(CELL) as tx:
        saved = await save_categories(tx, drafts)
        again = await save_categories(tx, [*drafts[:1], replace(drafts[1], names={"de": "Tee"})])
        path = await tx.connection.fetchval("SELECT path FROM catalog.category WHERE code = 'tea'")
    assert path == [saved.ids["food"], saved.ids["tea"]]
    assert (again.changed, again.unchanged) == (1, 1)


async def test_a_category_under_an_unknown_parent_is_refused(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        with pytest.raises(BadInputError, match="unknown parent 'food'"):
            await save_categories(tx, [CategoryDraft(code="tea", names={"en": "Tea"}, parent_code="food")])


@pytest.mark.parametrize(
    ("market", "currency", "amount", "says"),
    [("mars", "GBP", 1, "no market 'mars'"), ("uk", "EUR", 1, "sells in GBP"), ("uk", "GBP", -1, "out of range"),
     ("uk", "XYZ", 1, "no ISO 4217")],
)  # fmt: skip
async def test_a_price_that_cannot_be_is_refused(record: Record, market: str, currency: str, amount: int, says: str) -> None:
    ids = IdSource()
    price = PriceDraft(product_id=ids.fresh(), variant_id=ids.fresh(), market=market, currency=currency, amount_minor=amount)
    async with record.transaction(CELL) as tx:
        await save_market(tx, "uk", "GBP")
        with pytest.raises(BadInputError, match=says):
            await set_prices(tx, [price])


async def test_a_price_set_again_to_the_same_makes_no_event(record: Record) -> None:
    await open_shop(record, {"tea": 1}, price_minor=500)
    async with record.transaction(CELL) as tx:
        row = (await skus(tx.connection, ["tea"]))["tea"]
        price = PriceDraft(product_id=row.product_id, variant_id=row.variant_id, market="uk", currency="GBP", amount_minor=500)
        assert await set_prices(tx, [price]) is None
        assert await set_prices(tx, [replace(price, amount_minor=501)]) is not None


async def test_a_text_that_postgresql_cannot_hold_gets_a_sentence(record: Record) -> None:
    with pytest.raises(BadInputError, match="cannot be stored"):
        async with record.transaction(CELL) as tx:
            await save_products(tx, [draft("tea", title="Green\x00tea")])

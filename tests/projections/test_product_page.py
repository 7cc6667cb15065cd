"""Product pages: what is told of a product and what it costs meet in one document, whatever comes first."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import NotFoundError
from entrepot.base.event import Event
from entrepot.base.joined import versions
from entrepot.base.projection import Target
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    PRODUCT_WITHDRAWN,
    CategoryChanged,
    ProductChanged,
    ProductText,
    ProductWithdrawn,
    Variant,
)
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.projections.product_page.project import ProductPages
from entrepot.projections.product_page.query import categories, page, pages, read_category, read_page
from tests.projections.telling import event, tell, told

PRODUCT, OTHER, VARIANT, CATEGORY = (UUID(int=number) for number in range(1, 5))
KEY = f"product/{PRODUCT}"
PAGES = ProductPages()


def changed(version: int, id_: UUID = PRODUCT) -> Event:
    product = ProductChanged(
        id=id_,
        code="HDMI 2m",
        texts={"de": ProductText(title=f"Kabel {version}")},
        variants=[Variant(id=VARIANT, sku="HDMI-2", barcodes=["4006381333931"])],
        attributes={"length": 2.5, "shielded": True},
        released_on=date(2020, 2, 29),
    )
    return event(PRODUCT_CHANGED, f"product/{id_}", version, product)


def priced(version: int) -> Event:
    price = Price(variant_id=VARIANT, market="DE", currency="EUR", amount_minor=1000 + version)
    return event(PRICES_SET, KEY, version, PricesSet(product_id=PRODUCT, prices=[price]))


def cleared(version: int) -> Event:
    return event(PRICES_SET, KEY, version, PricesSet(product_id=PRODUCT, prices=[]))


def withdrawn(version: int) -> Event:
    return event(PRODUCT_WITHDRAWN, KEY, version, ProductWithdrawn(id=PRODUCT, code="HDMI 2m"))


def category(version: int, name: str) -> Event:
    body = CategoryChanged(id=CATEGORY, code="cables", names={"en": name}, path=[CATEGORY])
    return event(CATEGORY_CHANGED, f"category/{CATEGORY}", version, body)


@pytest.fixture
async def store(database: str) -> AsyncIterator[PostgresqlDocuments]:
    store = PostgresqlDocuments(database)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def target(store: PostgresqlDocuments) -> Target:
    target = Target(PAGES.name, 1, PAGES.shape)
    await store.create(target)
    return target


async def test_a_page_says_what_the_product_is_and_what_it_costs(store: PostgresqlDocuments, target: Target) -> None:
    await tell(store, target, PAGES, changed(1), priced(1), priced(2), changed(2))
    found = read_page(await page(store, target, PRODUCT))
    assert found.texts["de"].title == "Kabel 2"
    assert [price.amount_minor for price in found.prices] == [1002]
    assert (found.released_on, found.attributes) == (date(2020, 2, 29), {"length": 2.5, "shielded": True})


async def test_prices_that_come_first_wait_for_their_product(store: PostgresqlDocuments, target: Target) -> None:
    await tell(store, target, PAGES, priced(1))
    with pytest.raises(NotFoundError):
        await page(store, target, PRODUCT)
    await tell(store, target, PAGES, changed(1))
    assert read_page(await page(store, target, PRODUCT)).prices[0].amount_minor == 1001


async def test_a_withdrawn_product_has_no_page_whatever_comes_late(store: PostgresqlDocuments, target: Target) -> None:
    await tell(store, target, PAGES, changed(1), priced(1), withdrawn(2), priced(2), changed(1))
    with pytest.raises(NotFoundError, match="no longer offered"):
        await page(store, target, PRODUCT)


async def test_a_product_offered_again_has_no_prices_until_new_ones_are_told(
    store: PostgresqlDocuments, target: Target
) -> None:
    await tell(store, target, PAGES, changed(1), priced(7), withdrawn(2), cleared(8), changed(3), priced(7))
    assert read_page(await page(store, target, PRODUCT)).prices == []
    await tell(store, target, PAGES, priced(9))
    assert read_page(await page(store, target, PRODUCT)).prices[0].amount_minor == 1009


async def test_many_pages_come_in_the_order_asked(store: PostgresqlDocuments, target: Target) -> None:
    await tell(store, target, PAGES, changed(1), changed(1, OTHER))
    assert list(await pages(store, target, [OTHER, UUID(int=99), PRODUCT])) == [OTHER, PRODUCT]
    assert list(await pages(store, target, [PRODUCT, OTHER])) == [PRODUCT, OTHER]
    assert await pages(store, target, []) == {}


async def test_a_category_has_a_document_of_its_own(store: PostgresqlDocuments, target: Target) -> None:
    await tell(store, target, PAGES, category(1, "Cable"), category(2, "Cables"), category(1, "Cable"))
    found = await categories(store, target, [CATEGORY, UUID(int=99)])
    assert {id_: read_category(json).names for id_, json in found.items()} == {CATEGORY: {"en": "Cables"}}


@given(st.permutations([changed(1), changed(2), withdrawn(3), priced(1), priced(2)]), st.booleans())
def test_every_order_of_arrival_ends_on_the_same_document(events: Sequence[Event], again: bool) -> None:
    arriving = [*events, *(events if again else ())]
    item = told(PAGES, *arriving)[KEY]
    assert (versions(item), item.body) == ((3, 2), None)


@given(st.permutations([changed(1), changed(2), priced(1), priced(2), priced(3)]))
def test_every_order_of_changes_ends_on_the_newest_of_each_side(events: Sequence[Event]) -> None:
    item = told(PAGES, *events)[KEY]
    assert item == told(PAGES, changed(2), priced(3))[KEY]
    assert versions(item) == (2, 3)


def test_a_body_that_is_no_product_is_poison() -> None:
    with pytest.raises(msgspec.ValidationError):
        PAGES.project(
            event(PRODUCT_CHANGED, KEY, 1, Price(variant_id=VARIANT, market="DE", currency="EUR", amount_minor=1)), {}
        )

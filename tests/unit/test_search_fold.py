"""Events to search items: the same whatever the order of arrival, and nothing old ever wins."""

from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from entrepot.base.event import Event, Position
from entrepot.base.projection import Item
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    PRODUCT_WITHDRAWN,
    CategoryChanged,
    ProductChanged,
    ProductText,
    ProductWithdrawn,
)
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.projections.product_search.project import ProductSearch

ID = UUID(int=7)
KEY = f"product/{ID}"


def event(kind: str, version: int, body: Struct, key: str = KEY) -> Event:
    return Event(1, UUID(int=version), Position(1, 1), 0, kind, key, version, msgspec.Raw(msgspec.json.encode(body)))


def changed(version: int) -> Event:
    return event(PRODUCT_CHANGED, version, ProductChanged(id=ID, code="P", texts={"en": ProductText(title=f"Cup {version}")}))


def priced(version: int) -> Event:
    price = Price(variant_id=ID, market="GB", currency="GBP", amount_minor=version * 100)
    return event(PRICES_SET, version, PricesSet(product_id=ID, prices=[price]))


def withdrawn(version: int) -> Event:
    return event(PRODUCT_WITHDRAWN, version, ProductWithdrawn(id=ID, code="P"))


def folded(events: Sequence[Event]) -> Item | None:
    projection = ProductSearch()
    state: dict[str, Item] = {}
    for each in events:
        for item in projection.project(each, state):
            assert item.id not in state or state[item.id].version < item.version
            state[item.id] = item
    return state.get(KEY)


def test_a_product_and_its_prices_make_the_same_item_in_whatever_order_they_come() -> None:
    events = [changed(1), changed(2), priced(1), priced(2)]
    items = [folded(order) for order in permutations(events)]
    assert all(item == items[0] for item in items)
    assert items[0] is not None
    assert items[0].body is not None
    assert (items[0].body["title"], items[0].body["price"]) == ({"en": "Cup 2"}, {"GB": 200})


def test_an_event_told_twice_changes_nothing() -> None:
    assert folded([changed(1), priced(1), changed(1), priced(1)]) == folded([changed(1), priced(1)])


def test_prices_without_a_product_are_kept_but_not_searchable() -> None:
    item = folded([priced(1)])
    assert item is not None
    assert item.body is not None
    assert "type" not in item.body


def test_a_withdrawn_product_is_a_tombstone_in_whatever_order_its_past_comes() -> None:
    items = [folded(order) for order in permutations([changed(1), priced(1), withdrawn(2)])]
    assert items[0] is not None
    assert items[0].body is None
    assert all(item == items[0] for item in items)


def test_a_product_offered_again_is_found_again() -> None:
    item = folded([changed(1), priced(1), withdrawn(2), changed(3), priced(2)])
    assert item is not None
    assert item.body is not None
    assert (item.body["title"], item.body["price"]) == ({"en": "Cup 3"}, {"GB": 200})


@pytest.mark.parametrize("late", [changed(1), priced(1)])
def test_what_comes_late_does_not_raise_a_withdrawn_product(late: Event) -> None:
    item = folded([changed(1), priced(1), withdrawn(2), late])
    assert item is not None
    assert item.body is None


def test_the_lowest_price_of_each_market_is_what_is_sorted_by() -> None:
    prices = [
        Price(variant_id=UUID(int=n), market=m, currency="EUR", amount_minor=a) for n, m, a in ((1, "DE", 5), (2, "DE", 3))
    ]
    item = folded([event(PRICES_SET, 1, PricesSet(product_id=ID, prices=prices))])
    assert item is not None
    assert item.body is not None
    assert item.body["price"] == {"DE": 3}


def test_a_category_keeps_its_names_in_all_languages() -> None:
    category = CategoryChanged(id=ID, code="1", names={"en": "Cups", "ja": "カップ"}, path=[ID])
    (item,) = ProductSearch().project(event(CATEGORY_CHANGED, 3, category, f"category/{ID}"), {})
    assert (item.id, item.version) == (f"category/{ID}", 3)
    assert item.body is not None
    assert item.body["title"] == {"en": "Cups", "ja": "カップ"}

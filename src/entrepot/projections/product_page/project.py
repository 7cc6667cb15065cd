"""Events to page documents: one for each product, joined with its prices, and one for each category.

Pure. Product and prices each count their own versions and may come in any order; the document's version holds both.
"""

from collections.abc import Mapping, Sequence

import msgspec

from entrepot.base.event import Event
from entrepot.base.joined import joined, versions
from entrepot.base.projection import Body, Item, Shape
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    PRODUCT_WITHDRAWN,
    CategoryChanged,
    ProductChanged,
)
from entrepot.commerce.pricing.events import PRICES_SET, PricesSet


class ProductPages:
    """The projection; answers ``entrepot.base.projection.Projection``."""

    name = "product_page"
    version = 1
    role = "documents"
    kinds = frozenset({CATEGORY_CHANGED, PRODUCT_CHANGED, PRODUCT_WITHDRAWN, PRICES_SET})
    aggregates: tuple[str, ...] = ("product", "category")
    shape = Shape()

    def reads(self, event: Event) -> Sequence[str]:
        """Return the product's id: what it is and what it costs meet in one document."""
        return () if event.kind == CATEGORY_CHANGED else (event.key,)

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        """Return the document as it is after this event; none when it has seen the event."""
        if event.kind == CATEGORY_CHANGED:
            return [Item(event.key, event.version, msgspec.to_builtins(event.decode(CategoryChanged)))]
        before = state.get(event.key)
        product, prices = versions(before)
        if event.version <= (prices if event.kind == PRICES_SET else product):
            return []
        withdrawn = before is not None and before.body is None
        body: Body = (before.body if before else None) or {}
        if event.kind == PRICES_SET:
            told = msgspec.to_builtins(event.decode(PricesSet).prices)
            return [joined(event.key, product, event.version, None if withdrawn else {**body, "prices": told})]
        if event.kind == PRODUCT_WITHDRAWN:
            return [joined(event.key, event.version, prices, None)]
        told = msgspec.to_builtins(event.decode(ProductChanged))
        # Offered again it has no prices: those it had were taken away when it was withdrawn.
        return [joined(event.key, event.version, prices, {**told, "prices": body.get("prices", [])})]

"""Reads of product pages: as JSON text fit to be sent, which costs nothing to make, or as values for who composes a page."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct, field

from entrepot.base.errors import NotFoundError
from entrepot.base.projection import Target
from entrepot.commerce.catalog.events import CategoryChanged, ProductChanged
from entrepot.commerce.pricing.events import Price
from entrepot.engines.documents.port import DocumentStore


class ProductPage(ProductChanged, frozen=True, kw_only=True):
    """A product as its page shows it: what the catalogue says of it, and what it costs in each market."""

    prices: list[Price] = field(default_factory=list)


class _Told(Struct, frozen=True):
    """What tells a document that has its product from one that knows only prices so far."""

    id: str = ""


async def page(store: DocumentStore, target: Target, product_id: UUID) -> bytes:
    """Return the JSON text of a product's page (``ProductPage``)."""
    found = await pages(store, target, [product_id])
    if product_id not in found:
        raise NotFoundError(f"There is no product {product_id}, or it is no longer offered.", product_id=str(product_id))
    return found[product_id]


async def pages(store: DocumentStore, target: Target, product_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the JSON text of each of these products' pages, in the order asked; what is not offered is left out."""
    found = await store.get(target, [f"product/{product_id}" for product_id in product_ids])
    by_id = {product_id: found.get(f"product/{product_id}") for product_id in product_ids}
    return {product_id: json for product_id, json in by_id.items() if json and msgspec.json.decode(json, type=_Told).id}


async def categories(store: DocumentStore, target: Target, category_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the JSON text of each of these categories, in the order asked; unknown ones are left out."""
    found = await store.get(target, [f"category/{category_id}" for category_id in category_ids])
    return {id_: found[f"category/{id_}"] for id_ in category_ids if f"category/{id_}" in found}


def read_page(json: bytes) -> ProductPage:
    """Return a page's JSON text as a value."""
    return msgspec.json.decode(json, type=ProductPage)


def read_category(json: bytes) -> CategoryChanged:
    """Return a category's JSON text as a value."""
    return msgspec.json.decode(json, type=CategoryChanged)

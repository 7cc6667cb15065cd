"""Events to search items: one for each product, joined with its prices, and one for each category.

Pure. A product's item remembers which version of the product and of the prices it holds. Its own version is made of the
two, so that it is the same in whatever order they came, and can be taken apart again from a tombstone, which has no body.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files

from entrepot.base.event import Event
from entrepot.base.joined import joined, versions
from entrepot.base.projection import Item, Shape
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    PRODUCT_WITHDRAWN,
    AttributeValue,
    CategoryChanged,
    ProductChanged,
)
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.projections.product_search.text import code_forms, head_of, language, specs_of

_EPOCH = date(1970, 1, 1)
_MODEL = "model"
_CHOICE_CHARS_MAX = 60


class ProductSearch:
    """The projection; answers ``entrepot.base.projection.Projection``."""

    name = "product_search"
    version = 2
    role = "search"
    kinds = frozenset({CATEGORY_CHANGED, PRODUCT_CHANGED, PRODUCT_WITHDRAWN, PRICES_SET})
    aggregates = ("product", "category")

    def __init__(self) -> None:
        self.shape = Shape(files(__package__).joinpath("shape.json").read_text(encoding="utf-8"))

    def reads(self, event: Event) -> Sequence[str]:
        """Return the product's id: product and prices meet in one item."""
        return () if event.kind == CATEGORY_CHANGED else (event.key,)

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        """Return the item that the event makes of the present one; none when the present one has seen it."""
        if event.kind == CATEGORY_CHANGED:
            return [Item(event.key, event.version, _category(event.decode(CategoryChanged)))]
        present = state.get(event.key)
        product, prices = versions(present)
        body = dict(present.body) if present is not None and present.body is not None else {}
        gone = present is not None and present.body is None
        if event.kind == PRICES_SET:
            if event.version <= prices:
                return []
            told = {"prices": [_price(price) for price in event.decode(PricesSet).prices]}
            body.update(told)
            body["price"] = _lowest(event.decode(PricesSet).prices)
            return [joined(event.key, product, event.version, None if gone else body)]
        if event.version <= product:
            return []
        if event.kind == PRODUCT_WITHDRAWN:
            return [joined(event.key, event.version, prices, None)]
        # Offered again it has no prices: those it had were taken away when it was withdrawn.
        known = {"prices": [], "price": {}} if gone and prices else body
        kept = {key: known[key] for key in ("prices", "price") if key in known}
        return [joined(event.key, event.version, prices, _product(event.decode(ProductChanged)) | kept)]


def _category(category: CategoryChanged) -> dict[str, object]:
    return {
        "type": "category",
        "title": dict(category.names),
        "words": list(dict.fromkeys(category.names.values())),
        "code": category.code,
        "category_ids": [str(category.id)],
        "path": [str(step) for step in category.path],
    }


def _product(product: ProductChanged) -> dict[str, object]:
    model = str(product.attributes.get(_MODEL, ""))
    titles = {locale: text.title for locale, text in product.texts.items()}
    others = [value for key, value in product.attributes.items() if key != _MODEL]
    skus = [variant.sku for variant in product.variants]
    barcodes = [barcode for variant in product.variants for barcode in variant.barcodes]
    # Attributes are said in one language: the first that the product was described in.
    first = next(iter(product.texts), "")
    return {
        "type": "product",
        "code": product.code,
        "brand": product.brand,
        "maker": product.brand,
        "title": titles,
        "head": {locale: head_of(title, product.brand, model, others, locale) for locale, title in titles.items()},
        "model": {first: model} if model else {},
        "summary": {locale: text.summary for locale, text in product.texts.items() if text.summary},
        "description": {locale: text.description for locale, text in product.texts.items() if text.description},
        "specs": {first: specs_of(product.attributes)},
        "words": list(dict.fromkeys([*titles.values(), product.brand])),
        "codes": code_forms([product.code, *skus, *barcodes, model, *titles.values()]),
        "category_ids": [str(id_) for id_ in product.category_ids],
        "category_path_ids": [str(id_) for id_ in product.category_path_ids],
        **_attributes(product.attributes),
        "released": None if product.released_on is None else (product.released_on - _EPOCH).days,
        "name": {language(locale): title.casefold() for locale, title in titles.items()},
        "image": next((media.url for media in product.media if media.role == "main"), ""),
    }


def _attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, object]:
    exact = {key: _exact(value) for key, value in attributes.items() if isinstance(value, str | bool)}
    numbers = {
        key: value for key, value in attributes.items() if isinstance(value, int | float) and not isinstance(value, bool)
    }
    # A model names one product, and a long value is a sentence or a list: neither is a choice among many.
    choices = [f"attributes.{key}" for key, value in exact.items() if key != _MODEL and len(value) <= _CHOICE_CHARS_MAX]
    choices += [f"numbers.{key}" for key in numbers]
    return {"attributes": exact, "numbers": numbers, "choices": choices}


def _exact(value: AttributeValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _price(price: Price) -> dict[str, object]:
    return {
        "variant_id": str(price.variant_id),
        "market": price.market,
        "currency": price.currency,
        "amount_minor": price.amount_minor,
    }


def _lowest(prices: Sequence[Price]) -> dict[str, int]:
    lowest: dict[str, int] = {}
    for price in prices:
        lowest[price.market] = min(price.amount_minor, lowest.get(price.market, price.amount_minor))
    return lowest

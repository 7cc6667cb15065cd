"""The questions of the store front: a text and what narrows it become a page of products with facets.

Reads only the search engine, through its port; never writes, and knows no engine.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from entrepot.base.errors import BadInputError
from entrepot.base.projection import Target
from entrepot.engines.search.port import AllOf, Between, Clause, Hit, OneOf, Query, SearchStore, Sort
from entrepot.projections.product_search import ranking
from entrepot.projections.product_search.facets import Facet, count_facets, first_facets
from entrepot.projections.product_search.text import language, spoken_in
from entrepot.projections.product_search.understanding import Understood, understand

Understand = Callable[[SearchStore, Target, str, str, Clause], Awaitable[Understood]]
SortBy = Literal["relevance", "price-up", "price-down", "newest", "name"]


class Wanted(Struct, frozen=True, kw_only=True):
    """What a buyer looks for. Filters of one field are alternatives, of different fields conditions.

    ``numbers`` are from the first to below the second; so are prices, in minor units of the market's currency.
    In a market is found what is sold there; without one, everything.
    """

    text: str = ""
    locale: str = "en"
    market: str = ""
    brands: tuple[str, ...] = ()
    categories: tuple[UUID, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = {}
    numbers: Mapping[str, tuple[float | None, float | None]] = {}
    price_low: int | None = None
    price_below: int | None = None
    sort: SortBy = "relevance"
    limit: int = 24
    cursor: str = ""
    facets: bool = True


class Price(Struct, frozen=True, kw_only=True):
    """The lowest price of a product's variants in the asked market; ``several`` when they differ."""

    amount_minor: int
    currency: str
    several: bool


class _StoredPrice(Struct, frozen=True):
    market: str
    currency: str
    amount_minor: int


class _Body(Struct, frozen=True):
    code: str
    title: dict[str, str]
    summary: dict[str, str] = {}
    brand: str = ""
    image: str = ""
    prices: list[_StoredPrice] = []


class ProductHit(Struct, frozen=True, kw_only=True):
    """A product as a result list shows it."""

    product_id: UUID
    code: str
    title: str
    summary: str
    brand: str
    image: str
    score: float
    price: Price | None


class Results(Struct, frozen=True, kw_only=True):
    """A page of products. ``did_you_mean`` is another text that finds more; ``searched`` is the text that was looked for.

    ``elsewhere`` says, where nothing was found in the market, how many products other markets would have had.
    """

    hits: Sequence[ProductHit]
    total: int
    facets: Sequence[Facet]
    cursor: str
    searched: str
    did_you_mean: str = ""
    elsewhere: int = 0


async def search(store: SearchStore, target: Target, wanted: Wanted, understand: Understand = understand) -> Results:
    """Return the page of products that answers what is wanted, and the facets that narrow it best.

    ``understand`` reads the text; who is asked often gives one that remembers (``remembered``).
    """
    offered = ranking.offered(wanted.market)
    understood = await understand(store, target, wanted.text, wanted.locale, offered)
    selected, ranked = _clauses(understood, offered)
    filters, first = _filters(wanted), first_facets(wanted.market) if wanted.facets else {}
    asked = Query(where=ranked, filters=filters, facets=first, sort=_sort(wanted), limit=wanted.limit, cursor=wanted.cursor)
    found = await store.search(target, asked)
    narrowing = Query(where=selected, filters=filters, limit=0)
    facets = await count_facets(store, target, narrowing, wanted.market, found) if wanted.facets else []
    reading = understood.reading
    return Results(
        hits=[_product_hit(hit, wanted) for hit in found.hits],
        total=found.total,
        facets=facets,
        cursor=found.cursor,
        searched=reading.text,
        did_you_mean=reading.did_you_mean,
        elsewhere=0 if found.total or not wanted.market else await _elsewhere(store, target, understood, wanted),
    )


async def _elsewhere(store: SearchStore, target: Target, understood: Understood, wanted: Wanted) -> int:
    """Return how many products would be found, were they sold here; a price is one of this market, and is left out."""
    selected, _ = _clauses(structs.replace(understood, at_least=1), ranking.offered())
    filters = _filters(structs.replace(wanted, price_low=None, price_below=None))
    (count,) = await store.count(target, [AllOf((selected, *filters))])
    return count


def _clauses(understood: Understood, offered: Clause) -> tuple[Clause, Clause]:
    reading, at_least, categories = understood.reading, understood.at_least, understood.categories
    if not reading.words:
        return offered, offered
    selected = ranking.selected(reading.words, at_least, categories, offered)
    return selected, ranking.ranked(reading.text, reading.words, at_least, categories, offered)


def _filters(wanted: Wanted) -> tuple[OneOf | Between, ...]:
    filters: list[OneOf | Between] = []
    if wanted.brands:
        filters.append(OneOf("brand", wanted.brands))
    if wanted.categories:
        filters.append(OneOf("category_path_ids", tuple(str(id_) for id_ in wanted.categories)))
    filters.extend(OneOf(f"attributes.{key}", values) for key, values in wanted.attributes.items())
    filters.extend(Between(f"numbers.{key}", low, below) for key, (low, below) in wanted.numbers.items())
    if wanted.price_low is not None or wanted.price_below is not None:
        if not wanted.market:
            raise BadInputError("Prices are compared within a market, and none is named: name one, or leave the price out.")
        filters.append(Between(f"price.{wanted.market}", wanted.price_low, wanted.price_below))
    return tuple(filters)


def _sort(wanted: Wanted) -> Sort | None:
    if wanted.sort in ("price-up", "price-down") and not wanted.market:
        raise BadInputError("Prices are sorted within a market, and none is named: name one, or sort otherwise.")
    by: Mapping[str, Sort | None] = {
        "relevance": None,
        "price-up": Sort(f"price.{wanted.market}"),
        "price-down": Sort(f"price.{wanted.market}", descending=True),
        "newest": Sort("released", descending=True),
        "name": Sort(f"name.{language(wanted.locale)}"),
    }
    return by[wanted.sort]


def _product_hit(hit: Hit, wanted: Wanted) -> ProductHit:
    body = msgspec.convert(hit.body, _Body)
    return ProductHit(
        product_id=UUID(hit.id.partition("/")[2]),
        code=body.code,
        title=spoken_in(wanted.locale, body.title),
        summary=spoken_in(wanted.locale, body.summary),
        brand=body.brand,
        image=body.image,
        score=hit.score,
        price=_lowest([price for price in body.prices if price.market == wanted.market]),
    )


def _lowest(here: Sequence[_StoredPrice]) -> Price | None:
    if not here:
        return None
    lowest = min(here, key=lambda price: price.amount_minor)
    several = any(price.amount_minor != lowest.amount_minor for price in here)
    return Price(amount_minor=lowest.amount_minor, currency=lowest.currency, several=several)

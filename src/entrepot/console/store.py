"""The store's pages: home, results and a product; what a shopper sees."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from entrepot.api import wanted
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EngineAwayError, NotFoundError, NotThereYetError
from entrepot.base.limits import ASIDE_SECONDS_MAX
from entrepot.base.money import Currency, to_minor
from entrepot.commerce.catalog.events import ProductText
from entrepot.commerce.pricing.query import markets
from entrepot.console import narrowing
from entrepot.console.language import LOCALE, locale_of
from entrepot.console.render import decimal, page
from entrepot.console.visitor import pieces
from entrepot.projections.bought_together.query import bought_together
from entrepot.projections.live_stock.query import available
from entrepot.projections.product_page.query import ProductPage, categories, pages, read_category, read_page
from entrepot.projections.product_search import query
from entrepot.projections.product_search.query import Results, Wanted
from entrepot.projections.product_search.suggest import suggest
from entrepot.projections.product_search.text import spoken_in

FEW = 5
SORTS = (
    ("relevance", "Best match"),
    ("price-up", "Price, low to high"),
    ("price-down", "Price, high to low"),
    ("newest", "Newest"),
    ("name", "Name"),
)


class Article(Struct, frozen=True, kw_only=True):
    """A variant as a shopper sees it."""

    sku: str
    options: str
    price: tuple[int, str] | None
    available: int
    warehouses: Mapping[str, int]


class Companion(Struct, frozen=True, kw_only=True):
    """A product that was bought, in so many orders."""

    id: UUID
    title: str
    brand: str
    orders: int


class Suggested(Struct, frozen=True, kw_only=True):
    """One line under the search box: a text to search for, or a thing to go to."""

    text: str
    kind: str = ""
    href: str = ""


@get("/", include_in_schema=False, opt={"permission": "catalogue.read"})
async def home(request: Request[Any, Any, Any], parts: NamedDependency[Parts], market: FromQuery[str] = "") -> Response[str]:
    """Show the search box and where to begin."""
    here = await place(parts, market)
    locale = locale_of(request)
    results, away = await _everything(parts, here)
    names = await _category_names(parts, results, locale)
    facets = {facet.field: facet for facet in results.facets}
    context = {
        "here": here,
        "total": results.total,
        "away": away,
        "facets": facets,
        "names": names,
        "sold": await _best_sold(parts, here, locale),
    }
    return page("home.html", "store", context, pieces=await pieces(parts, request))


class Place(Struct, frozen=True, kw_only=True):
    """The market a shopper is in, and those there are."""

    market: str
    currency: str
    markets: Mapping[str, str]


async def place(parts: Parts, asked: str) -> Place:
    """Return the market that was asked for, or the first."""
    async with parts.record.committing() as connection:
        known = await markets(connection)
    market = next((name for name in (asked, parts.market, *sorted(known)) if name in known), "")
    return Place(market=market, currency=known.get(market, ""), markets=known)


@get("/search", include_in_schema=False, opt={"permission": "catalogue.read"})
async def results(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Show what was found, with what narrows it."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if value]
    here = await place(parts, dict(pairs).get("market", ""))
    if any(name in {"from", "to"} for name, _ in pairs):
        return Redirect(narrowing.address(_with_price(pairs, here.currency)), status_code=303)
    asked = wanted.read(pairs, market=here.market, locale=locale_of(request), limit=24)
    found = await _search(parts, asked)
    names = await _category_names(parts, found, asked.locale, asked.categories)
    labels = {facet.field: facet.label for facet in found.facets}
    shown = {
        "here": here,
        "asked": asked,
        "found": found,
        "groups": narrowing.groups(found.facets, pairs, names, here.currency),
        "chips": narrowing.chips(pairs, labels, names, here.currency),
        "sorts": [(key, label, narrowing.address(narrowing.replaced(pairs, "sort", key))) for key, label in SORTS],
        "more": narrowing.address(narrowing.replaced(pairs, "cursor", found.cursor)) if found.cursor else "",
        "instead": narrowing.address(narrowing.replaced(pairs, "q", found.did_you_mean)) if found.did_you_mean else "",
        "markets": [
            (name, narrowing.address(narrowing.replaced(pairs, "market", name))) for name in here.markets if name != here.market
        ],
        "first": narrowing.address([(n, v) for n, v in pairs if n != "cursor"]),
        "cleared": narrowing.address([(n, v) for n, v in pairs if n in {"q", "market"}]),
        "kept": [(n, v) for n, v in pairs if n not in {"q", "cursor", "price"}],
        "pairs": pairs,
    }
    return page("results.html", "store", shown, pieces=await pieces(parts, request))


@get("/suggest", include_in_schema=False, opt={"permission": "catalogue.read"})
async def suggestions(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], q: FromQuery[str] = "", market: FromQuery[str] = ""
) -> list[Suggested]:
    """Suggest while typing (for the script of the search box): texts first, then where else the text may lead."""
    try:
        found = await suggest(parts.search, parts.live.target("product_search"), q, locale_of(request), market=market)
    except EngineAwayError:
        return []  # who types on is not helped by a sentence
    here = {"market": market} if market else {}
    texts = [Suggested(text=text) for text in found.texts]
    brands = [_suggested(name, "brand", "/search", here | {"brand": name}) for name in found.brands]
    within = [
        _suggested(one.name, "category", "/search", here | {"category": str(one.category_id)}) for one in found.categories
    ]
    shown = [_suggested(one.title, "product", f"/products/{one.product_id}", here) for one in found.products]
    return [*texts, *brands[:2], *within[:2], *shown[:3]]


def _suggested(text: str, kind: str, path: str, query: Mapping[str, str]) -> Suggested:
    return Suggested(text=text, kind=kind, href=f"{path}?{urlencode(query)}" if query else path)


@get("/products/{product_id:uuid}", include_in_schema=False, opt={"permission": "catalogue.read"})
async def product(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], product_id: FromPath[UUID], market: FromQuery[str] = ""
) -> Response[str]:
    """Show one product."""
    here, locale = await place(parts, market), locale_of(request)
    shown = read_page((await parts.pages.page(product_id)).body)
    stock = await _stock(parts, shown)
    articles = _articles(shown, stock or {}, here.market)
    here_prices = [one.price for one in articles if one.price]
    path = await _categories(parts, shown.category_path_ids)
    context = {
        "here": here,
        "product": shown,
        "text": spoken(shown, locale),
        "articles": articles,
        "lowest": min(here_prices, default=None),
        "several": len(set(here_prices)) > 1,
        "known_stock": stock is not None,
        "prices": sorted({(price.market, price.amount_minor, price.currency) for price in shown.prices}),
        "sold_in": sorted({price.market for price in shown.prices} & here.markets.keys()),
        "path": [(id_, named(text, locale)) for id_, text in path.items()],
        "companions": await _companions(parts, product_id, here, locale),
        "attributes": [(name.replace("_", " "), _value(value)) for name, value in shown.attributes.items()],
        "key": parts.record.ids.fresh(),
    }
    return page("product.html", "store", context, pieces=await pieces(parts, request))


HANDLERS = [home, results, suggestions, product]


def spoken(shown: ProductPage, locale: str = LOCALE) -> ProductText:
    """Return what is said of a product in the reader's language, else in English, else in the first there is."""
    return shown.texts[spoken_in(locale, {name: name for name in shown.texts})]


async def _search(parts: Parts, asked: Wanted) -> Results:
    return await query.search(parts.search, parts.live.target("product_search"), asked, parts.texts.understand)


async def _everything(parts: Parts, here: Place) -> tuple[Results, str]:
    """Return how many products there are and how they divide; nothing, and why, when the engine that knows does not answer."""
    try:
        return await _search(parts, Wanted(text="", market=here.market, limit=1)), ""
    except EngineAwayError as error:
        return Results(hits=[], total=0, facets=[], cursor="", searched=""), str(error)


async def _category_names(parts: Parts, found: Results, locale: str, chosen: Sequence[UUID] = ()) -> dict[UUID, str]:
    ids = [UUID(value.value) for facet in found.facets if facet.field == "category" for value in facet.values]
    return {id_: named(text, locale) for id_, text in (await _categories(parts, [*ids, *chosen])).items()}


async def _categories(parts: Parts, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return these categories; none when the engine that knows does not answer: a page is whole without their names."""
    try:
        return await categories(parts.documents, parts.live.target("product_page"), ids)
    except EngineAwayError:
        return {}


def named(category: bytes, locale: str = LOCALE) -> str:
    """Return a category's name in the reader's language; its code where it has no name."""
    read = read_category(category)
    return spoken_in(locale, read.names) or read.code


async def _stock(parts: Parts, shown: ProductPage) -> Mapping[UUID, Mapping[str, int]] | None:
    """Return what is left of each variant; None when the engine that knows does not answer."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            return await available(parts.memory, parts.live.target("live_stock"), [variant.id for variant in shown.variants])
    except (EngineAwayError, TimeoutError):
        return None


def _articles(shown: ProductPage, stock: Mapping[UUID, Mapping[str, int]], market: str) -> list[Article]:
    prices = {price.variant_id: (price.amount_minor, price.currency) for price in shown.prices if price.market == market}
    return [
        Article(
            sku=variant.sku,
            options=", ".join(f"{name}: {value}" for name, value in variant.options.items()),
            price=prices.get(variant.id),
            available=sum(stock.get(variant.id, {}).values()),
            warehouses=stock.get(variant.id, {}),
        )
        for variant in shown.variants
    ]


async def _best_sold(parts: Parts, here: Place, locale: str) -> list[Companion]:
    """Return what sold best in this market; none when the engine that knows does not answer."""
    rows = await parts.best_sold.of(here.market)
    try:
        texts = await parts.pages.pages([row.product_id for row in rows])
    except (EngineAwayError, NotFoundError, NotThereYetError):
        return []
    read = {id_: read_page(text.body) for id_, text in texts.items()}
    return [
        Companion(id=id_, title=spoken(read[id_], locale).title, brand=read[id_].brand, orders=row.orders)
        for row in rows
        if (id_ := row.product_id) in read
    ]


async def _companions(parts: Parts, product_id: UUID, here: Place, locale: str) -> list[Companion]:
    """Return what is bought together with it and sold here; none when the graph does not answer: the page is whole without."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            found = await bought_together(parts.graph, parts.live.target("bought_together"), [product_id], FEW)
            texts = await pages(parts.documents, parts.live.target("product_page"), [one.product_id for one in found])
    except (EngineAwayError, NotFoundError, NotThereYetError, TimeoutError):
        return []
    read = {id_: read_page(text) for id_, text in texts.items()}
    return [
        Companion(id=id_, title=spoken(read[id_], locale).title, brand=read[id_].brand, orders=one.baskets)
        for one in found
        if (id_ := one.product_id) in read and any(price.market == here.market for price in read[id_].prices)
    ]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return decimal(value, 2).rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _with_price(pairs: Sequence[tuple[str, str]], currency: str) -> list[tuple[str, str]]:
    given = dict(pairs)
    kept = [(n, v) for n, v in pairs if n not in {"from", "to", "price", "cursor"}]
    low, below = (_minor(given.get(name, ""), currency, name) for name in ("from", "to"))
    if low and below:
        low, below = sorted((low, below), key=int)
    return [*kept, ("price", f"{low}..{below}")] if low or below else kept


def _minor(text: str, currency: str, name: str) -> str:
    """Return an amount that a shopper typed in whole minor units; nothing where nothing was typed."""
    if not text.strip():
        return ""
    try:
        return str(to_minor(Decimal(text.strip().replace(",", ".")), Currency(currency)))
    except InvalidOperation as error:
        raise BadInputError(f"The price {text!r} cannot be read: write a number, such as 19.99.", field=name) from error

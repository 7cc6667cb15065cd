"""What a buyer may want while still typing: how the text may go on, and the brands, categories and products it begins.

Reads only the search engine, through its port.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base.limits import QUERY_CHARS_MAX
from entrepot.base.projection import Target
from entrepot.engines.search.languages import spaced
from entrepot.engines.search.port import AllOf, Clause, Hit, Match, OneOf, Query, SearchStore, TermsFacet
from entrepot.projections.product_search import ranking
from entrepot.projections.product_search.text import spoken_in

# From this many letters on, one of them may be wrong.
_ERROR_CHARS_MIN = 4


class NamedCategory(Struct, frozen=True):
    """A category, by its name in the buyer's language."""

    category_id: UUID
    name: str


class NamedProduct(Struct, frozen=True):
    """A product, by its title in the buyer's language."""

    product_id: UUID
    title: str
    brand: str
    image: str


class Suggestions(Struct, frozen=True, kw_only=True):
    """Texts to search for, and where else the typed text may lead; each the most likely first."""

    texts: Sequence[str] = ()
    brands: Sequence[str] = ()
    categories: Sequence[NamedCategory] = ()
    products: Sequence[NamedProduct] = ()


async def suggest(
    store: SearchStore, target: Target, text: str, locale: str, *, market: str = "", limit: int = 5
) -> Suggestions:
    """Return what the typed text may become; its last word is taken as a beginning. In a market, what is sold there."""
    *whole, begun = text[:QUERY_CHARS_MAX].split() or [""]
    if not begun:
        return Suggestions()
    offered = ranking.offered(market)
    asked = _Asked(whole=whole, begun=begun, locale=locale, offered=offered, everywhere=not market, limit=limit)
    found = await _suggest(store, target, asked, edits=0)
    nothing = not (found.texts or found.brands or found.categories or found.products)
    if nothing and len(begun) >= _ERROR_CHARS_MIN:
        return await _suggest(store, target, asked, edits=1)
    return found


class _Asked(Struct, frozen=True, kw_only=True):
    """What was typed: the words that are whole, and the one that is begun; among which products, and how many of each."""

    whole: Sequence[str]
    begun: str
    locale: str
    offered: Clause
    everywhere: bool
    limit: int


async def _suggest(store: SearchStore, target: Target, asked: _Asked, *, edits: int) -> Suggestions:
    text, locale, limit = " ".join([*asked.whole, asked.begun]), asked.locale, asked.limit
    before: list[Clause] = [ranking.occurs(word, locale) for word in asked.whole]
    fields = {"title": 2.0, "words": 1.0, "codes": 1.0}
    beginning = Match(text=asked.begun, fields=fields, locale=locale, prefix=True, edits=edits)
    products = AllOf((*before, beginning, asked.offered))
    named = Match(text=text, fields={"title": 1.0, "words": 1.0}, locale=locale, prefix=True, edits=edits)
    maker = AllOf((Match(text=text, fields={"maker": 1.0}, prefix=True, edits=edits), asked.offered))
    answers = await asyncio.gather(
        store.search(target, Query(where=products, limit=limit)),
        store.search(target, Query(where=AllOf((named, OneOf("type", ("category",)))), limit=limit)),
        store.search(target, Query(where=maker, limit=0, facets={"brand": TermsFacet("brand", limit)})),
    )
    return Suggestions(
        texts=await _texts(store, target, asked, before),
        brands=[str(bucket.value) for bucket in answers[2].facets["brand"] if bucket.value],
        categories=[
            NamedCategory(UUID(_id(hit)), spoken_in(locale, _texts_of(hit, "title")))
            for hit in await _with_products(store, target, answers[1].hits, asked)
        ],
        products=[
            NamedProduct(
                UUID(_id(hit)),
                spoken_in(locale, _texts_of(hit, "title")),
                str(hit.body.get("brand", "")),
                str(hit.body.get("image", "")),
            )
            for hit in answers[0].hits
        ],
    )


async def _with_products(store: SearchStore, target: Target, categories: Sequence[Hit], asked: _Asked) -> list[Hit]:
    """Return those categories in which something is sold in the market; without a market, all."""
    if asked.everywhere:
        return list(categories)
    inside = [AllOf((asked.offered, OneOf("category_path_ids", (_id(hit),)))) for hit in categories]
    counts = await store.count(target, inside)
    return [hit for hit, count in zip(categories, counts, strict=True) if count]


async def _texts(store: SearchStore, target: Target, asked: _Asked, before: Sequence[Clause]) -> list[str]:
    begun = asked.begun
    if spaced(begun) != begun and not begun.isascii() and " " in spaced(begun).strip():
        return []  # a script without spaces: the index holds pairs of letters there, which are no words to show
    among = [*before] if asked.everywhere else [*before, asked.offered]
    words = await store.words(target, "words", begun, AllOf(tuple(among)) if among else None, asked.limit)
    return [" ".join([*asked.whole, word.text]) for word in words]


def _id(hit: Hit) -> str:
    return hit.id.partition("/")[2]


def _texts_of(hit: Hit, field: str) -> dict[str, str]:
    texts = hit.body.get(field)
    return {str(locale): str(text) for locale, text in texts.items()} if isinstance(texts, dict) else {}

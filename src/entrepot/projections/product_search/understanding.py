"""What a text asks for: its words, the categories it names, and how many of the words a product must have.

Asked all at once, as if the text needed no mending and named no category, which is so most of the time; what turns out
otherwise is asked anew. Reads only the search engine, through its port.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from entrepot.base.projection import Target
from entrepot.engines.search.languages import spaced
from entrepot.engines.search.port import Clause, Found, Match, OneOf, Query, SearchStore
from entrepot.projections.product_search import ranking
from entrepot.projections.product_search.ranking import Term
from entrepot.projections.product_search.reading import Reading, read, typed
from entrepot.projections.product_search.text import spoken_in

# Below this many products with all the words, those with fewer words are shown after them.
_FILL_BELOW = 100
_CATEGORIES_MAX = 20
# "phone" does not name the category of phone cases; "hard drives" names the one of internal hard drives.
_NAME_SHARE_MIN = 0.6


class Understood(Struct, frozen=True):
    """A text as it is read, the ids of the categories that the whole of it names, and how many words are enough."""

    reading: Reading
    categories: Sequence[str] = ()
    at_least: int = 1


async def understand(store: SearchStore, target: Target, text: str, locale: str, offered: Clause) -> Understood:
    """Return what a text asks for, among what is offered."""
    told = typed(text, locale)
    if not told.texts:
        return Understood(Reading(words=[], text=""))
    fewer = _fewer(told.terms, [], offered)
    named, counts = await store.search_and_count(target, _naming(told.text, locale), [*told.clauses, *fewer])
    first = len(counts) - len(fewer)
    reading = await read(store, target, told, counts[:first])
    if reading.text != told.text:
        named = await store.search(target, _naming(reading.text, locale))
    categories = _categories_named(named, reading.text, locale)
    enough = counts[first:]
    if categories or [_looked_for(word) for word in reading.words] != [_looked_for(word) for word in told.terms]:
        fewer = _fewer(reading.words, categories, offered)
        enough = await store.count(target, fewer) if fewer else []
    return Understood(reading, categories, _words_wanted(len(reading.words), enough))


def _fewer(words: Sequence[Term], categories: Sequence[str], offered: Clause) -> list[Clause]:
    """Return the clauses of having all the words, one less, and so on to two."""
    return [ranking.selected(words, many, categories, offered) for many in range(len(words), 1, -1)]


def _words_wanted(words: int, counts: Sequence[int]) -> int:
    """Return how many of the words a product must have: all, or as many as enough products have."""
    return next((many for many, count in zip(range(words, 1, -1), counts, strict=True) if count >= _FILL_BELOW), 1)


def _looked_for(word: Term) -> tuple[str, bool, str]:
    return word.text, word.prefix, word.joined


def _naming(text: str, locale: str) -> Query:
    named = Match(text=text, fields={"title": 1.0, "words": 1.0}, locale=locale)
    return Query(where=named, filters=(OneOf("type", ("category",)),), limit=_CATEGORIES_MAX, counted=False)


class _Named(Struct, frozen=True):
    title: dict[str, str]


def _categories_named(found: Found, text: str, locale: str) -> list[str]:
    """Return the ids of the categories that the text names: their name has all its words, and not many more."""
    said = len(spaced(text).split())
    names = {hit.id.partition("/")[2]: spoken_in(locale, msgspec.convert(hit.body, _Named).title) for hit in found.hits}
    return [id_ for id_, name in names.items() if said >= _NAME_SHARE_MIN * len(spaced(name).split())]

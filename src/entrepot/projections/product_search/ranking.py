"""In which order items answer the words of a text: clauses for the search port. Pure; knows fields, no engine.

Every word is looked for in every field and counts as in its best, helped a little by the others: by BM25, and by its rarity
alone where it stands in the title, so that a long title is no shame. What a thing *is* counts for more than what it is
for: the last word of a text is compared with the head of the title (see ``text.head_of``). Items with more of the words come
before items with fewer. Nothing here is written for one query.
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from entrepot.engines.search.port import AllOf, AnyOf, Best, Between, Clause, Match, OneOf, Preferring, Weighed

# Few weights and round ones, found on rated queries and checked by cross-validation (docs: ``bench search-quality``).
_BY_LENGTH: Mapping[str, float] = {
    "title": 1.0,
    "summary": 1.0,
    "specs": 1.0,
    "model": 0.4,
    "maker": 0.8,
    "description": 0.5,
    "codes": 0.1,
    "words": 0.1,
}
_BY_RARITY: Mapping[str, float] = {"title": 0.4, "maker": 0.8, "summary": 0.15}
_TIE = 0.2
_HEAD = 0.3
_PHRASE = 0.4
_CATEGORY = 0.5
# More than all else that a word can add, so that a word more always counts more.
_WORD_MORE = 1_000.0


class Term(Struct, frozen=True, kw_only=True):
    """A word of a text as it is looked for: in how many items of how many, as a beginning, or also in another spelling."""

    text: str
    locale: str
    count: int
    items: int
    prefix: bool = False
    joined: str = ""

    @property
    def rarity(self) -> float:
        """How much the word tells: the fewer items have it, the more."""
        return math.log(1 + self.items / max(1, self.count))


def occurs(text: str, locale: str, *, rarity: float = 0.0, prefix: bool = False) -> Clause:
    """Return the clause that a word occurs somewhere; with its rarity, scored by where."""
    if not rarity:
        return Match(text=text, fields=_BY_LENGTH, locale=locale, prefix=prefix)
    fields: list[Clause] = []
    for name, boost in _BY_LENGTH.items():
        there = Match(text=text, fields={name: boost}, locale=locale, prefix=prefix)
        flat = rarity * _BY_RARITY.get(name, 0.0)
        fields.append(Preferring(there, (Weighed(there, flat, flat=True),)) if flat else there)
    return Best(tuple(fields), _TIE)


def offered(market: str = "") -> Clause:
    """Return the products that have a price in a market; without a market, every product."""
    product = OneOf("type", ("product",))
    return AllOf((product, Between(f"price.{market}"))) if market else product


def selected(words: Sequence[Term], at_least: int, categories: Sequence[str], among: Clause) -> Clause:
    """Return those that have so many of the words, or lie in one of the categories that the whole text names."""
    return _containing([_either(word, 0.0) for word in words], at_least, categories, among)


def ranked(text: str, words: Sequence[Term], at_least: int, categories: Sequence[str], among: Clause) -> Clause:
    """Return the same products, in the order in which they answer the text."""
    clauses = [_either(word, word.rarity) for word in words]
    told = sum(word.rarity for word in words)
    last, locale = words[-1], words[-1].locale
    wishes: list[Clause] = [Weighed(Match(text=last.text, fields={"head": 1.0}, locale=locale), _HEAD * last.rarity, flat=True)]
    if len(words) > 1:
        plain = tuple(_either(word, 0.0) for word in words)
        wishes += [Weighed(AnyOf(plain, many), _WORD_MORE, flat=True) for many in range(at_least + 1, len(words) + 1)]
        wishes.append(Weighed(Match(text=text, fields={"title": 1.0}, locale=locale, slop=0), _PHRASE * told, flat=True))
    if categories:
        wishes.append(Weighed(OneOf("category_path_ids", tuple(categories)), _CATEGORY * told, flat=True))
    return Preferring(_containing(clauses, at_least, categories, among), tuple(wishes))


def _either(word: Term, rarity: float) -> Clause:
    clause = occurs(word.text, word.locale, rarity=rarity, prefix=word.prefix)
    return Best((clause, occurs(word.joined, word.locale, rarity=rarity))) if word.joined else clause


def _containing(words: Sequence[Clause], at_least: int, categories: Sequence[str], among: Clause) -> Clause:
    clause = words[0] if len(words) == 1 else AnyOf(tuple(words), at_least)
    if categories:
        clause = AnyOf((clause, OneOf("category_path_ids", tuple(categories))))
    return AllOf((clause, among))

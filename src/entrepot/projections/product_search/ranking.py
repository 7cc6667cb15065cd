"""Which items answer a text, and in which order: the clause for a query's words. Pure; knows fields, no engine.

Every word is looked for in every field, and counts as in its best field, helped a little by the others. Items with all the
words come first, then those with all but one, and so on. Nothing here is written for one query.
"""

from collections.abc import Mapping, Sequence

from entrepot.engines.search.port import AllOf, AnyOf, Best, Clause, Match, OneOf, Preferring, Weighed

# Found on rated queries by search over few values, checked by cross-validation (``bench search-quality``).
BOOSTS: Mapping[str, float] = {
    "title": 1.0,
    "kind": 2.0,
    "model": 1.5,
    "summary": 1.5,
    "specs": 1.0,
    "description": 0.5,
    "codes": 1.0,
    "maker": 2.0,
    "words": 0.5,
}
_TIE = 0.2
_PHRASE = 1.0
# More than any score of one word less: a word more always counts more.
_WORD_MORE = 1_000.0


def word(text: str, locale: str, *, edits: int = 0, prefix: bool = False) -> Clause:
    """Return the clause that one word occurs somewhere."""
    fields = tuple(
        Match(text=text, fields={name: boost}, locale=locale, edits=edits, prefix=prefix) for name, boost in BOOSTS.items()
    )
    return Best(fields, _TIE)


def containing(words: Sequence[Clause], at_least: int, categories: Sequence[str] = ()) -> Clause:
    """Return what contains so many of the words, or lies in one of the categories that the whole text names."""
    clause: Clause = AnyOf(tuple(words), at_least)
    if categories:
        clause = AnyOf((clause, Weighed(OneOf("category_path_ids", tuple(categories)), 1.0, flat=True)))
    return AllOf((OneOf("type", ("product",)), clause))


def ranked(found: Clause, words: Sequence[Clause], at_least: int, text: str, locale: str) -> Clause:
    """Return the clause with more words before fewer, and words in the order of the text before scattered ones."""
    if len(words) == 1:
        return found
    fuller = tuple(Weighed(AnyOf(tuple(words), count), _WORD_MORE, flat=True) for count in range(at_least + 1, len(words) + 1))
    phrase = Weighed(Match(text=text, fields={"title": 1.0}, locale=locale, slop=0), _PHRASE)
    return Preferring(found, (*fuller, phrase))

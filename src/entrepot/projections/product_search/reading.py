"""How a typed text is read: into words that occur, mending what does not. Asks the engine what occurs; never writes.

A word that occurs nowhere is first taken as a beginning, then as two words written together, then as a misspelling of the
word most like it. Two words that never stand side by side, while the word they make together occurs, are looked for as both.
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct, structs

from entrepot.base.limits import QUERY_CHARS_MAX
from entrepot.base.projection import Target
from entrepot.engines.search.languages import is_stop_word, spaced
from entrepot.engines.search.port import Clause, Match, Near, OneOf, SearchStore
from entrepot.projections.product_search import ranking
from entrepot.projections.product_search.ranking import Term
from entrepot.projections.product_search.text import closed_form

_WORDS_MAX = 16
_BEGINNING_CHARS_MIN = 3
# One error from four letters on, two from eight: fewer letters make another word, not a misspelled one.
_ONE_ERROR_CHARS = 4
_TWO_ERRORS_CHARS = 8
# A word that occurs this seldom, beside one so much more frequent and nearly the same, may be a misspelling that sellers make.
_SELDOM = 3
_MORE_FREQUENT = 20


class Reading(Struct, frozen=True, kw_only=True):
    """The words to look for, the text they make, and a text that may have been meant instead."""

    words: Sequence[Term]
    text: str
    did_you_mean: str = ""


class Typed(Struct, frozen=True):
    """A text as it was typed: its words, those that are looked for, and how else these might be written."""

    words: Sequence[str]
    texts: Sequence[str]
    spellings: Sequence["_Spelling"]
    locale: str

    @property
    def text(self) -> str:
        """Return it with its words as they were typed."""
        return " ".join(self.words)

    @property
    def terms(self) -> list[Term]:
        """Return the words as they will be looked for unless one of them must be mended; nothing is counted yet."""
        return [Term(text=text, locale=self.locale, count=0, items=0) for text in self.texts]

    @property
    def clauses(self) -> list[Clause]:
        """Return what must be counted before the text can be read."""
        asked: list[Clause] = [OneOf("type", ("product",))]
        asked += [ranking.occurs(word, self.locale) for word in self.texts]
        asked += [ranking.occurs(each.joined, self.locale) for each in self.spellings]
        return asked + [_side_by_side(each.apart, self.locale) for each in self.spellings]


def typed(text: str, locale: str) -> Typed:
    """Return the words of a text; none is looked for when nothing in it can be."""
    words = [word for word in text[:QUERY_CHARS_MAX].split() if any(map(str.isalnum, word))][:_WORDS_MAX]
    texts = [word for word in words if not is_stop_word(word, locale)] or words
    return Typed(words, texts, _spellings(texts), locale)


async def read(store: SearchStore, target: Target, text: Typed, counted: Sequence[int]) -> Reading:
    """Return how a text is read whose clauses select so many items each."""
    items, *counts = counted
    many = len(text.spellings)
    together, apart = counts[len(text.texts) : len(text.texts) + many], counts[len(text.texts) + many :]
    joined = {
        at: each.joined
        for each, one, two in zip(text.spellings, together, apart, strict=True)
        if one > two
        for at in each.words
    }
    read_as: dict[str, list[Term]] = {}
    for at, (word, count) in enumerate(zip(text.texts, counts, strict=False)):
        plain = Term(text=word, locale=text.locale, count=count, items=items, joined=joined.get(at, ""))
        read_as[word] = [plain] if count or plain.joined else await _mended(store, target, plain)
    words = [term for word in text.texts for term in read_as[word]]
    meant = {term.text: await _meant(store, target, term) for term in words}
    # What is shown keeps the words that were not looked for.
    shown = [term.text for word in text.words for term in read_as.get(word, [_unread(word, text.locale)])]
    hint = [meant.get(each, each) for each in shown]
    return Reading(words=words, text=" ".join(shown), did_you_mean=" ".join(hint) if hint != shown else "")


def _unread(word: str, locale: str) -> Term:
    return Term(text=word, locale=locale, count=0, items=0)


class _Spelling(Struct, frozen=True):
    """What may be one word: how it is written apart, and which words of the text it would stand for."""

    joined: str
    apart: str
    words: tuple[int, ...]


def _spellings(texts: Sequence[str]) -> list[_Spelling]:
    pairs = [_Spelling(left + right, f"{left} {right}", (at, at + 1)) for at, (left, right) in enumerate(pairwise(texts))]
    jointed = [_Spelling(closed_form(word), word, (at,)) for at, word in enumerate(texts) if closed_form(word) != word]
    return [*pairs, *jointed]


def _side_by_side(words: str, locale: str) -> Clause:
    return Match(text=words, fields=dict.fromkeys(("title", "summary", "specs"), 1.0), locale=locale, slop=0)


async def _mended(store: SearchStore, target: Target, word: Term) -> list[Term]:
    """Return the words that one stands for that occurs nowhere; itself when nothing is like it."""
    pairs = spaced(word.text).split()
    if len(pairs) > 1 and not word.text.isascii():
        return await _counted(store, target, word, pairs)
    if len(word.text) >= _BEGINNING_CHARS_MIN:
        (begun,) = await store.count(target, [ranking.occurs(word.text, word.locale, prefix=True)])
        if begun:
            return [structs.replace(word, count=begun, prefix=True)]
    near = await _near(store, target, word.text)
    if near and near[0].errors == 1:
        return await _counted(store, target, word, [near[0].text])
    if parts := await _parts(store, target, word):
        return await _counted(store, target, word, parts)
    return await _counted(store, target, word, [near[0].text]) if near else [word]


async def _counted(store: SearchStore, target: Target, like: Term, texts: Sequence[str]) -> list[Term]:
    counts = await store.count(target, [ranking.occurs(text, like.locale) for text in texts])
    return [structs.replace(like, text=text, count=count) for text, count in zip(texts, counts, strict=True)]


async def _parts(store: SearchStore, target: Target, word: Term) -> list[str]:
    """Return the two words that were written as one, those that stand together most often."""
    low = _BEGINNING_CHARS_MIN
    cuts = [(word.text[:at], word.text[at:]) for at in range(low, len(word.text) - low + 1)]
    counts = await store.count(target, [_side_by_side(f"{left} {right}", word.locale) for left, right in cuts])
    best = max(zip(counts, cuts, strict=True), default=(0, ()))
    return list(best[1]) if best[0] else []


async def _near(store: SearchStore, target: Target, word: str) -> list[Near]:
    folded = "".join(spaced(word).casefold().split())
    allowed = (len(folded) >= _ONE_ERROR_CHARS) + (len(folded) >= _TWO_ERRORS_CHARS)
    if not allowed or any(letter.isdigit() for letter in folded):
        return []  # a code with an error is another code
    for start in (folded[0], ""):
        if near := await store.near(target, "words", folded, allowed, start):
            return near
    return []


async def _meant(store: SearchStore, target: Target, word: Term) -> str:
    """Return the word, or a far more frequent one that is nearly the same."""
    if not 0 < word.count <= _SELDOM or word.prefix:
        return word.text
    near = await _near(store, target, word.text)
    likely = [each for each in near if each.errors == 1 and each.count > _MORE_FREQUENT * word.count]
    return likely[0].text if likely else word.text

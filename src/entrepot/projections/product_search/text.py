"""What of a product is searched by which words: its codes in the forms people type, its kind, its attributes. Pure."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from entrepot.commerce.catalog.events import AttributeValue

# What a buyer types of a code: pieces between letters and digits, from this length on.
_PIECE_CHARS_MIN = 3
# Thousands of products have the same attributes.
_KEYS_MAX = 10_000
# A longer value is a sentence or a list, and holds words of every kind.
_VALUE_CHARS_MAX = 60
_HEAD_FIRST = frozenset({"ar", "ca", "es", "fr", "gl", "he", "id", "it", "ms", "pl", "pt", "ro", "th", "vi"})

_WORD = re.compile(r"\w+")
_CODE = re.compile(r"\w+(?:[-./_+&']\w+)*")
_LETTERS = re.compile(r"[^\W\d_]+|\w+")
_ASIDE = re.compile(r" (?:with|for|w|f)[ /]| [-\u2013\u2014] |[,;(/]", re.IGNORECASE)
_PIECES = re.compile(r"[^\W\d_]+|\d+")


def code_forms(texts: Iterable[str]) -> list[str]:
    """Return the codes in these texts as written, with their joints closed (``dv7-1211ea`` as ``dv71211ea``), and in pieces."""
    written = {code: None for text in texts for code in _CODE.findall(text) if not code.isalpha()}
    return list(dict.fromkeys(form for code in written for form in _forms(code)))


@lru_cache(maxsize=_KEYS_MAX)
def _forms(code: str) -> Sequence[str]:
    pieces = _PIECES.findall(code)
    apart = [piece for piece in pieces if len(piece) >= _PIECE_CHARS_MIN] if len(pieces) > 1 else []
    return (code, closed_form(code), *apart)


def closed_form(word: str) -> str:
    """Return the word without its joints: ``wifi`` of ``Wi-Fi``, ``tv`` of ``t.v.``."""
    return word if word.isalnum() else "".join(letter for letter in word if letter.isalnum())


def head_of(title: str, brand: str, model: str, attributes: Iterable[AttributeValue], locale: str) -> str:
    """Return the word that says what kind of thing a title speaks of: ``case`` of a notebook case, ``mouse`` of a mouse.

    Titles are made as brand, model, kind, details. The kind is what follows brand and model, up to a number or to a word that
    an attribute says (a colour, a connector). Where nothing follows, the model is a description itself, up to a preposition
    or a dash. Of these words the last is the head; in the languages where a noun comes before what describes it, the first.
    """
    makers = _folded_words([brand])
    values = _folded_words(value for value in attributes if isinstance(value, str) and len(value) < _VALUE_CHARS_MAX)
    named = makers | _folded_words([model])
    kind: list[str] = []
    for word in itertools.dropwhile(lambda word: word.casefold() in named, _LETTERS.findall(title)):
        if not _speaks(word) or (kind and word.casefold() in values):
            break
        if word.casefold() not in values:
            kind.append(word)
    if not kind:
        described = [
            word for word in _LETTERS.findall(_ASIDE.split(title)[0]) if _speaks(word) and word.casefold() not in makers
        ]
        kind = [word for word in described if word.casefold() not in values] or described
    if not kind:
        return ""
    return kind[0 if language(locale) in _HEAD_FIRST else -1]


def _folded_words(texts: Iterable[str]) -> set[str]:
    # As one text, since no word goes across a line's end: a thousand small searches cost more than a large one.
    return set(map(str.casefold, _LETTERS.findall("\n".join(texts))))


def _speaks(word: str) -> bool:
    return len(word) > 1 and (word.isalpha() or not any(map(str.isdigit, word)))


def specs_of(attributes: Mapping[str, AttributeValue]) -> str:
    """Return the attributes as words: text values, numbers with what they count, and the names of what is true."""
    lines = []
    for key, value in attributes.items():
        if value is True:
            lines.append(spoken(key))
        elif isinstance(value, str):
            lines.append(value)
        elif value is not False:
            lines.append(f"{value:g} {spoken(key)}")
    return "\n".join(lines)


@lru_cache(maxsize=_KEYS_MAX)
def spoken(key: str) -> str:
    """Return an attribute's key as words; what stands after two underscores is an aside: "Contrast ratio (typical)"."""
    words, _, aside = (part.replace("_", " ").strip() for part in key.partition("__"))
    return f"{words} ({aside})" if aside else words


def language(locale: str) -> str:
    """Return the language of a BCP 47 locale, without region and script."""
    return locale.replace("_", "-").partition("-")[0].lower()


def spoken_in(locale: str, texts: Mapping[str, str]) -> str:
    """Return the text in this locale, else in its language, else in English, else the first there is."""
    if locale in texts:
        return texts[locale]
    for wanted in (language(locale), "en"):
        for other, text in texts.items():
            if language(other) == wanted:
                return text
    return next(iter(texts.values()), "")

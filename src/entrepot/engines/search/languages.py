"""Which language a locale is written in, and how its text becomes words. Knows no index and no business word.

Languages with a stemmer get it. The others are folded: case, accents, compatibility forms. Scripts written without spaces
(Han, kana, Thai and their like) and Korean, whose particles cling to the word, are cut into pairs of letters.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

FOLDED = "folded"

STEMMED: Mapping[str, str] = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}

# Languages whose words like "for" and "the" the tantivy library lists; it is used here as a list, whatever the engine.
_LISTED = frozenset(
    {
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "hungarian",
        "italian",
        "norwegian",
        "portuguese",
        "russian",
        "spanish",
        "swedish",
    }
)

ANALYZERS = (*sorted(set(STEMMED.values())), FOLDED)

_WORD_CHARS_MAX = 80
_LOCALES_MAX = 1_000
# The simple tokenizer is twice as fast, but breaks words at marks, which are letters to Tamil, Thai and vowelled Arabic.
_MARKED = frozenset({"arabic", "tamil", FOLDED})
_WORD = r"[\p{L}\p{M}\p{N}]+"

# Thai, Lao, Myanmar, Khmer; kana; Han (with its extensions); Hangul.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
# The engines fold Latin accents; these are the ones they leave. Russian keeps its short i, which its stemmer needs.
_ACCENTS = str.maketrans("άέήίόύώϊϋΐΰΆΈΉΊΌΎΏΪΫёЁ", "αεηιουωιυιυΑΕΗΙΟΥΩΙΥеЕ")
_RUN = re.compile(f"[{_UNSPACED}]+")


@lru_cache(maxsize=_LOCALES_MAX)
def analyzer_of(locale: str) -> str:
    """Return the name of the analyzer of a BCP 47 locale: its stemmer's language, else ``folded``."""
    return STEMMED.get(locale.replace("_", "-").split("-")[0].lower(), FOLDED)


@cache
def analyzer(name: str) -> TextAnalyzer:
    """Return the analyzer of this name: words, in lower case, without accents, stemmed if there is a stemmer."""
    builder = TextAnalyzerBuilder(Tokenizer.regex(_WORD) if name in _MARKED else Tokenizer.simple())
    for step in (Filter.remove_long(_WORD_CHARS_MAX), Filter.lowercase(), Filter.ascii_fold()):
        builder = builder.filter(step)
    if name != FOLDED:
        builder = builder.filter(Filter.stemmer(name))
    return builder.build()


def is_stop_word(word: str, locale: str) -> bool:
    """Return whether a word of this language only joins others (the, for, with) and says nothing by itself."""
    language = analyzer_of(locale)
    return language in _LISTED and not _without_stop_words(language).analyze(word)


@cache
def _without_stop_words(language: str) -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).filter(Filter.stopword(language)).build()


def spaced(text: str) -> str:
    """Return the text with one form for each character and unspaced scripts cut into overlapping pairs of letters."""
    if text.isascii():
        return text
    return _RUN.sub(_pairs, unicodedata.normalize("NFKC", text)).translate(_ACCENTS)


def _pairs(run: re.Match[str]) -> str:
    text = run.group()
    if len(text) == 1:
        return f" {text} "
    return f" {' '.join(text[at : at + 2] for at in range(len(text) - 1))} "

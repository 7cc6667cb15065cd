"""What of a product is searched by which words: its codes in the forms people type, its kind, its attributes. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from entrepot.commerce.catalog.events import AttributeValue

# What a buyer types of a code: pieces between letters and digits, from this length on.
_PIECE_CHARS_MIN = 3
_KIND_WORDS_MAX = 4

_WORD = re.compile(r"\w+")
_CODE = re.compile(r"\w+(?:[-./_+&']\w+)*")
_PIECES = re.compile(r"[^\W\d_]+|\d+")


def code_forms(texts: Iterable[str]) -> list[str]:
    """Return the codes in these texts as written, with their joints closed (``dv7-1211ea`` as ``dv71211ea``), and in pieces."""
    forms: dict[str, None] = {}
    for text in texts:
        for match in _CODE.finditer(text):
            written = match.group()
            closed = "".join(_WORD.findall(written)).replace("_", "")
            if written == closed and written.isalpha():
                continue
            forms[written] = None
            forms[closed] = None
            pieces = _PIECES.findall(closed)
            if len(pieces) > 1:
                forms.update(dict.fromkeys(piece for piece in pieces if len(piece) >= _PIECE_CHARS_MIN))
    return list(forms)


def kind_of(title: str, known: Sequence[str]) -> str:
    """Return what kind of thing a title speaks of: its first words after those already said by ``known`` (brand, model)."""
    said = {word.casefold() for text in known for word in _WORD.findall(text)}
    kind: list[str] = []
    for word in _WORD.findall(title):
        if word.casefold() in said and not kind:
            continue
        if kind and (any(letter.isdigit() for letter in word) or len(kind) == _KIND_WORDS_MAX):
            break
        kind.append(word)
    return " ".join(kind)


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


def spoken(key: str) -> str:
    """Return an attribute's key as words."""
    return key.replace("_", " ").strip()


def language(locale: str) -> str:
    """Return the language of a BCP 47 locale, without region and script."""
    return locale.replace("_", "-").partition("-")[0].lower()


def spoken_in(locale: str, texts: Mapping[str, str]) -> str:
    """Return the text in this locale, else in its language, else the first there is."""
    if locale in texts:
        return texts[locale]
    same = (text for other, text in texts.items() if language(other) == language(locale))
    return next(same, next(iter(texts.values()), ""))

"""What a shape says, and how an item's texts become words: the same for every search product. Knows no product.

Words are made here and not by the engines' own analyzers, so that a text has the same words whichever engine keeps it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.projection import Shape
from entrepot.engines.search.languages import FOLDED, analyzer_of, spaced


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of the shape, as the port describes it."""

    type: Literal["keyword", "integer", "text", "keyword_map", "number_map"]
    localized: bool = False
    sparse: bool = False
    listed: bool = False


# A word that nobody can ask for: ``spaced`` makes two letters of this one, and no engine's analyzer touches it.
UNSAID = "\ufb17"


class Texts(Struct, frozen=True):
    """What an item says in one column, and by which analyzer it becomes words; ``listed`` as its field is."""

    language: str
    said: list[str]
    listed: bool = False


NOTHING = Texts(FOLDED, [UNSAID])


class Fields(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole shape."""

    fields: dict[str, Field] = {}


def fields_of(shape: Shape) -> Mapping[str, Field]:
    """Return the fields by name (none for an empty shape: such a target is a plain store)."""
    return msgspec.json.decode(shape.text or b"{}", type=Fields).fields


def check_sorted_by(fields: Mapping[str, Field], field: str) -> None:
    """Refuse to sort by a key of a sparse map, which not every product of the role could."""
    name, _, key = field.partition(".")
    if key and name in fields and fields[name].sparse:
        raise BadInputError(
            f"Nothing is sorted by {field!r}: {name} is a sparse map, by which items are only selected.", field=field
        )


def check_listed(fields: Mapping[str, Field], field: str) -> None:
    """Refuse to list the words of a field for which the shape does not say that they are listed."""
    if field not in fields or not fields[field].listed:
        listed = ", ".join(name for name, each in fields.items() if each.listed)
        raise BadInputError(f"The words of {field!r} are not listed: those of {listed or 'no field'} are.", field=field)


def column(name: str, field: Field, locale: str) -> str:
    """Return the name under which an index keeps this field's text in this locale."""
    return f"{name}@{analyzer_of(locale)}" if field.localized else name


def texts_of(fields: Mapping[str, Field], body: Mapping[str, object]) -> dict[str, Texts]:
    """Return the texts of an item by column; ``ValueError`` when a value is none.

    What it leaves empty in a language that it speaks says ``UNSAID``, so that both products count how rare a word and how long
    a text is among the same items: Lucene would count only those that have the field, tantivy counts all.
    """
    made: dict[str, Texts] = {}
    spoken = set[str]()
    texts = {name: field for name, field in fields.items() if field.type == "text"}
    for name, field in texts.items():
        value = body.get(name)
        if value in (None, "", [], {}):
            continue
        for column, language, said in _columns(name, field, value):
            made.setdefault(column, Texts(language, [], listed=field.listed)).said.extend(said)
            if field.localized:
                spoken.add(language)
    for column in _expected(texts, spoken):
        if column not in made or not any(made[column].said):
            made[column] = NOTHING
    return made


def _expected(texts: Mapping[str, Field], spoken: Iterable[str]) -> Iterator[str]:
    for name, field in texts.items():
        if field.localized:
            yield from (f"{name}@{language}" for language in spoken)
        elif not field.listed:  # whose words are shown to people
            yield name


def _columns(name: str, field: Field, value: object) -> Iterator[tuple[str, str, list[str]]]:
    if not field.localized:
        yield name, FOLDED, [spaced(text) for text in _texts(name, value)]
    elif isinstance(value, Mapping):
        for locale, text in value.items():
            yield column(name, field, locale), analyzer_of(locale), [spaced(part) for part in _texts(name, text)]
    else:
        raise ValueError(f"The field {name} wants a text for each locale, got {type(value).__name__}.")


def _texts(name: str, value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"The field {name} wants a text or a list of texts, got {type(value).__name__}.")
    return texts

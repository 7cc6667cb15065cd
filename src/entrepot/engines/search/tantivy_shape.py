"""How a shape becomes a tantivy schema, and an item a tantivy document. Knows no query and no business word."""

from collections.abc import Mapping
from typing import Literal

import msgspec
import tantivy
from msgspec import Struct
from tantivy import Document, Filter, Index, SchemaBuilder, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Item, Shape
from entrepot.engines.search.languages import ANALYZERS, FOLDED, analyzer_of, spaced

ID, KIND, VERSION, BODY = "_id", "_kind", "_version", "_body"
LIVE, GONE, PLACE = "live", "gone", "place"  # a place is a position

_WORD_CHARS_MAX = 80
# The simple tokenizer is twice as fast, but breaks words at marks, which are letters to Tamil, Thai and vowelled Arabic.
_MARKED = frozenset({"arabic", "tamil", FOLDED})
_WORD = r"[\p{L}\p{M}\p{N}]+"


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of the shape, as the port describes it."""

    type: Literal["keyword", "integer", "text", "keyword_map", "number_map"]
    localized: bool = False


class Fields(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole shape."""

    fields: dict[str, Field] = {}


def fields_of(shape: Shape) -> Mapping[str, Field]:
    """Return the fields by name (none for an empty shape: such a target is a plain store)."""
    return msgspec.json.decode(shape.text or b"{}", type=Fields).fields


def column(name: str, field: Field, locale: str) -> str:
    """Return the tantivy field that holds this field's text in this locale."""
    return f"{name}@{analyzer_of(locale)}" if field.localized else name


def open_index(path: str, fields: Mapping[str, Field]) -> Index:
    """Open the index in this folder, or make it there, with the analyzers its schema names."""
    builder = SchemaBuilder()
    builder.add_text_field(ID, stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(KIND, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field(VERSION, stored=True, fast=True)
    builder.add_bytes_field(BODY, stored=True)
    for name, field in fields.items():
        _add_field(builder, name, field)
    index = Index(builder.build(), path=path)
    for name in ANALYZERS:
        index.register_tokenizer(name, analyzer(name))
    return index


def analyzer(name: str) -> TextAnalyzer:
    """Return the analyzer of this name: words, in lower case, without accents, stemmed if there is a stemmer."""
    builder = TextAnalyzerBuilder(Tokenizer.regex(_WORD) if name in _MARKED else Tokenizer.simple())
    for step in (Filter.remove_long(_WORD_CHARS_MAX), Filter.lowercase(), Filter.ascii_fold()):
        builder = builder.filter(step)
    if name != FOLDED:
        builder = builder.filter(Filter.stemmer(name))
    return builder.build()


def document(item: Item, fields: Mapping[str, Field], schema: tantivy.Schema, kind: str = LIVE) -> Document:
    """Return the document of an item or a tombstone; ``ValueError`` when a value does not fit its field."""
    values: dict[str, object] = {ID: item.id, VERSION: item.version, KIND: GONE if item.body is None else kind}
    if item.body is not None:
        encoded = msgspec.json.encode(item.body)
        if len(encoded) > ITEM_BYTES_MAX:
            raise ValueError(f"The body has {len(encoded)} bytes, {ITEM_BYTES_MAX} at most.")
        values[BODY] = encoded
        for name, field in fields.items():
            value = item.body.get(name)
            if value not in (None, "", [], {}):
                _put_value(values, name, field, value)
    try:
        return Document.from_dict(values, schema)
    except Exception as error:  # tantivy raises a bare Exception for a number beyond 64 bits
        raise ValueError(str(error)) from error


def item_of(found: Document) -> Item:
    """Return the item that a document holds."""
    id_, version, body = (found.get_first(name) for name in (ID, VERSION, BODY))
    assert isinstance(id_, str)
    assert isinstance(version, int)
    return Item(id_, version, None if body is None else msgspec.json.decode(body))


def _add_field(builder: SchemaBuilder, name: str, field: Field) -> None:
    if field.type == "text":
        for language in ANALYZERS if field.localized else (FOLDED,):
            builder.add_text_field(f"{name}@{language}" if field.localized else name, tokenizer_name=language)
    elif field.type == "keyword":
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    elif field.type == "integer":
        builder.add_integer_field(name, indexed=True, fast=True)
    else:
        builder.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")


def _put_value(values: dict[str, object], name: str, field: Field, value: object) -> None:
    if field.type != "text":
        values[name] = value
    elif not field.localized:
        values[name] = [spaced(text) for text in _texts(name, value)]
    elif isinstance(value, Mapping):
        for locale, text in value.items():
            kept = values.setdefault(column(name, field, locale), [])
            assert isinstance(kept, list)
            kept.extend(spaced(part) for part in _texts(name, text))
    else:
        raise ValueError(f"The field {name} wants a text for each locale, got {type(value).__name__}.")


def _texts(name: str, value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"The field {name} wants a text or a list of texts, got {type(value).__name__}.")
    return texts

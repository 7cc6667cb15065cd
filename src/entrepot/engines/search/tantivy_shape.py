"""How a shape becomes a tantivy schema, and an item a tantivy document. Knows no query and no business word."""

from collections.abc import Mapping

import msgspec
import tantivy
from tantivy import Document, Index, SchemaBuilder

from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Item
from entrepot.engines.search.languages import ANALYZERS, FOLDED, analyzer
from entrepot.engines.search.shape import Field, texts_of

ID, KIND, VERSION, BODY = "_id", "_kind", "_version", "_body"
LIVE, GONE, PLACE = "live", "gone", "place"  # a place is a position


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
            if field.type != "text" and value not in (None, "", [], {}):
                values[name] = value
        values |= {column: texts.said for column, texts in texts_of(fields, item.body).items()}
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

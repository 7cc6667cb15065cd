"""How a shape becomes an Elasticsearch mapping, and an item a document. Knows no query and no business word.

A text is kept as the words that ``languages`` makes of it, so that the index needs no analyzer but white space; the body is
kept as the JSON text it is, so that it comes back as it went. A folded field whose words are listed has them once more as a
keyword field. Every key of a map of numbers is a field of its own; a sparse map is one keyword field, whose values begin with
their key and of which a number is written so that texts order as the numbers do: a thousand fields more are a quarter of the
server's work on each batch, and each has its part in every segment.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote

import msgspec
from msgspec import Struct

from entrepot.base.engine_limits import SEARCH_FIELDS_MAX, SEARCH_KEPT_MAX
from entrepot.base.errors import BadInputError
from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Item
from entrepot.engines.search.languages import ANALYZERS, analyzer
from entrepot.engines.search.shape import NOTHING, Field, Texts, texts_of

ID, KIND, BODY = "@id", "@kind", "@body"
LIVE, GONE, PLACE = "live", "gone", "place"  # a place is a position

_KEYWORD: Mapping[str, object] = {"type": "keyword"}
_WORDS: Mapping[str, object] = {"type": "text", "analyzer": "whitespace"}
_KEPT: Mapping[str, object] = {"type": "keyword", "index": False, "doc_values": False}
_NUMBER: Mapping[str, object] = {"type": "double", "coerce": False}
# Between key and value in a sparse map: a key is quoted, and has none.
_IS = "="


_SIGN = 1 << 63
_ALL = (1 << 64) - 1


class Values(Struct, frozen=True):
    """Where the values of a field stand in the index: in which field and, of a key of a sparse map, how they begin there."""

    field: str
    begin: str = ""
    numbers: bool = False

    def kept(self, value: object) -> object:
        """Return a value as the index has it."""
        if not self.begin:
            return value
        return self.begin + (_ordered(value) if self.numbers else _said(value))

    def told(self, kept: str | float) -> str | int | float:
        """Return the value that the index has so."""
        if not self.begin:
            return kept
        text = str(kept)[len(self.begin) :]
        return _number(text) if self.numbers else text

    def within(self, low: float | None, below: float | None) -> dict[str, object]:
        """Return the bounds of a range of the index's values; without bounds those of every value."""
        if not self.begin:
            return {name: bound for name, bound in (("gte", low), ("lt", below)) if bound is not None}
        beyond = f"{self.begin[: -len(_IS)]}{chr(ord(_IS) + 1)}"
        return {"gte": self.begin if low is None else self.kept(low), "lt": beyond if below is None else self.kept(below)}


def mapping(fields: Mapping[str, Field], made_by: Mapping[str, object]) -> dict[str, object]:
    """Return the mapping of an index with these fields, marked as ours."""
    properties: dict[str, object] = {ID: _KEYWORD, KIND: _KEYWORD, BODY: _KEPT}
    templates = []
    for name, field in fields.items():
        if field.type == "text":
            columns = [f"{name}@{language}" for language in ANALYZERS] if field.localized else [name]
            properties |= dict.fromkeys(columns, _WORDS)
            if field.listed:
                properties[listed(name)] = _KEYWORD
        elif field.type == "keyword" or field.sparse:
            properties[name] = _KEYWORD
        elif field.type == "integer":
            properties[name] = {"type": "long", "coerce": False}
        elif field.type == "keyword_map":
            properties[name] = {"type": "flattened"}
        else:
            properties[name] = {"type": "object", "dynamic": True}
            templates.append({name: {"path_match": f"{name}.*", "mapping": _NUMBER}})
    return {"dynamic": "strict", "dynamic_templates": templates, "properties": properties, "_meta": {"entrepot": made_by}}


def settings(shards: int, replicas: int | None, lifecycle: str | None = None) -> dict[str, object]:
    """Return the settings of an index; it shows what is written when we say so, and forgets deletions at once.

    Deletions by an item's version are documents (``GONE``), which stay; only a repair deletes, and means it.
    """
    copies = {"auto_expand_replicas": "0-1"} if replicas is None else {"number_of_replicas": replicas}
    return {
        "number_of_shards": shards,
        **copies,
        **({"lifecycle.name": lifecycle} if lifecycle else {}),
        "refresh_interval": "-1",
        "gc_deletes": "0s",
        "mapping.total_fields.limit": SEARCH_FIELDS_MAX,
    }


def listed(name: str) -> str:
    """Return the field that holds the words of a folded field one by one."""
    return f"{name}@listed"


def values_of(fields: Mapping[str, Field], field: str) -> Values:
    """Return where the values of a field, or of a ``map.key``, are in the index; what is no field is refused by name."""
    name, dot, key = field.partition(".")
    if name not in fields or bool(dot) != fields[name].type.endswith("_map"):
        raise BadInputError(f"{field!r} is no field of this index: it has {', '.join(fields)}.", field=field)
    numbers = fields[name].type == "number_map"
    if fields[name].sparse:
        return Values(name, _begin(key), numbers)
    return Values(f"{name}.{_key(key)}" if numbers else field)


def document(item: Item, fields: Mapping[str, Field]) -> dict[str, object]:
    """Return the document of an item or a tombstone; a ``ValueError`` or its like (see ``made_of``) when it cannot be one."""
    if item.body is None:
        return {ID: item.id, KIND: GONE}
    body = msgspec.json.encode(item.body)
    if len(body) > ITEM_BYTES_MAX:
        raise ValueError(f"The body has {len(body)} bytes, {ITEM_BYTES_MAX} at most.")
    made: dict[str, object] = {ID: item.id, KIND: LIVE, BODY: body.decode()}
    for name, field in fields.items():
        value = item.body.get(name)
        if value in (None, "", [], {}):
            continue
        if field.sparse:
            made[name] = list(_sparse(name, field, value))
        elif field.type == "number_map" and isinstance(value, Mapping):
            made[name] = {_key(str(key)): number for key, number in value.items()}
        elif field.type != "text":
            made[name] = value
    for column, texts in texts_of(fields, item.body).items():
        _put_words(made, column, texts)
    return made


def numbers(items: Iterable[Item], fields: Mapping[str, Field]) -> set[str]:
    """Return the number fields that the documents of these items need."""
    names = [name for name, field in fields.items() if field.type == "number_map" and not field.sparse]
    maps = ((name, (item.body or {}).get(name)) for item in items for name in names)
    found = {(name, key) for name, value in maps if isinstance(value, Mapping) for key in value}
    return {f"{name}.{_key(str(key))}" for name, key in found}


def number_mapping(paths: set[str]) -> dict[str, dict[str, dict[str, object]]]:
    """Return the properties that make these number fields."""
    properties: dict[str, dict[str, dict[str, object]]] = {}
    for each in sorted(paths):
        name, key = each.split(".", 1)
        properties.setdefault(name, {"properties": {}})["properties"][key] = _NUMBER
    return properties


def _put_words(made: dict[str, object], column: str, texts: Texts) -> None:
    if texts is NOTHING:
        made[column] = texts.said
        return
    said = [analyzer(texts.language).analyze(text) for text in texts.said]
    made[column] = [" ".join(words) for words in said]
    if texts.listed:
        made[listed(column)] = sorted({word for words in said for word in words})


def _sparse(name: str, field: Field, value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        raise TypeError(f"The field {name} wants a map, got {type(value).__name__}.")
    write = _ordered if field.type == "number_map" else _said
    for key, one in value.items():
        if isinstance(one, list | tuple):
            yield from (_begin(key) + write(each) for each in one)
        elif one is not None:
            yield _begin(key) + write(one)


def _said(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    raise TypeError(f"A keyword is a text, got {type(value).__name__}.")


def _ordered(number: object) -> str:
    """Return a number as 16 letters that order as the number does: its bits, the sign turned, of a negative one all."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"A number is wanted, got {number!r:.100}.")
    return _written(number + 0.0)  # there is but one zero


@lru_cache(maxsize=SEARCH_KEPT_MAX)
def _written(number: float) -> str:
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    return f"{bits ^ _ALL if bits & _SIGN else bits | _SIGN:016x}"


@lru_cache(maxsize=SEARCH_KEPT_MAX)
def _number(text: str) -> float:
    bits = int(text, 16)
    (number,) = struct.unpack(">d", struct.pack(">Q", bits ^ _SIGN if bits & _SIGN else bits ^ _ALL))
    assert isinstance(number, float)
    return number


@lru_cache(maxsize=SEARCH_FIELDS_MAX)
def _begin(key: str) -> str:
    return _key(key) + _IS


@lru_cache(maxsize=SEARCH_FIELDS_MAX)
def _key(key: str) -> str:
    # A dot would make an object of it, and an asterisk a pattern.
    return quote(key, safe="").replace(".", "%2E") or "%"

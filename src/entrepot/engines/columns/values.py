"""Which Python values a ClickHouse column takes unchanged, and what is said of those it does not.

The client library bends what does not fit (1.5 becomes 1, a moment without zone becomes UTC), so that a body would not come
back as it was put: it is refused here, before it is sent.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.projection import Item

_WRAPPED = re.compile(r"(Nullable|LowCardinality)\((.*)\)")
_KINDS: Mapping[str, type] = {
    "Int": int,
    "UInt": int,
    "Float": float,
    "Bool": bool,
    "String": str,
    "Enum": str,
    "Date": date,
    "DateTime": datetime,
    "UUID": UUID,
}


class Column(Struct, frozen=True):
    """A column of a body: its name, its type as ClickHouse writes it, and the Python types it takes (none: any)."""

    name: str
    declared: str
    kinds: frozenset[type]


def column(name: str, declared: str) -> Column:
    """Return the column, with what it takes found from its type."""
    inner, kinds = declared, set()
    while wrapped := _WRAPPED.fullmatch(inner):
        kinds |= {type(None)} if wrapped[1] == "Nullable" else set()
        inner = wrapped[2]
    base = re.match(r"[A-Za-z]+", inner)
    kind = _KINDS.get(base[0]) if base else None
    return Column(name, declared, frozenset({kind, *kinds}) if kind else frozenset())


def fits(columns: Sequence[Column], items: Sequence[Item]) -> bool:
    """Return whether every body has these columns and values of their types; quick, a column at a time."""
    names = {column.name for column in columns}
    if any(item.body is None or item.body.keys() != names for item in items):
        return False
    for column in columns:
        values = [item.body[column.name] for item in items if item.body is not None]
        kinds = set(map(type, values))
        if column.kinds and not kinds <= column.kinds:
            return False
        if datetime in kinds and any(value.tzinfo is None for value in values if isinstance(value, datetime)):
            return False
    return True


def misfit(columns: Sequence[Column], item: Item) -> str | None:
    """Return why this body cannot be stored as it is, or None if it can."""
    body = item.body or {}
    names = {column.name for column in columns}
    if odd := sorted(names ^ body.keys()):
        return f"The body and the table differ in {', '.join(odd)}: give exactly the columns of the shape."
    for column in columns:
        value = body[column.name]
        if column.kinds and type(value) not in column.kinds:
            return f"The column {column.name} is {column.declared} and cannot keep {value!r}: give a value of its type."
        if isinstance(value, datetime) and value.tzinfo is None:
            return f"The column {column.name} got {value!r} without a time zone: give a moment in UTC."
    return None

"""Which Python values a ClickHouse column takes unchanged, and what is said of those it does not.

The client library bends what does not fit (1.5 becomes 1, a moment without zone becomes UTC), so that a body would not come
back as it was put: it is refused here, before it is sent.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from entrepot.base.projection import Body

_WRAPPED = re.compile(r"(Nullable|LowCardinality)\((.*)\)")
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS: Mapping[str, type] = {
    "Int": int,
    "UInt": int,
    "Float": float,
    "Bool": bool,
    "String": str,
    "Enum": str,
    "Date": date,
    "DateTime": datetime,
    "UUID": str,
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


def as_read(column: Column) -> str:
    """Return how a column is selected: a UUID as the text that it is in a body, which ClickHouse makes faster than Python."""
    is_uuid = column.declared in {"UUID", "Nullable(UUID)"}
    return f"toString(`{column.name}`) AS `{column.name}`" if is_uuid else f"`{column.name}`"


def pivot(columns: Sequence[Column], bodies: Sequence[Body]) -> list[list[object]] | None:
    """Return the values by column, or None if some body does not fit; quick, a column at a time."""
    if any(len(body) != len(columns) for body in bodies):
        return None
    try:
        values = [[body[column.name] for body in bodies] for column in columns]
    except KeyError:
        return None
    return values if all(map(_fit, columns, values)) else None


def misfit(columns: Sequence[Column], body: Body) -> str | None:
    """Return why this body cannot be stored as it is, or None if it can."""
    names = {column.name for column in columns}
    if odd := sorted(names ^ body.keys()):
        return f"The body and the table differ in {', '.join(odd)}: give exactly the columns of the shape."
    for column in columns:
        if not _fit(column, [body[column.name]]):
            return f"The column {column.name} is {column.declared} and cannot keep {body[column.name]!r} as it is: mend it."
    return None


def _fit(column: Column, values: Sequence[object]) -> bool:
    kinds = set(map(type, values))
    if column.kinds and not kinds <= column.kinds:
        return False
    if datetime in kinds:
        return all(value.tzinfo is not None for value in {value for value in values if isinstance(value, datetime)})
    if "UUID" in column.declared:
        return all(map(_CANONICAL_UUID.fullmatch, {value for value in values if isinstance(value, str)}))
    return True

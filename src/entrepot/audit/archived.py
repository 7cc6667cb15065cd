"""Reads rows that have left the tables for object storage: as the chain hashes them, and as they are asked for."""

import asyncio
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from entrepot.audit import rules, store
from entrepot.audit.rows import Found
from entrepot.audit.rules import Row, Source
from entrepot.audit.store import ArchivedPart, Entry, Place, Told, Wanted
from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.late import Late
from entrepot.base.time import stamp_millis, utc
from entrepot.log.archived import Archive, fetch_verified
from entrepot.record.named import queries
from entrepot.record.transaction import Record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
else:
    pa, pc, pq = Late("pyarrow"), Late("pyarrow.compute"), Late("pyarrow.parquet")

SQL = queries(__package__, "archive.sql")

ENTRY_TYPES = {
    "id": "uuid",
    "seq": "int64",
    "txid": "int64",
    "at": "int64",
    "class": "string",
    "actor": "string",
    "action": "string",
    "object": "string",
    "subject": "uuid",
    "network": "string",
    "agent": "string",
    "why": "string",
    "status": "int32",
    "problem": "string",
    "others": "string",
}
UUIDS = frozenset({"id", "subject", "cause"})

ORDER_PLACED = "ordering.order_placed.v1"  # the audit knows no room of the business: its tag, as the table's query names it
_RANDOM_BITS = 80  # of a UUIDv7, behind its milliseconds

# The columns as they are hashed, in their order; the source's name and the cell stand before them.
COLUMNS: Mapping[Source, tuple[str, ...]] = {
    "event": ("id", "seq", "txid", "at", "kind", "key", "version", "body", "sealed", "subject", "actor", "cause"),
    "entry": tuple(ENTRY_TYPES),
}


class ArchivedRows:
    """The archived rows of one cell. Files are fetched when they are needed; the few that were read last are kept."""

    def __init__(self, record: Record, cell: int, archive: Archive) -> None:
        self._record, self._cell, self._archive = record, cell, archive
        self._kept = OrderedDict[str, "pa.Table"]()

    async def between(self, source: Source, after: Place, last: Place) -> Found:
        """Return the archived rows of a source after one place up to another."""
        async with self._record.reading() as connection:
            parts = await store.archives(connection, self._cell, source, after, last)
        rows: list[Row] = []
        for part in parts:
            if not part.retired:
                table = await self._table(part)
                rows += await asyncio.to_thread(_rows, table, source, self._cell, after, last)
        return Found(rows, retired=any(self._is_over(part) for part in parts))

    async def entries(self, wanted: Wanted, most: int) -> list[Entry]:
        """Return the archived entries that are asked for, newest first; a day is read from its end until there are enough."""
        now = stamp_millis(self._record.clock.tick())
        days = [rules.partition_of(utc(min(id_.int >> _RANDOM_BITS, now))) for id_ in (wanted.first, wanted.before)]
        async with self._record.reading() as connection:
            rows = await connection.fetch(SQL["parts_between"], self._cell, *days, limits.AUDIT_ARCHIVES_READ_MAX + 1)
        parts = [ArchivedPart(*row) for row in rows]
        found: list[Entry] = []
        for number, part in enumerate(parts):
            if len(found) >= most and part.partition != parts[number - 1].partition:
                break
            if number == limits.AUDIT_ARCHIVES_READ_MAX:
                raise BadInputError(
                    f"What is asked for lies in more than {number} objects of the archive: say from when and until when."
                )
            found += await asyncio.to_thread(_entries, await self._table(part), wanted)
        return sorted(found, key=lambda one: one.id, reverse=True)[:most]

    async def events_of(self, request: UUID, before: UUID, most: int) -> list[Told]:
        """Return the events that a request caused, up to an id, and that have left the log, in the order of commits."""
        days = [f"event_{utc(id_.int >> _RANDOM_BITS):%Y%m%d}" for id_ in (request, before)]
        async with self._record.reading() as connection:
            rows = await connection.fetch(SQL["log_parts_between"], self._cell, *days)
        near = [_near(await self._table(ArchivedPart(*row)), request, before) for row in rows]
        return _told(pa.concat_tables(near), request)[:most] if near else []

    def _is_over(self, part: ArchivedPart) -> bool:
        now = utc(stamp_millis(self._record.clock.tick()))
        return part.retired and part.kind is not None and rules.may_be_gone(part.partition, part.kind, now)

    async def _table(self, part: ArchivedPart) -> "pa.Table":
        if part.object not in self._kept:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "part.parquet"
                await fetch_verified(self._archive, part.object, part.sha256, path)
                self._kept[part.object] = await asyncio.to_thread(pq.read_table, path)
            while len(self._kept) > limits.AUDIT_FILES_KEPT_MAX:
                self._kept.popitem(last=False)
        return self._kept[part.object]


def _rows(table: "pa.Table", source: Source, cell: int, after: Place, last: Place) -> list[Row]:
    near = table.filter((pc.field("txid") >= after[0]) & (pc.field("txid") <= last[0]))
    columns = [near[name].to_pylist() for name in COLUMNS[source]]
    rows = []
    for values in zip(*columns, strict=True):
        named = dict(zip(COLUMNS[source], values, strict=True))
        if after < (named["txid"], named["seq"]) <= last:
            hashed = rules.hashed([source, cell, *(_text(name, value) for name, value in named.items())])
            rows.append(Row(named["txid"], named["seq"], UUID(bytes=named["id"]), hashed))
    return rows


def _entries(table: "pa.Table", wanted: Wanted) -> list[Entry]:
    """Return the entries of a file that are asked for, by the questions that the table is asked (``store.sql: entries``)."""
    near = table.filter((pc.field("id") >= wanted.first.bytes) & (pc.field("id") < wanted.before.bytes))
    found = [_entry(named) for named in _named(near, [*ENTRY_TYPES])]
    return [one for one in found if _is_wanted(one, wanted)]


def _near(table: "pa.Table", request: UUID, before: UUID) -> "pa.Table":
    rows = table.select(["txid", "seq", "id", "kind", "key", "at", "body", "cause"])
    return rows.filter((pc.field("id") > request.bytes) & (pc.field("id") < before.bytes))


def _told(near: "pa.Table", request: UUID) -> list[Told]:
    """Return what a request caused, and what was written beside its orders, as the table does (``store.sql: events_of``)."""
    caused = near.filter(pc.field("cause") == request.bytes)
    beside = {(row["txid"], key) for row in caused.to_pylist() if row["kind"] == ORDER_PLACED for key in _of_order(row["body"])}
    rows = caused.to_pylist()
    rows += [row for row in near.filter(pc.field("cause").is_null()).to_pylist() if (row["txid"], row["key"]) in beside]
    rows.sort(key=lambda row: (row["txid"], row["seq"]))
    return [Told(UUID(bytes=row["id"]), row["kind"], row["key"], row["at"]) for row in rows]


def _of_order(body: str) -> list[str]:
    """Return the keys of what is written together with an order: its payment, and the levels that it takes from."""
    placed = msgspec.json.decode(body)
    lines = [(line.get("variant_id"), line.get("warehouse")) for line in placed["lines"]]
    return [f"payment/{placed['id']}", *("/".join(("stock", *filter(None, line))) for line in lines)]


def _entry(named: dict[str, object]) -> Entry:
    given = {name: value for name, value in named.items() if name in Entry.__struct_fields__}
    others = [UUID(one) for one in str(named["others"] or "").split()]
    kind, id_, subject = named["class"], _uuid(named["id"]), _uuid(named["subject"])
    return msgspec.convert({**given, "kind": kind, "id": id_, "subject": subject, "others": others}, Entry)


def _is_wanted(one: Entry, wanted: Wanted) -> bool:
    return (
        (wanted.request is None or one.id == wanted.request)
        and (wanted.subject is None or wanted.subject in {one.subject, *one.others})
        and (wanted.actor is None or one.actor == wanted.actor)
        and (wanted.action is None or wanted.action in one.action)
        and (
            wanted.object is None or one.object in {wanted.object, wanted.marked} or one.object.startswith(f"{wanted.object}/")
        )
    )


def _named(table: "pa.Table", names: Sequence[str]) -> Iterator[dict[str, object]]:
    for values in zip(*(table[name].to_pylist() for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _uuid(value: object) -> UUID | None:
    return UUID(bytes=value) if isinstance(value, bytes) else None


def _text(name: str, value: object) -> object:
    """Return a value as the table would give it to be hashed."""
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if name in UUIDS else value.hex()
    return value

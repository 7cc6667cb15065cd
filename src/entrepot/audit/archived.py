"""Reads rows that have left the tables for object storage, as the chain hashes them."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from entrepot.audit import store
from entrepot.audit.rows import Found
from entrepot.audit.rules import Row, Source
from entrepot.audit.store import ArchivedPart, Place
from entrepot.log.archived import Archive, fetch_verified
from entrepot.record.transaction import Record

# The columns as they are hashed, in their order; the source's name and the cell stand before them.
COLUMNS: Mapping[Source, tuple[str, ...]] = {
    "event": ("id", "seq", "txid", "at", "kind", "key", "version", "body", "sealed", "subject", "actor", "cause"),
    "entry": (
        *("id", "seq", "txid", "at", "class", "actor", "action", "object", "subject"),
        *("network", "agent", "why", "status", "problem"),
    ),
}
_UUIDS = {"id", "subject", "cause"}


class ArchivedRows:
    """The archived rows of one cell. Files are fetched when they are needed; the one that was read last is kept."""

    def __init__(self, record: Record, cell: int, archive: Archive) -> None:
        self._record, self._cell, self._archive = record, cell, archive
        self._kept: tuple[str, pa.Table] | None = None

    async def between(self, source: Source, after: Place, last: Place) -> Found:
        """Return the archived rows of a source after one place up to another."""
        async with self._record.reading() as connection:
            parts = await store.archives(connection, self._cell, source, after, last)
        rows: list[Row] = []
        for part in parts:
            if not part.retired:
                table = await self._table(part)
                rows += await asyncio.to_thread(_rows, table, source, self._cell, after, last)
        return Found(rows, retired=any(part.retired for part in parts))

    async def _table(self, part: ArchivedPart) -> pa.Table:
        if self._kept is None or self._kept[0] != part.object:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "part.parquet"
                await fetch_verified(self._archive, part.object, part.sha256, path)
                self._kept = (part.object, await asyncio.to_thread(pq.read_table, path))
        return self._kept[1]


def _rows(table: pa.Table, source: Source, cell: int, after: Place, last: Place) -> list[Row]:
    near = table.filter((pc.field("txid") >= after[0]) & (pc.field("txid") <= last[0]))
    columns = [near[name].to_pylist() for name in COLUMNS[source]]
    rows = []
    for values in zip(*columns, strict=True):
        named = dict(zip(COLUMNS[source], values, strict=True))
        if after < (named["txid"], named["seq"]) <= last:
            hashed = [source, cell, *(_text(name, value) for name, value in named.items())]
            rows.append(Row(named["txid"], named["seq"], UUID(bytes=named["id"]), hashed))
    return rows


def _text(name: str, value: object) -> object:
    """Return a value as the table would give it to be hashed."""
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if name in _UUIDS else value.hex()
    return value

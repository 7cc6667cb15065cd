"""Reads what has left the table for object storage, in the same order and by the same positions as the table.

A partition's bounds are times, the order is ``(txid, seq)``, so neighbouring archives may overlap: they are merged.
"""

import asyncio
import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from msgspec import Raw, Struct

from entrepot.base import limits
from entrepot.base.errors import EntrepotError
from entrepot.base.event import Event, Position
from entrepot.base.late import Late
from entrepot.base.projection import Slot
from entrepot.log.batch import FAR, Batch, merged
from entrepot.record.named import queries
from entrepot.record.transaction import Record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
else:
    pa, pc, pq = Late("pyarrow"), Late("pyarrow.compute"), Late("pyarrow.parquet")

SQL = queries(__package__, "archive.sql")

COLUMN_TYPES = {
    "txid": "int64",
    "seq": "int64",
    "id": "uuid",
    "at": "int64",
    "kind": "string",
    "key": "string",
    "hash": "int64",
    "version": "int64",
    "body": "string",
    "sealed": "binary",
    "subject": "uuid",
    "actor": "string",
    "cause": "uuid",
}
EVENT_COLUMNS = ("hash", "id", "txid", "seq", "at", "kind", "key", "version", "body", "subject", "actor", "cause")


class Archive(Protocol):
    """Object storage as the log needs it: whole files by key. ``EngineAwayError`` when it does not answer."""

    async def put(self, key: str, source: Path) -> None:
        """Store a file under a key, whole or not at all; what was there is replaced."""
        ...

    async def get(self, key: str, destination: Path) -> None:
        """Fetch the object of a key into a file; ``NotFoundError`` if there is none."""
        ...


class ArchiveDamagedError(EntrepotError):
    """An object of the archive is not what was put there."""

    slug = "archive-damaged"


class _Part(Struct, frozen=True):
    """One archived partition of a cell."""

    object: str
    sha256: str
    first: Position
    last: Position


class _File:
    """One archived partition on disk; keeps the row group that was read last."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        groups = (self._file.metadata.row_group(group) for group in range(self._file.num_row_groups))
        self._last_txids = [_max(group.column(0)) for group in groups]
        self._group = -1
        self._rows = schema_of(COLUMN_TYPES).empty_table()

    def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return the file's events after a position; at most ``limit`` rows and one row group are looked at."""
        for group, last_txid in enumerate(self._last_txids):
            if last_txid >= after.txid:
                rows = self._load(group)
                first = bisect_right(range(rows.num_rows), after, key=lambda row: _position(rows, row))
                if first < rows.num_rows:
                    last = first + limit >= rows.num_rows and group == len(self._last_txids) - 1
                    return _batch(rows.slice(first, limit), slot, kinds, last=last)
        return Batch([], [], FAR)

    def _load(self, group: int) -> "pa.Table":
        if group != self._group:
            self._rows = self._file.read_row_group(group)
            self._group = group
        return self._rows


class ArchivedLog:
    """The archived part of the log; fetched files are kept in ``folder``, the few that were used last."""

    def __init__(self, record: Record, archive: Archive, folder: Path) -> None:
        self._record, self._archive, self._folder = record, archive, folder
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._turn = asyncio.Lock()

    async def read(self, slot: Slot, after: Position, kinds: frozenset[str], limit: int) -> Batch:
        """Return the slot's archived events of these kinds after a position; ``end`` is ``FAR`` if there are no more."""
        async with self._record.committing() as connection:
            rows = await connection.fetch(SQL["archives_after"], slot.cell, after.txid, after.seq)
        batch = Batch([], [], FAR)
        async with self._turn:
            for row in rows:
                part = _Part(
                    row["object"],
                    row["sha256"],
                    Position(row["first_txid"], row["first_seq"]),
                    Position(row["last_txid"], row["last_seq"]),
                )
                if part.first > batch.end:
                    break
                file = await self._open(part)
                batch = merged(batch, await asyncio.to_thread(file.read, slot, after, kinds, limit))
        return batch

    async def _open(self, part: _Part) -> _File:
        if part.object not in self._files:
            path = self._folder / f"{self._record.ids.fresh()}.parquet"  # processes may share the folder
            try:
                await fetch_verified(self._archive, part.object, part.sha256, path)
                self._files[part.object] = _File(path)
            finally:
                path.unlink(missing_ok=True)  # the open file lives on until it is closed; nothing is left behind, however often
            while len(self._files) > limits.ARCHIVE_FILES_MAX:
                self._files.popitem(last=False)
        self._files.move_to_end(part.object)
        return self._files[part.object]


async def fetch_verified(archive: Archive, key: str, sha256: str, path: Path) -> None:
    """Fetch an object and prove by its checksum that it is what was put there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    await archive.get(key, path)
    found = await asyncio.to_thread(checksum, path)
    if found != sha256:
        raise ArchiveDamagedError(
            f"The archive {key} has the checksum {found}, {sha256} was put there: restore it from a backup.", key=key
        )


def checksum(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def schema_of(types: Mapping[str, str]) -> "pa.Schema":
    """Return the schema of a file whose columns have these types, by name: of pyarrow, or ``uuid``."""
    return pa.schema([(column, pa.binary(16) if name == "uuid" else getattr(pa, name)()) for column, name in types.items()])


def _position(rows: "pa.Table", row: int) -> Position:
    return Position(rows["txid"][row].as_py(), rows["seq"][row].as_py())


def _batch(rows: "pa.Table", slot: Slot, kinds: frozenset[str], *, last: bool) -> Batch:
    wanted = rows.filter(pc.is_in(rows["kind"], value_set=pa.array(sorted(kinds), pa.string())))
    columns = (wanted[name].to_pylist() for name in EVENT_COLUMNS)
    chosen = [row for row in zip(*columns, strict=True) if row[0] % slot.shards == slot.shard]
    end = _position(rows, rows.num_rows - 1)
    return Batch(
        events=[
            Event(
                slot.cell,
                UUID(bytes=id_),
                Position(txid, seq),
                at,
                kind,
                key,
                version,
                Raw(body),
                _uuid(subject),
                actor,
                _uuid(cause),
            )
            for _, id_, txid, seq, at, kind, key, version, body, subject, actor, cause in chosen
        ],
        hashes=[row[0] for row in chosen],
        end=FAR if last else end,
        last=end,
        scanned=rows.num_rows,
        passed=end.seq,
        stamp=rows["at"][rows.num_rows - 1].as_py(),
        full=not last,
    )


def _max(column: "pq.ColumnChunkMetaData") -> int:
    largest = column.statistics.max if column.statistics else None
    assert largest is not None, "statistics of txid are always written"
    return int(largest)


def _uuid(value: bytes | None) -> UUID | None:
    return UUID(bytes=value) if value else None

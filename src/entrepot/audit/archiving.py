"""Moves entries of long ago to object storage, a day and class an object, and deletes one when the years of its class are over.

It works as the owner of the tables. A day leaves when all of it is linked and a published root vouches for that: what was there
is then told from the chain for good. Each step is durable before the next and can be repeated: write, read back, note, drop.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import asyncpg
import structlog
from msgspec import Struct

from entrepot.audit import rules, store
from entrepot.audit.archived import ENTRY_TYPES, SQL, UUIDS
from entrepot.audit.rules import KEPT_YEARS, Class
from entrepot.audit.store import BEFORE_ALL, Place
from entrepot.base import limits
from entrepot.base.late import Late
from entrepot.base.time import Clock, utc
from entrepot.log.archived import Archive, ArchiveDamagedError, checksum, fetch_verified, schema_of
from entrepot.record.transaction import Connection, Record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa, pq = Late("pyarrow"), Late("pyarrow.parquet")

log = structlog.get_logger()


class Objects(Archive, Protocol):
    """An archive that forgets what it is told to forget."""

    async def delete(self, key: str) -> None:
        """Keep nothing under this key; does nothing if nothing is there."""
        ...


class Left(Struct, frozen=True):
    """The entries of one class of a cell's day, now in the archive; or gone from it (``retired``)."""

    cell: int
    partition: str
    object: str
    rows: int
    retired: bool = False


async def archive_entries(record: Record, objects: Objects, clock: Clock) -> list[Left]:
    """Move every day of entries that is old enough and vouched for, and retire what is over; one process at a time does so."""
    now = utc(clock.millis())
    async with record.committing() as connection:
        if not await connection.fetchval(SQL["take_turn"]):
            return []
        try:
            return [*await _move_all(connection, objects, now), *await _retire_all(connection, objects, now)]
        finally:
            await connection.execute(SQL["end_turn"])


async def _move_all(connection: Connection, objects: Objects, now: datetime) -> list[Left]:
    left: list[Left] = []
    before = rules.partition_of(now - timedelta(days=limits.AUDIT_TABLE_DAYS))
    for row in await connection.fetch(SQL["partitions"], before):
        contents = await connection.fetch(_of("contents", row["name"]))
        if not await _is_vouched_for(connection, contents):
            log.warning("audit.not_vouched_for", partition=row["name"])
            break
        moved = [await _copy(connection, objects, row["name"], one) for one in contents]
        try:
            await connection.fetchval(SQL["drop_archived"], row["name"])
        except asyncpg.LockNotAvailableError as error:  # somebody reads it: in an hour again
            log.warning("audit.partition_busy", partition=row["name"], why=str(error))
            break
        left += moved
    return left


async def _is_vouched_for(connection: Connection, contents: Sequence[asyncpg.Record]) -> bool:
    """Say whether every entry is linked, and a root that was published covers its link."""
    for one in contents:
        root = await store.last_root(connection, one["cell"])
        if root is None or await store.linked_up_to(connection, one["cell"], root.last_place, "entry") < tuple(one["last"]):
            return False
    return True


async def _copy(connection: Connection, objects: Objects, name: str, one: asyncpg.Record) -> Left:
    key = f"audit/cell={one['cell']}/{name}-{one['class']}.parquet"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, back = Path(folder) / "part.parquet", Path(folder) / "back.parquet"
        await _write(connection, name, one["cell"], one["class"], path)
        sha256 = await asyncio.to_thread(checksum, path)
        await objects.put(key, path)
        await fetch_verified(objects, key, sha256, back)
        rows = pq.read_metadata(back).num_rows
    if rows != one["rows"]:
        raise ArchiveDamagedError(
            f"{key} holds {rows} entries, {one['rows']} were to be archived: nothing was dropped.", key=key
        )
    places = (*one["first"], *one["last"])
    await connection.execute(SQL["add_archive"], one["cell"], name, one["class"], key, rows, *places, sha256)
    return Left(one["cell"], name, key, rows)


async def _write(connection: Connection, name: str, cell: int, kind: Class, path: Path) -> None:
    """Write entries in commit order, a page at a time, each a row group."""
    with pq.ParquetWriter(path, schema_of(ENTRY_TYPES), compression="zstd") as writer:
        after: Place = BEFORE_ALL
        while rows := await connection.fetch(_of("page", name), cell, kind, *after, limits.ARCHIVE_ROWS):
            columns = {
                column: [row[column].bytes if column in UUIDS and row[column] is not None else row[column] for row in rows]
                for column in ENTRY_TYPES
            }
            writer.write_table(pa.table(columns, schema=schema_of(ENTRY_TYPES)))
            after = (rows[-1]["txid"], rows[-1]["seq"])


async def _retire_all(connection: Connection, objects: Objects, now: datetime) -> list[Left]:
    gone: list[Left] = []
    for kind in KEPT_YEARS:
        before = rules.partition_of(rules.kept_since(kind, now))
        for row in await connection.fetch(SQL["over"], kind, before, limits.AUDIT_RETIRED_MAX):
            await objects.delete(row["object"])
            await connection.execute(SQL["mark_retired"], row["object"])
            gone.append(Left(row["cell"], row["partition"], row["object"], row["rows"], retired=True))
    return gone


def _of(query: str, partition: str) -> str:
    """Return a query about one partition; its name comes from the catalogue, by a pattern that leaves nothing to quote."""
    return SQL[query].replace("{entries}", partition)

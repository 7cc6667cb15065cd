"""Moves partitions of the log that everyone has passed to object storage as Parquet, and makes those of the days to come.

Each step is durable before the next and may be repeated: close, write, read back, note, detach, drop. ``archived`` reads them.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import START, Position
from entrepot.base.late import Late
from entrepot.base.time import Clock, utc
from entrepot.log.archived import COLUMN_TYPES, SQL, Archive, ArchiveDamagedError, checksum, fetch_verified, schema_of
from entrepot.record.transaction import Connection, Record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa, pq = Late("pyarrow"), Late("pyarrow.parquet")

log = structlog.get_logger()

# Somebody writes to it; or another process is moving it, or has just done so.
BUSY = (
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock is not to be had, too
    asyncpg.QueryCanceledError,
    asyncpg.DuplicateObjectError,
    asyncpg.UndefinedTableError,
)


class Moved(Struct, frozen=True):
    """A cell's events of one partition, now in the archive."""

    cell: int
    partition: str
    object: str
    rows: int
    bytes: int


class _Contents(Struct, frozen=True):
    """What a partition holds of a cell."""

    cell: int
    rows: int
    first: Position
    last: Position


async def ensure_partitions(record: Record, clock: Clock) -> int:
    """Make the log's partitions of the days around now and return how many were missing: at start, and once a day."""
    async with record.committing() as connection:
        return int(await connection.fetchval(SQL["ensure_partitions"], utc(clock.millis())))


async def archive_passed(record: Record, archive: Archive, clock: Clock) -> list[Moved]:
    """Move every partition that is over and passed to the archive; one that is busy, or needed, is left for the next time.

    One process at a time does this; another finds nothing to do.
    """
    async with record.committing() as connection:
        if not await connection.fetchval(SQL["take_turn"]):  # a process that dies, or is cut, gives it back
            return []
        try:
            return await _move_all(connection, archive, clock)
        finally:
            await connection.execute(SQL["end_turn"])


async def _move_all(connection: Connection, archive: Archive, clock: Clock) -> list[Moved]:
    moved: list[Moved] = []
    for row in await connection.fetch(SQL["partitions"]):
        name = row["name"]
        day = datetime.strptime(name, "event_%Y%m%d").replace(tzinfo=UTC)
        if utc(clock.millis()) < day + timedelta(days=1, seconds=limits.ARCHIVE_MARGIN_SECONDS):
            break
        try:
            moved += await _move(connection, archive, name, row)
        except BUSY as error:
            log.warning("archive.partition_busy", partition=name, why=str(error))
    return moved


async def _move(connection: Connection, archive: Archive, name: str, found: asyncpg.Record) -> list[Moved]:
    moved: list[Moved] = []
    if not (found["pending"] or found["detached"]):
        if not found["closed"]:
            await connection.execute(_of("close_partition", name))
        contents = [
            _Contents(
                row["cell"],
                row["rows"],
                Position(row["first_txid"], row["first_seq"]),
                Position(row["last_txid"], row["last_seq"]),
            )
            for row in await connection.fetch(_of("contents", name))
        ]
        if not await _is_needed_by_nobody(connection, name, contents):
            return []
        moved = [await _copy(connection, archive, name, content) for content in contents]
    await _drop(connection, name, pending=found["pending"], detached=found["detached"])
    return moved


async def _is_needed_by_nobody(connection: Connection, name: str, contents: list[_Contents]) -> bool:
    for content in contents:
        if not await connection.fetchval(SQL["is_passed"], content.cell, content.last.txid, content.last.seq):
            return False
    return not await connection.fetchval(_of("has_parked", name))


async def _copy(connection: Connection, archive: Archive, name: str, content: _Contents) -> Moved:
    """Write a cell's events of a partition to the archive, read them back, and note them."""
    key = f"log/cell={content.cell}/{name}.parquet"
    # A copy that is cut leaves threads that may still write here for a moment.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "part.parquet"
        await _write(connection, name, content.cell, path)
        sha256, size = await asyncio.to_thread(checksum, path), path.stat().st_size
        await archive.put(key, path)
        back = Path(folder) / "back.parquet"
        await fetch_verified(archive, key, sha256, back)
        rows = pq.read_metadata(back).num_rows
    if rows != content.rows:
        raise ArchiveDamagedError(
            f"{key} holds {rows} events, {content.rows} were to be archived: nothing was dropped.", key=key
        )
    await connection.execute(
        SQL["add_archive"],
        *(content.cell, name, key, rows),
        *(content.first.txid, content.first.seq, content.last.txid, content.last.seq, sha256, size),
    )
    log.info("archive.written", object=key, rows=rows, bytes=size)
    return Moved(content.cell, name, key, rows, size)


async def _write(connection: Connection, name: str, cell: int, path: Path) -> None:
    """Write a cell's events in log order, a page at a time, each a row group."""
    with pq.ParquetWriter(path, schema_of(COLUMN_TYPES), compression="zstd") as writer:
        after = START
        while rows := await connection.fetch(_of("page", name), cell, after.txid, after.seq, limits.ARCHIVE_ROWS):
            await _ended(asyncio.to_thread(_write_group, writer, rows))
            after = Position(rows[-1]["txid"], rows[-1]["seq"])


async def _ended(work: Coroutine[object, object, None]) -> None:
    """Wait for a thread's work to its end, even when cut: the file that it writes to is closed right afterwards."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    finally:
        await asyncio.wait([running])


def _write_group(writer: "pq.ParquetWriter", rows: list[asyncpg.Record]) -> None:
    uuids = {"id", "subject", "cause"}
    columns = {
        name: [row[name].bytes if name in uuids and row[name] is not None else row[name] for row in rows]
        for name in COLUMN_TYPES
    }
    writer.write_table(pa.table(columns, schema=schema_of(COLUMN_TYPES)))


async def _drop(connection: Connection, name: str, *, pending: bool, detached: bool) -> None:
    """Take a partition away whose every event is in the archive."""
    kept = await connection.fetchval(SQL["archived_rows"], name)
    held = await connection.fetchval(_of("counted_rows", name))
    if kept != held:
        raise ArchiveDamagedError(
            f"log.{name} holds {held} events and the archive {kept}: nothing was dropped.", partition=name
        )
    if pending:
        await connection.execute(_of("finalize", name))
    elif not detached:
        await connection.execute(_of("detach", name))
    await connection.execute(_of("drop", name))
    await connection.execute(SQL["mark_dropped"], name)


def _of(query: str, partition: str) -> str:
    """Return a query about one partition; its name comes from the catalogue, by a pattern that leaves nothing to quote."""
    return SQL[query].replace("{partition}", partition)

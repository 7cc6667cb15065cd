"""The jobs' queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from entrepot.base.event import Position
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Run(Struct, frozen=True):
    """How a job's last run went; ``done`` counts over all its runs."""

    name: str
    at: datetime
    done: int
    seconds: float
    error: str | None


class KeyPage(Struct, frozen=True):
    """A page of idempotency keys that was looked at: the last of them (empty: there are no more), and how many were old."""

    last: str
    forgotten: int


class Cursor(Struct, frozen=True):
    """How far a reaction has read, and how many events (of whatever kind) lie behind it.

    ``aside`` counts the keys that it could not react to, ``error`` is why of the first of them.
    """

    name: str
    position: Position
    updated_at: datetime
    behind: int
    aside: int
    error: str | None


async def note_run(connection: Connection, name: str, done: int, seconds: float, error: str | None) -> None:
    """Note how a job's last run went."""
    await connection.execute(SQL["note_run"], name, done, seconds, error)


async def runs(connection: Connection) -> list[Run]:
    """Return how each job's last run went."""
    return [Run(*row) for row in await connection.fetch(SQL["runs"])]


async def cursor(connection: Connection, cell: int, name: str, *, from_start: bool) -> Position:
    """Return how far a reaction has read; a new one begins with what comes from now on, or with the whole log."""
    await connection.execute(SQL["begin_cursor"], cell, name, from_start)
    row = await connection.fetchrow(SQL["cursor"], cell, name)
    assert row is not None
    return Position(row["txid"], row["seq"])


async def move_cursor(connection: Connection, cell: int, name: str, was: Position, to: Position) -> set[str] | None:
    """Move a cursor on and return the keys set aside; None when it stood no more where it was thought to be."""
    row = await connection.fetchrow(SQL["move_cursor"], cell, name, was.txid, was.seq, to.txid, to.seq)
    return None if row is None else set(row["aside"])


async def cursors(connection: Connection, cell: int) -> list[Cursor]:
    """Return how far every reaction has read."""
    return [
        Cursor(row["name"], Position(row["txid"], row["seq"]), row["updated_at"], row["behind"], row["aside"], row["error"])
        for row in await connection.fetch(SQL["cursors"], cell)
    ]


async def forget_keys(
    connection: Connection, cell: int, after: str, limit: int, before: datetime, kept: Sequence[str]
) -> KeyPage:
    """Delete those of the next keys that were given before a moment, but for those that begin in a way that is kept."""
    row = await connection.fetchrow(SQL["forget_keys"], cell, after, limit, before, kept)
    assert row is not None
    return KeyPage(row["last"], row["forgotten"])

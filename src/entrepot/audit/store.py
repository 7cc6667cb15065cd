"""The audit's queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.audit import rules
from entrepot.audit.rules import Class, Link, Row, Source
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

Place = tuple[int, int]

# After every id.
LAST = UUID(int=2**128 - 1)

# Before every row: positions count from 0.
BEFORE_ALL: Place = (0, -1)


class Entry(Struct, frozen=True, kw_only=True):
    """One answer that was given. ``at`` is a hybrid stamp; ``action`` a method and a route, or what the command line did.

    ``subject`` is whose data it told, ``others`` who else's.
    """

    id: UUID
    at: int
    kind: Class
    actor: str
    action: str
    object: str = ""
    subject: UUID | None = None
    network: str = ""
    agent: str = ""
    why: str = ""
    status: int = 200
    problem: str = ""
    others: Sequence[UUID] = ()


class Wanted(Struct, frozen=True, kw_only=True):
    """Which entries are asked for: about whom, by whom, about what; ids from (with it) and to (without it)."""

    request: UUID | None = None
    subject: UUID | None = None
    actor: str | None = None
    object: str | None = None
    marked: str | None = None
    action: str | None = None
    first: UUID = UUID(int=0)
    before: UUID = LAST


class Root(Struct, frozen=True, kw_only=True):
    """A root as it was noted when it was published."""

    number: int
    last_place: int
    at: int
    object: str
    document: str
    locked: bool


class StoredKey(Struct, frozen=True):
    """A key that signs roots, closed under the keyring's."""

    public: bytes
    wrapped_by: str
    wrapped: bytes


class ArchivedPart(Struct, frozen=True):
    """A part of a source that lies in object storage alone; ``retired`` when its time was over and it is gone."""

    object: str
    sha256: str
    partition: str
    kind: Class | None
    retired: bool


class Chain(Struct, frozen=True, kw_only=True):
    """Where a chain stands: stamps are hybrid; waiting rows are counted up to 10,000."""

    place: int = 0
    linked_at: int | None = None
    root: int | None = None
    root_place: int | None = None
    root_at: int | None = None
    locked: bool | None = None
    object: str | None = None
    waiting_entries: int = 0
    waiting_events: int = 0


class Told(Struct, frozen=True):
    """An event of the log, without what it tells; ``at`` is a hybrid stamp."""

    id: UUID
    kind: str
    key: str
    at: int


class Unanswered(Struct, frozen=True):
    """A request whose events are in the log and that left no entry."""

    request: UUID
    at: int
    kinds: list[str]


async def put_entries(connection: Connection, cell: int, entries: Sequence[Entry]) -> None:
    """Write entries."""
    await connection.execute(
        SQL["put_entries"],
        cell,
        [one.id for one in entries],
        [one.at for one in entries],
        [one.kind for one in entries],
        [one.actor for one in entries],
        [one.action for one in entries],
        [one.object for one in entries],
        [one.subject for one in entries],
        [one.network for one in entries],
        [one.agent for one in entries],
        [one.why for one in entries],
        [one.status for one in entries],
        [one.problem for one in entries],
        [_array(one.others) for one in entries],
    )


async def ensure_partitions(connection: Connection, now: datetime) -> int:
    """Make the partitions of the days around a moment and return how many were missing."""
    made: int = await connection.fetchval(SQL["ensure_partitions"], now)
    return made


async def write_out(connection: Connection, cell: int, batches_max: int) -> int:
    """Give the entries of the orders that calls placed rows of their own, and return how many calls' that were."""
    written: int = await connection.fetchval(SQL["write_out"], cell, batches_max)
    return written


async def link_next(connection: Connection, cell: int, source: Source, stamp: int, rows_max: int) -> int:
    """Add one link to the chain and return how many rows it holds."""
    linked: int = await connection.fetchval(SQL["link_next"], cell, source, stamp, rows_max)
    return linked


async def rows(connection: Connection, cell: int, source: Source, after: Place, last: Place) -> list[Row]:
    """Return the rows of a source after one place up to another, in commit order."""
    found = await connection.fetch(SQL[f"{source}_rows"], cell, *after, *last)
    return [Row(row[4], row[3], UUID(row[2]), rules.hashed(list(row))) for row in found]


async def links_after(connection: Connection, cell: int, place: int, rows_max: int, links_max: int) -> list[Link]:
    """Return the next links."""
    return [Link(*row) for row in await connection.fetch(SQL["links_after"], cell, place, rows_max, links_max)]


async def place_at(connection: Connection, cell: int, stamp: int) -> int:
    """Return the place of the last link that was made before a stamp; 0 if there is none."""
    place: int = await connection.fetchval(SQL["place_at"], cell, stamp)
    return place


async def linked_up_to(connection: Connection, cell: int, place: int, source: Source) -> Place:
    """Return up to where a source is linked at a place of the chain."""
    row = await connection.fetchrow(SQL["link_before"], cell, place, source)
    return (row["last_txid"], row["last_seq"]) if row else BEFORE_ALL


async def link_at(connection: Connection, cell: int, place: int) -> Link | None:
    """Return one link."""
    row = await connection.fetchrow(SQL["link_at"], cell, place)
    return Link(*row) if row else None


async def hashes_after(connection: Connection, cell: int, place: int, most: int) -> list[tuple[int, bytes, int]]:
    """Return place, hash and stamp of the links after a place."""
    return [(row["place"], row["hash"], row["at"]) for row in await connection.fetch(SQL["hashes_between"], cell, place, most)]


async def last_root(connection: Connection, cell: int) -> Root | None:
    """Return the root that was published last."""
    row = await connection.fetchrow(SQL["last_root"], cell)
    return Root(**dict(row)) if row else None


async def put_root(connection: Connection, cell: int, root: Root) -> None:
    """Note a root that is published."""
    await connection.execute(
        SQL["put_root"], cell, root.number, root.last_place, root.at, root.object, root.document, root.locked
    )


async def signing_keys(connection: Connection) -> list[StoredKey]:
    """Return the keys that sign roots, newest first."""
    return [StoredKey(*row) for row in await connection.fetch(SQL["signing_keys"])]


async def put_signing_key(connection: Connection, key: StoredKey) -> None:
    """Keep the first key that signs roots, unless another was quicker."""
    await connection.execute(SQL["lock_signing_keys"])
    await connection.execute(SQL["put_signing_key"], key.public, key.wrapped_by, key.wrapped)


async def archives(connection: Connection, cell: int, source: Source, after: Place, last: Place) -> list[ArchivedPart]:
    """Return the archived parts of a source that reach into a stretch of places."""
    return [ArchivedPart(*row) for row in await connection.fetch(SQL[f"{source}_archives"], cell, *after, *last)]


async def entries(connection: Connection, cell: int, wanted: Wanted, most: int) -> list[Entry]:
    """Return entries, newest first."""
    found = await connection.fetch(
        SQL["entries"],
        *(
            cell,
            wanted.subject,
            wanted.actor,
            wanted.object,
            wanted.marked,
            wanted.first,
            wanted.before,
            most,
            wanted.action,
            wanted.request,
        ),
    )
    return [Entry(kind=row["class"], **{name: row[name] for name in _READ}) for row in found]


async def events_of(connection: Connection, cell: int, request: UUID, before: UUID, most: int) -> list[Told]:
    """Return the events that a request caused."""
    return [Told(*row) for row in await connection.fetch(SQL["events_of"], cell, request, before, most)]


async def state(connection: Connection, cell: int) -> Chain:
    """Return where a chain stands."""
    row = await connection.fetchrow(SQL["state"], cell)
    return Chain(**dict(row)) if row else Chain()


async def without_entry(connection: Connection, cell: int, first: int, before: int, most: int) -> list[Unanswered]:
    """Return requests whose events are in the log and that left no entry, between two stamps."""
    return [Unanswered(*row) for row in await connection.fetch(SQL["without_entry"], cell, first, before, most)]


def _array(ids: Sequence[UUID]) -> str | None:
    """Return ids as PostgreSQL writes an array: one column of many entries holds an array for each."""
    return "{" + ",".join(str(one) for one in ids) + "}" if ids else None


_READ = tuple(name for name in Entry.__struct_fields__ if name != "kind")

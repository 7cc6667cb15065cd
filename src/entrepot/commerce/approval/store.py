"""The queries of approvals, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.event import Event
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.approval.rules import RECORD, Approval, Deed, Limit
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class FinancialChange(Struct, frozen=True, kw_only=True):
    """One change of what decides about money: what it now is (``body``), by whom, and when."""

    id: UUID
    at: datetime
    kind: str
    key: str
    version: int
    actor: str
    body: msgspec.Raw


async def threshold(connection: Connection, kind: str, scope: str) -> int | None:
    """Return from where on a deed takes two people; None where there is no limit."""
    above: int | None = await connection.fetchval(SQL["threshold"], kind, scope)
    return above


async def thresholds(connection: Connection) -> list[Limit]:
    """Return every limit."""
    return [Limit(**dict(row)) for row in await connection.fetch(SQL["thresholds"])]


async def migrations_are_held(connection: Connection) -> bool:
    """Say whether the record is one whose schema takes two people to change; one without a schema is not."""
    known = await connection.fetchval(SQL["migrations_may_be_held"])
    return bool(known) and await threshold(connection, "migration", RECORD) is not None


async def put_threshold(connection: Connection, wanted: Limit) -> int | None:
    """Set or lift a limit; returns its version (of one that is lifted: the one after its last), None when it was so already."""
    if wanted.above is None:
        last: int | None = await connection.fetchval(SQL["lift_threshold"], wanted.kind, wanted.scope)
        return None if last is None else last + 1
    version: int | None = await connection.fetchval(SQL["put_threshold"], wanted.kind, wanted.scope, wanted.above)
    return version


async def open_of(connection: Connection, cell: int, deed: Deed) -> Approval | None:
    """Return, locked, the approval that a deed waits for or has."""
    return _one(await connection.fetchrow(SQL["open_of"], cell, deed.digest))


async def last_of(connection: Connection, cell: int, deed: Deed) -> Approval | None:
    """Return the last approval of a deed, however it stands."""
    return _one(await connection.fetchrow(SQL["last_of"], cell, deed.digest))


async def approval(connection: Connection, cell: int, id_: UUID, *, for_update: bool = False) -> Approval | None:
    """Return an approval, locked if wanted."""
    return _one(await connection.fetchrow(SQL["approval_for_update" if for_update else "approval"], cell, id_))


async def approvals(connection: Connection, cell: int, state: str, before: UUID | None, limit: int) -> list[Approval]:
    """Return approvals before an id, newest first; of one state, or of every."""
    return [Approval(**dict(row)) for row in await connection.fetch(SQL["approvals"], cell, state, before, limit)]


async def over(connection: Connection, cell: int, now: datetime, limit: int) -> list[UUID]:
    """Return approvals whose time is over."""
    return [row["id"] for row in await connection.fetch(SQL["over"], cell, now, limit)]


async def put_approval(connection: Connection, cell: int, one: Approval, digest: bytes) -> bool:
    """Write an approval that a deed waits for; says whether it did not wait already."""
    new = await connection.fetchval(
        SQL["put_approval"], cell, one.id, one.kind, one.about, one.scope, one.amount, one.what, digest, one.state,
        one.asked_by, one.asked_at, one.expires_at,
    )  # fmt: skip
    return new is not None


async def move_approval(connection: Connection, cell: int, one: Approval) -> None:
    """Write how an approval now stands."""
    await connection.execute(
        SQL["move_approval"], cell, one.id, one.state, one.decided_by, one.decided_at, one.why, one.applied_at, one.version
    )


async def put_changes(connection: Connection, cell: int, events: Sequence[Event]) -> None:
    """Note changes of financial terms."""
    await connection.execute(
        SQL["put_changes"], cell, [one.id for one in events], [utc(stamp_millis(one.at)) for one in events],
        [one.kind for one in events], [one.key for one in events], [one.version for one in events],
        [one.actor for one in events], [bytes(one.body).decode() for one in events],
    )  # fmt: skip


async def changes(
    connection: Connection, cell: int, key: str, since: datetime, before: UUID | None, limit: int
) -> list[FinancialChange]:
    """Return changes of financial terms before an id, newest first."""
    rows = await connection.fetch(SQL["changes"], cell, key, since, before, limit)
    return [FinancialChange(**{**dict(row), "body": msgspec.Raw(row["body"].encode())}) for row in rows]


def _one(row: object) -> Approval | None:
    return None if row is None else Approval(**dict(row))  # type: ignore[call-overload]  # a row of asyncpg is a mapping

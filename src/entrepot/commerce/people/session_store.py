"""Sessions and API keys: the queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.base.principal import Membership
from entrepot.commerce.people.store import memberships as told
from entrepot.commerce.people.tokens import Proof
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "sessions.sql")


class Held(Struct, frozen=True):
    """A session or key that is good: whose it is, and all that is asked of it at a request."""

    person_id: UUID
    methods: list[str]
    proved_at: datetime
    expires_at: datetime
    scopes: list[str]
    memberships: list[Membership]


class StoredSession(Struct, frozen=True):
    """A session as its owner sees it."""

    id: UUID
    methods: list[str]
    place_sealed: bytes | None
    began_at: datetime
    seen_at: datetime
    expires_at: datetime


async def add_session(
    connection: Connection,
    proof: Proof,
    person_id: UUID,
    methods: Sequence[str],
    *,
    place_sealed: bytes | None,
    now: datetime,
    idle_seconds: int,
    expires_at: datetime,
    proved_at: datetime,
) -> None:
    """Begin a session."""
    given = (proof.id, person_id, proof.hash, methods, place_sealed, now, idle_seconds, expires_at, proved_at)
    await connection.execute(SQL["add_session"], *given)


async def memberships(connection: Connection, person_id: UUID) -> list[Membership]:
    """Return what somebody is, and to whom."""
    return [Membership(*row) for row in await connection.fetch(SQL["memberships"], person_id)]


async def touch_session(connection: Connection, proof: Proof, now: datetime) -> Held | None:
    """Note that a session is used, and return it; None when it is not good."""
    return _held(await connection.fetchrow(SQL["touch_session"], proof.id, proof.hash, now))


async def touch_key(connection: Connection, proof: Proof, now: datetime) -> Held | None:
    """Note that an API key is used, and return it; None when it is not good."""
    return _held(await connection.fetchrow(SQL["touch_key"], proof.id, proof.hash, now))


async def renew_session(
    connection: Connection, session_id: UUID, person_id: UUID, now: datetime, proof: Proof, methods: Sequence[str]
) -> datetime | None:
    """Give a session a new secret, with ``methods`` as a fresh proof; returns its end, or None when it is over."""
    end: datetime | None = await connection.fetchval(SQL["renew_session"], session_id, person_id, now, proof.hash, methods)
    return end


async def end_sessions(
    connection: Connection, person_id: UUID, now: datetime, why: str, *, only: UUID | None = None, but: UUID | None = None
) -> list[UUID]:
    """End sessions of somebody (one, all but one, or all); returns which."""
    return [row["id"] for row in await connection.fetch(SQL["end_sessions"], person_id, now, why, only, but)]


async def end_oldest(connection: Connection, person_id: UUID, now: datetime, most: int) -> list[UUID]:
    """End the sessions that somebody has beyond so many; returns which."""
    return [row["id"] for row in await connection.fetch(SQL["end_oldest"], person_id, now, most)]


async def sessions(connection: Connection, person_id: UUID, now: datetime) -> list[StoredSession]:
    """Return the sessions of somebody that are good."""
    return [StoredSession(*row) for row in await connection.fetch(SQL["sessions"], person_id, now)]


async def add_key(
    connection: Connection,
    proof: Proof,
    person_id: UUID,
    label: str,
    scopes: Sequence[str],
    *,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep an API key."""
    await connection.execute(SQL["add_key"], proof.id, person_id, label, proof.prefix, proof.hash, scopes, now, expires_at)


async def good_keys(connection: Connection, person_id: UUID, now: datetime) -> list[UUID]:
    """Return the ids of somebody's API keys that are good."""
    return [row["id"] for row in await connection.fetch(SQL["good_keys"], person_id, now)]


async def end_key(connection: Connection, person_id: UUID, key_id: UUID, now: datetime) -> bool:
    """End an API key; says whether it was good."""
    return await connection.fetchval(SQL["end_key"], person_id, key_id, now) is not None


def _held(row: asyncpg.Record | None) -> Held | None:
    return None if row is None else Held(**{**row, "memberships": told(row["memberships"])})

"""The keys' queries, typed; nothing else. What they return is wrapped."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.partners.keys.port import Wrapped
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)
CHANNEL = "privacy_keys"
RING_CHANGED = "ring"

Purpose = Literal["person", "blind"]
State = Literal["active", "retiring", "retired"]

if TYPE_CHECKING:  # a connection of the pool, or one of the sealing's own
    Asked: TypeAlias = Connection | asyncpg.Connection[asyncpg.Record]
else:
    Asked = Connection


class RingRow(Struct, frozen=True):
    """A ring key as it lies in the database."""

    id: int
    purpose: Purpose
    state: State
    wrapped: Wrapped


class PersonRow(Struct, frozen=True):
    """A subject's key as it lies in the database; without bytes when it was destroyed."""

    subject: UUID
    ring_key_id: int
    wrapped: bytes | None


class RingStatus(Struct, frozen=True):
    """A ring key as it is shown, and how many keys it wraps."""

    id: int
    purpose: Purpose
    state: State
    wrapped_by: str
    made_at: datetime
    retired_at: datetime | None
    wraps: int


async def ring_keys(connection: Asked) -> list[RingRow]:
    """Return the ring keys that are still held, the newest first."""
    rows = await connection.fetch(SQL["ring_keys"])
    return [RingRow(row["id"], row["purpose"], row["state"], Wrapped(row["wrapped_by"], row["wrapped"])) for row in rows]


async def has_ring(connection: Asked) -> bool:
    """Say whether this database has a ring at all."""
    found: bool = await connection.fetchval(SQL["has_ring"])
    return found


async def first_ring_keys(connection: Asked, keys: Sequence[tuple[Purpose, Wrapped]]) -> None:
    """Put in the first ring keys, unless another process has."""
    await connection.execute(
        SQL["first_ring_keys"], [purpose for purpose, _ in keys], [key.by for _, key in keys], [key.data for _, key in keys]
    )


async def replace_active(connection: Asked, wrapped: Wrapped) -> int:
    """Let this ring key wrap persons' keys from now on, in place of the active one; returns its id. In a transaction."""
    await connection.execute(SQL["retire_active"])
    made: int = await connection.fetchval(SQL["add_ring_key"], wrapped.by, wrapped.data)
    await connection.execute(SQL["tell_ring_changed"])
    return made


async def set_ring_wrapping(connection: Asked, row: RingRow, wrapped: Wrapped) -> None:
    """Put a ring key in under another wrapping."""
    await connection.execute(SQL["set_ring_wrapping"], row.id, row.wrapped.data, wrapped.by, wrapped.data)


async def retire_empty(connection: Asked) -> list[int]:
    """Forget the ring keys that wrap nothing any more; returns which."""
    return [row["id"] for row in await connection.fetch(SQL["retire_empty"])]


async def person_keys(connection: Asked, subjects: Sequence[UUID]) -> list[PersonRow]:
    """Return the keys of these subjects that there are."""
    return [PersonRow(*row) for row in await connection.fetch(SQL["person_keys"], subjects)]


async def make_person_keys(
    connection: Asked, subjects: Sequence[UUID], wrapped: Sequence[bytes], ring_key_id: int
) -> list[PersonRow]:
    """Return the keys of these subjects, made where there was none."""
    return [PersonRow(*row) for row in await connection.fetch(SQL["make_person_keys"], subjects, wrapped, ring_key_id)]


async def destroy(connection: Asked, subject: UUID) -> bool:
    """Destroy a subject's key; says whether there was one to destroy, or none yet."""
    return bool(await connection.fetch(SQL["destroy"], subject))


async def to_rewrap(connection: Asked, most: int) -> list[PersonRow]:
    """Return some keys that are under a retiring ring key."""
    return [PersonRow(*row) for row in await connection.fetch(SQL["to_rewrap"], most)]


async def rewrap(connection: Asked, rows: Sequence[PersonRow], fresh: Sequence[bytes], ring_key_id: int) -> None:
    """Put keys in under another ring key."""
    await connection.execute(SQL["rewrap"], [row.subject for row in rows], [row.wrapped for row in rows], fresh, ring_key_id)


async def ring_status(connection: Asked) -> list[RingStatus]:
    """Return every ring key that there ever was, and how many keys each wraps."""
    return [RingStatus(*row) for row in await connection.fetch(SQL["status"])]


async def destroyed(connection: Asked) -> int:
    """Return how many subjects were forgotten."""
    found: int = await connection.fetchval(SQL["destroyed"])
    return found

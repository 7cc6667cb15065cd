"""The queries of privacy, typed; nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from entrepot.base.event import Token
from entrepot.privacy.rules import State, Waiting
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

# The statements that forget, in the order in which they are written down.
ERASE = tuple(name for name in SQL if name.startswith("erase_"))


class Erasure(Struct, frozen=True, kw_only=True):
    """An erasure as it lies in the database; ``known_sealed`` is opened by its own id's key."""

    cell: int
    id: UUID
    subject: UUID
    subjects: Sequence[UUID]
    state: State
    actor: str
    asked_at: datetime
    due_at: datetime
    erased_at: datetime | None
    ended_at: datetime | None
    log_position: str
    orders: Sequence[UUID]
    returns: Sequence[UUID]
    known_sealed: bytes | None
    removed: Mapping[str, int]
    waits_for: str


class SealedField(Struct, frozen=True):
    """A value that lies sealed somewhere, and what it is bound to."""

    field: str
    subject: UUID
    sealed: bytes


class Erased(Struct, frozen=True, kw_only=True):
    """What one transaction has forgotten, and what the steps after it need to know."""

    at: datetime
    position: Token
    orders: Sequence[UUID]
    returns: Sequence[UUID]
    known_sealed: bytes
    removed: Mapping[str, int]


async def add_found_by(connection: Connection, cell: int, found: Sequence[tuple[UUID, UUID, bytes]]) -> None:
    """Note by which blind index orders' subjects are found: subject, order, index."""
    await connection.execute(SQL["add_found_by"], cell, *([one[place] for one in found] for place in range(3)))


async def contacts_of_orders(connection: Connection, cell: int, orders: Sequence[UUID]) -> list[tuple[UUID, UUID, bytes]]:
    """Return order, subject and sealed contact of these orders, where there is one."""
    rows = await connection.fetch(SQL["contacts_of_orders"], cell, orders)
    return [(row["order_id"], row["subject"], row["sealed"]) for row in rows]


async def subjects_by_email(connection: Connection, cell: int, login: bytes, guest: bytes, buyer: bytes) -> list[UUID]:
    """Return everybody who is known by an address, by its blind index in each place."""
    return [row["subject"] for row in await connection.fetch(SQL["subjects_by_email"], cell, login, guest, buyer)]


async def email_of(connection: Connection, subject: UUID) -> bytes | None:
    """Return the sealed address that somebody signs in by, once they have confirmed it."""
    found: bytes | None = await connection.fetchval(SQL["email_of"], subject)
    return found


async def is_known(connection: Connection, cell: int, subject: UUID) -> bool:
    """Say whether anything at all is known of somebody."""
    found: bool = await connection.fetchval(SQL["is_known"], cell, subject)
    return found


async def forgotten(connection: Connection, subjects: Sequence[UUID]) -> set[UUID]:
    """Return which of these subjects' keys are destroyed."""
    return {row["subject"] for row in await connection.fetch(SQL["is_forgotten"], subjects)}


async def add_erasure(
    connection: Connection, cell: int, id_: UUID, subjects: Sequence[UUID], actor: str, now: datetime, due_at: datetime
) -> bool:
    """Note that somebody is to be forgotten; the first of the subjects stands for all. Says no when that was asked before."""
    args = (cell, id_, subjects[0], subjects, actor, now, due_at)
    return await connection.fetchval(SQL["add_erasure"], *args) is not None


async def erasure_of(connection: Connection, cell: int, subject: UUID) -> Erasure | None:
    """Return the erasure of somebody, or of this id."""
    row = await connection.fetchrow(SQL["erasure_of"], cell, subject)
    return _erasure(row) if row else None


async def erasure_for_update(connection: Connection, cell: int, id_: UUID) -> Erasure:
    """Return an erasure, locked."""
    row = await connection.fetchrow(SQL["erasure_for_update"], cell, id_)
    assert row is not None, id_
    return _erasure(row)


async def erasures(connection: Connection, cell: int, most: int) -> list[Erasure]:
    """Return the latest erasures."""
    return [_erasure(row) for row in await connection.fetch(SQL["erasures"], cell, most)]


async def unfinished(connection: Connection, cell: int, now: datetime, most: int) -> list[UUID]:
    """Return erasures that something is to be done about now."""
    return [row["id"] for row in await connection.fetch(SQL["unfinished"], cell, now, most)]


async def set_waiting(connection: Connection, one: Erasure, waits_for: str) -> None:
    """Note what an erasure waits for."""
    await connection.execute(SQL["set_waiting"], one.cell, one.id, waits_for)


async def set_withdrawn(connection: Connection, one: Erasure, now: datetime) -> None:
    """Note that somebody is not to be forgotten after all."""
    await connection.execute(SQL["set_withdrawn"], one.cell, one.id, now)


async def set_erased(connection: Connection, one: Erasure, done: Erased) -> None:
    """Note that rows are empty and keys destroyed."""
    await connection.execute(
        SQL["set_erased"], one.cell, one.id, done.at, str(done.position), done.orders, done.returns, done.known_sealed,
        msgspec.json.encode(done.removed).decode(),
    )  # fmt: skip


async def set_cleared(connection: Connection, one: Erasure, removed: Mapping[str, int]) -> None:
    """Note that copies are cleared, and how many of what, unless another process came further."""
    await connection.execute(SQL["set_cleared"], one.cell, one.id, msgspec.json.encode(removed).decode())


async def set_certified(connection: Connection, one: Erasure, now: datetime) -> None:
    """Note the end; what was searched for is not known any more."""
    await connection.execute(SQL["set_certified"], one.cell, one.id, now)


async def set_found(connection: Connection, one: Erasure) -> None:
    """Note that a search has found something."""
    await connection.execute(SQL["set_found"], one.cell, one.id)


async def add_certificate(connection: Connection, one: Erasure, now: datetime, document: str, signature: bytes) -> None:
    """Keep what a search found, signed."""
    await connection.execute(SQL["add_certificate"], one.cell, one.id, one.subject, now, document, signature)


async def certificate_of(connection: Connection, cell: int, subject: UUID) -> tuple[str, bytes] | None:
    """Return the latest certificate about somebody, with its signature."""
    row = await connection.fetchrow(SQL["certificate_of"], cell, subject)
    return (row["document"], row["signature"]) if row else None


async def signing_key(connection: Connection, cell: int) -> tuple[bytes, bytes] | None:
    """Return the public key that certificates are signed with, and the private one, sealed."""
    row = await connection.fetchrow(SQL["signing_key"], cell)
    return (row["public"], row["sealed"]) if row else None


async def add_signing_key(connection: Connection, cell: int, public: bytes, sealed: bytes) -> None:
    """Keep the key that certificates are signed with, unless there is one."""
    await connection.execute(SQL["add_signing_key"], cell, public, sealed)


async def restrict(connection: Connection, subject: UUID, now: datetime, by_whom: str) -> bool:
    """Note that somebody's data is used for nothing; says whether it was used until now."""
    return await connection.fetchval(SQL["restrict"], subject, now, by_whom) is not None


async def lift(connection: Connection, subject: UUID) -> bool:
    """Note that somebody's data may be used again; says whether it was not."""
    return await connection.fetchval(SQL["lift"], subject) is not None


async def restricted(connection: Connection, subjects: Sequence[UUID]) -> set[UUID]:
    """Return whose data may be used for nothing."""
    return {row["subject"] for row in await connection.fetch(SQL["restricted"], subjects)}


async def next_version(connection: Connection, cell: int, subject: UUID, key: str) -> int:
    """Return the version of the next event about somebody; the caller holds what keeps two from asking at once."""
    counted: int | None = await connection.fetchval(SQL["next_version"], subject)
    if counted is not None:
        return counted
    return int(await connection.fetchval(SQL["last_version"], cell, subject, key)) + 1


async def credentials_of(connection: Connection, subjects: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the sessions and keys of these people that are good."""
    return {row["person_id"]: row["ids"] for row in await connection.fetch(SQL["credentials_of"], subjects)}


async def waiting(connection: Connection, cell: int, subjects: Sequence[UUID]) -> Waiting:
    """Return what is under way for these subjects."""
    row = await connection.fetchrow(SQL["waiting"], cell, subjects)
    assert row is not None
    return Waiting(**dict(row))


async def orders_of(connection: Connection, cell: int, subjects: Sequence[UUID]) -> list[UUID]:
    """Return the orders of these subjects."""
    return [row["id"] for row in await connection.fetch(SQL["orders_of"], cell, subjects)]


async def returns_of(connection: Connection, cell: int, subjects: Sequence[UUID], orders: Sequence[UUID]) -> list[UUID]:
    """Return the returns of these subjects and orders."""
    return [row["id"] for row in await connection.fetch(SQL["returns_of"], cell, subjects, orders)]


async def sealed_of(connection: Connection, cell: int, subjects: Sequence[UUID], orders: Sequence[UUID]) -> list[SealedField]:
    """Return all that lies sealed for these subjects and orders."""
    return [SealedField(*row) for row in await connection.fetch(SQL["sealed_of"], cell, subjects, orders)]


async def plain_of(connection: Connection, cell: int, subjects: Sequence[UUID], orders: Sequence[UUID]) -> list[str]:
    """Return contacts of these orders that an older version wrote plain."""
    return [row["text"] for row in await connection.fetch(SQL["plain_of"], cell, subjects, orders)]


async def erase(connection: Connection, cell: int, subjects: Sequence[UUID], orders: Sequence[UUID]) -> dict[str, int]:
    """Empty every row about these subjects and their orders; returns how many of what, which repeated is none."""
    removed = {}
    for name in ERASE:
        status = await connection.execute(SQL[name], cell, subjects, orders)
        removed[name.removeprefix("erase_")] = int(status.rpartition(" ")[2])
    return removed


def _erasure(row: asyncpg.Record) -> Erasure:
    return Erasure(**{**dict(row), "removed": msgspec.json.decode(row["removed"])})

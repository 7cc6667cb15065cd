"""The webhooks' queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.base.event import Position
from entrepot.base.seals import Seals
from entrepot.commerce.webhook.events import State
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class StoredEndpoint(Struct, frozen=True):
    """A subscriber as a command finds it, locked."""

    id: UUID
    url: str
    kinds: list[str]
    state: State
    why: str
    version: int


class DueEndpoint(Struct, frozen=True):
    """A subscriber who may be told something now."""

    id: UUID
    url: str
    secret: str
    kinds: list[str]
    position: Position
    version: int
    failures: int
    failing_since: datetime | None


class ParkedEvent(Struct, frozen=True):
    """An event to be parked: refused (``tries`` 1, with the error and the next try), or waiting behind such a one."""

    position: Position
    event_id: UUID
    key: str
    kind: str
    tries: int
    error: str
    next_at: datetime
    message: str


class DueParked(Struct, frozen=True):
    """The first parked event of a key, and where it is to go."""

    endpoint_id: UUID
    url: str
    secret: str
    position: Position
    event_id: UUID
    key: str
    message: str
    tries: int
    first_at: datetime


async def add_endpoint(connection: Connection, cell: int, id_: UUID, url: str, secret: bytes, kinds: Sequence[str]) -> None:
    """Add a subscriber, who is told of what happens from now on; the secret is sealed."""
    await connection.execute(SQL["add_endpoint"], cell, id_, url, secret, kinds)


async def count_endpoints(connection: Connection, cell: int) -> int:
    """Return how many subscribers a cell has."""
    found: int = await connection.fetchval(SQL["count_endpoints"], cell)
    return found


async def endpoint_for_update(connection: Connection, cell: int, id_: UUID) -> StoredEndpoint | None:
    """Return a subscriber, locked, or None."""
    row = await connection.fetchrow(SQL["endpoint_for_update"], cell, id_)
    return StoredEndpoint(*row) if row else None


async def set_state(connection: Connection, cell: int, id_: UUID, state: State, why: str, version: int) -> None:
    """Set a subscriber's state; one that is active again is tried at once."""
    await connection.execute(SQL["set_state"], cell, id_, state, why, version)


async def set_position(connection: Connection, cell: int, id_: UUID, position: Position) -> None:
    """Move a subscriber to where it is told to go on."""
    await connection.execute(SQL["set_position"], cell, id_, position.txid, position.seq)


async def position_at(connection: Connection, cell: int, moment: datetime) -> Position | None:
    """Return the position of the last event before a moment; None when the log's table begins later."""
    row = await connection.fetchrow(SQL["position_at"], cell, moment)
    return Position(row["txid"], row["seq"]) if row else None


async def retry_parked(connection: Connection, cell: int, id_: UUID, event_id: UUID | None) -> int:
    """Ask for parked events to be tried again now; returns how many."""
    return len(await connection.fetch(SQL["retry_parked"], cell, id_, event_id))


async def remove_endpoint(connection: Connection, cell: int, id_: UUID) -> None:
    """Forget a subscriber and what is parked for it."""
    await connection.execute(SQL["remove_endpoint"], cell, id_)


async def due_endpoints(connection: Connection, cell: int, now: datetime, seals: Seals) -> list[DueEndpoint]:
    """Return the subscribers who may be told something now."""
    return [
        DueEndpoint(
            row["id"], row["url"], _secret(row, row["id"], seals), row["kinds"], Position(row["txid"], row["seq"]),
            row["version"], row["failures"], row["failing_since"],
        )
        for row in await connection.fetch(SQL["due_endpoints"], cell, now)
    ]  # fmt: skip


async def parked_keys(connection: Connection, cell: int, id_: UUID, keys: Sequence[str]) -> set[str]:
    """Return those of the keys of which something is parked."""
    return {row["key"] for row in await connection.fetch(SQL["parked_keys"], cell, id_, keys)}


async def park(connection: Connection, cell: int, id_: UUID, now: datetime, parked: Sequence[ParkedEvent]) -> None:
    """Park events of a subscriber."""
    await connection.execute(
        SQL["park"], cell, id_, now, [p.position.txid for p in parked], [p.position.seq for p in parked],
        [p.event_id for p in parked], [p.key for p in parked], [p.kind for p in parked], [p.tries for p in parked],
        [p.error for p in parked], [p.next_at for p in parked], [p.message for p in parked],
    )  # fmt: skip


async def move_on(
    connection: Connection,
    cell: int,
    was: DueEndpoint,
    to: Position,
    delivered: int,
    *,
    failures: int = 0,
    since: datetime | None = None,
    until: datetime | None = None,
) -> bool:
    """Move a subscriber's position on and note whether it answers; says whether nobody has changed it since."""
    row = await connection.fetchval(
        SQL["move_on"], cell, was.id, was.version, to.txid, to.seq, delivered, failures, since, until
    )
    return row is not None


async def due_parked(connection: Connection, cell: int, now: datetime, limit: int, seals: Seals) -> list[DueParked]:
    """Return the first event of each key that is parked and due."""
    return [
        DueParked(
            row["endpoint_id"], row["url"], _secret(row, row["endpoint_id"], seals),
            Position(row["txid"], row["seq"]), row["event_id"], row["key"],
            row["message"], row["tries"], row["first_at"],
        )
        for row in await connection.fetch(SQL["due_parked"], cell, now, limit)
    ]  # fmt: skip


async def rest(connection: Connection, cell: int, id_: UUID, now: datetime, until: datetime) -> None:
    """Let a subscriber who does not answer rest until a moment."""
    await connection.execute(SQL["rest"], cell, id_, now, until)


async def unpark(connection: Connection, cell: int, one: DueParked) -> None:
    """Forget a parked event that was delivered, and count it."""
    await connection.execute(SQL["unpark"], cell, one.endpoint_id, one.position.txid, one.position.seq)
    await connection.execute(SQL["note_delivered"], cell, one.endpoint_id)


async def park_longer(connection: Connection, cell: int, one: DueParked, error: str, next_at: datetime | None) -> None:
    """Note that a parked event was refused again; without a next try it is dead."""
    place = (one.endpoint_id, one.position.txid, one.position.seq)
    await connection.execute(SQL["park_longer"], cell, *place, error, next_at)


def secret_name(endpoint_id: UUID) -> str:
    """Return what the secret of a subscriber is sealed as."""
    return f"webhook.endpoint.secret/{endpoint_id}"


def _secret(row: asyncpg.Record, endpoint_id: UUID, seals: Seals) -> str:
    """Return a subscriber's secret; one of before it was sealed lies there plain."""
    sealed: bytes | None = row["secret_sealed"]
    return str(row["secret"]) if sealed is None else seals.unseal_secret(secret_name(endpoint_id), sealed)

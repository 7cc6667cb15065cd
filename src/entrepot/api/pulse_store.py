"""The queries of the pulse, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.event import START, Position
from entrepot.commerce.ordering.events import OrderPlaced
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries("entrepot.api", "pulse.sql")

TAIL_EVENTS_MAX = 20_000


class Tail(Struct, frozen=True):
    """What was appended since a look."""

    events: int
    orders: int
    position: Position
    head: int


class Reported(Struct, frozen=True):
    """What the writers of one generation have reported, taken together."""

    projection: str
    generation: int
    version: int
    state: str
    created_at: datetime
    live_at: datetime | None
    passed: int
    stamp: int
    events: int
    items: int
    rate: float
    error: str | None
    updated_at: datetime | None
    quarantined: int


class Verification(Struct, frozen=True):
    """What comparing a projection with the truth has found."""

    projection: str
    generation: int
    at: datetime
    checked: int
    differing: int
    repaired: int
    seconds: float


class Arrival(Struct, frozen=True, kw_only=True):
    """An order that has just been placed. Amounts are in minor units."""

    id: UUID
    placed_at: datetime
    country: str
    currency: str
    total_minor: int
    lines: int
    pieces: int


async def head(connection: Connection, cell: int) -> tuple[Position, int]:
    """Return the last position of the log and its number."""
    row = await connection.fetchrow(SQL["head"], cell)
    return (Position(row["txid"], row["seq"]), row["head"]) if row else (START, 0)


async def tail(connection: Connection, cell: int, after: Position) -> Tail:
    """Return what was appended after a position."""
    row = await connection.fetchrow(SQL["tail"], cell, str(after.txid), after.seq, TAIL_EVENTS_MAX)
    assert row is not None  # an aggregate always has a row
    position = Position(row["txid"], row["seq"]) if row["events"] else after
    return Tail(row["events"], row["orders"], position, row["head"] or 0)


async def lanes(connection: Connection, cell: int) -> list[Reported]:
    """Return what every generation in use has reported."""
    return [Reported(**dict(row)) for row in await connection.fetch(SQL["lanes"], cell)]


async def verifications(connection: Connection) -> dict[str, Verification]:
    """Return the last verification of each projection."""
    return {row["projection"]: Verification(*row) for row in await connection.fetch(SQL["verifications"])}


async def history(connection: Connection, projection: str, limit: int) -> list[Verification]:
    """Return the last verifications of one projection, newest first."""
    return [Verification(*row) for row in await connection.fetch(SQL["history"], projection, limit)]


async def newest_orders(connection: Connection, cell: int, after: Position, limit: int) -> Sequence[Arrival]:
    """Return the orders placed after a position, newest first."""
    rows = await connection.fetch(SQL["newest_orders"], cell, str(after.txid), after.seq, limit)
    return [_arrival(msgspec.json.decode(row["body"], type=OrderPlaced)) for row in rows]


def _arrival(order: OrderPlaced) -> Arrival:
    return Arrival(
        id=order.id,
        placed_at=order.placed_at,
        country=order.country,
        currency=order.currency,
        total_minor=order.total_minor,
        lines=len(order.lines),
        pieces=sum(line.quantity for line in order.lines),
    )

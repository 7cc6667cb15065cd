"""The queries of the pulse, typed; nothing else."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.event import Position
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


async def tail(connection: Connection, cell: int, after: Position) -> Tail:
    """Return what was appended after a position."""
    row = await connection.fetchrow(SQL["tail"], cell, str(after.txid), after.seq, TAIL_EVENTS_MAX)
    assert row is not None  # an aggregate always has a row
    return Tail(row["events"], row["orders"], Position(row["txid"], row["seq"]) if row["events"] else after)


async def history(connection: Connection, projection: str, limit: int) -> list[Verification]:
    """Return the last verifications of one projection, newest first."""
    return [Verification(*row) for row in await connection.fetch(SQL["history"], projection, limit)]


async def newest_orders(connection: Connection, cell: int, after: Position, limit: int) -> list[Arrival]:
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

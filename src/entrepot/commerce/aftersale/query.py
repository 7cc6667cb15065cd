"""What other rooms ask of what follows an order: its timeline, and returns. From the truth; reads only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.commerce.aftersale.events import CaseLine
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")


class Moment(Struct, frozen=True, kw_only=True):
    """One thing that happened to an order: what, to which of its things (``about`` and ``id``), and about how much money."""

    at: datetime
    about: str
    what: str
    id: UUID
    amount_minor: int | None
    note: str


class ReturnDetail(Struct, frozen=True, kw_only=True):
    """A return as it stands."""

    id: UUID
    order_id: UUID
    customer_id: UUID | None
    state: str
    reason: str
    note: str
    requested_at: datetime
    received_at: datetime | None
    inspected_at: datetime | None
    ended_at: datetime | None
    refunded_minor: int
    exchange_order_id: UUID | None
    lines: Sequence[CaseLine]


async def timeline(connection: Connection, cell: int, order_id: UUID, seller_id: UUID | None = None) -> list[Moment]:
    """Return all that happened to an order, oldest first; with a seller, what concerns that seller: goods, no money."""
    rows = await connection.fetch(SQL["timeline"], cell, order_id, seller_id)
    return [Moment(**dict(row)) for row in rows]


async def returns(
    connection: Connection, cell: int, before: UUID | None, state: str, order_id: UUID | None, limit: int
) -> list[ReturnDetail]:
    """Return the newest returns before this one (None: of all); an empty state means any."""
    return await _with_lines(connection, cell, await connection.fetch(SQL["returns"], cell, before, state, order_id, limit))


async def return_(connection: Connection, cell: int, case_id: UUID) -> ReturnDetail | None:
    """Return one return, or None."""
    found = await _with_lines(connection, cell, await connection.fetch(SQL["return"], cell, case_id))
    return found[0] if found else None


async def _with_lines(connection: Connection, cell: int, rows: Sequence[asyncpg.Record]) -> list[ReturnDetail]:
    lines: dict[UUID, list[CaseLine]] = {row["id"]: [] for row in rows}
    for line in await connection.fetch(SQL["lines_of"], cell, list(lines)):
        fields = dict(line)
        lines[fields.pop("case_id")].append(CaseLine(**fields))
    return [ReturnDetail(**dict(row), lines=lines[row["id"]]) for row in rows]


async def carriers_of(connection: Connection, cell: int, order_id: UUID) -> list[str]:
    """Return the carrier that an order goes by, or all that it may go by where the order does not say."""
    return [row["carrier"] for row in await connection.fetch(SQL["carriers_of"], cell, order_id)]

"""What other rooms ask of shipments, from the truth; reads only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.commerce.fulfilment.events import ShipmentLine
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")


class ShipmentDetail(Struct, frozen=True, kw_only=True):
    """A shipment as it stands, and what is in it; ``under_way_at`` is when its carrier first said so."""

    id: UUID
    order_id: UUID
    warehouse: str
    state: str
    seller_id: UUID | None
    carrier: str
    tracking: str
    planned_at: datetime
    shipped_at: datetime | None
    under_way_at: datetime | None
    delivered_at: datetime | None
    lines: Sequence[ShipmentLine]


async def shipment(connection: Connection, cell: int, shipment_id: UUID) -> ShipmentDetail | None:
    """Return one shipment, or None."""
    found = await _with_lines(connection, cell, await connection.fetch(SQL["shipment"], cell, shipment_id))
    return found[0] if found else None


async def shipments_of(connection: Connection, cell: int, order_id: UUID) -> list[ShipmentDetail]:
    """Return the shipments of an order, in the order they were planned."""
    return await _with_lines(connection, cell, await connection.fetch(SQL["shipments_of"], cell, order_id))


async def shipments(
    connection: Connection, cell: int, before: UUID | None, state: str, warehouse: str, seller_id: UUID | None, limit: int
) -> list[ShipmentDetail]:
    """Return the newest shipments before this one (None: of all); an empty state or warehouse means any."""
    rows = await connection.fetch(SQL["shipments"], cell, before, state, warehouse, seller_id, limit)
    return await _with_lines(connection, cell, rows)


async def _with_lines(connection: Connection, cell: int, rows: Sequence[asyncpg.Record]) -> list[ShipmentDetail]:
    lines: dict[UUID, list[ShipmentLine]] = {row["id"]: [] for row in rows}
    for line in await connection.fetch(SQL["lines_of"], cell, list(lines)):
        fields = dict(line)
        lines[fields.pop("shipment_id")].append(ShipmentLine(**fields))
    return [ShipmentDetail(**dict(row), lines=lines[row["id"]]) for row in rows]

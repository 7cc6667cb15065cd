"""The queries of shipments, typed; nothing else. An order's shipments are changed under the order's own lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.fulfilment.events import ShipmentLine
from entrepot.commerce.fulfilment.parcels import Parcel
from entrepot.commerce.fulfilment.rules import Shipment, Waiting
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put(connection: Connection, cell: int, shipments: Sequence[Shipment], at: datetime) -> None:
    """Write shipments with their lines, as they now are."""
    await connection.execute(
        SQL["put_shipments"], cell, [s.id for s in shipments], [s.order_id for s in shipments],
        [s.warehouse for s in shipments], [s.seller_id for s in shipments], [s.state for s in shipments],
        [s.carrier for s in shipments], [s.tracking for s in shipments], [s.version for s in shipments], at,
    )  # fmt: skip
    lines = [(shipment.id, line) for shipment in shipments for line in shipment.lines]
    await connection.execute(SQL["clear_lines"], cell, [shipment.id for shipment in shipments if shipment.version > 1])
    await connection.execute(
        SQL["put_lines"], cell, [id_ for id_, _ in lines], [line.line for _, line in lines], [line.sku for _, line in lines],
        [line.variant_id for _, line in lines], [line.quantity for _, line in lines],
    )  # fmt: skip


async def of_order(connection: Connection, cell: int, order_id: UUID) -> list[Shipment]:
    """Return the shipments of an order, in the order they were planned."""
    rows = [dict(row) for row in await connection.fetch(SQL["shipments_of"], cell, order_id)]
    lines: dict[UUID, list[ShipmentLine]] = {row["id"]: [] for row in rows}
    for line in await connection.fetch(SQL["lines_of"], cell, list(lines)):
        fields = dict(line)
        lines[fields.pop("shipment_id")].append(ShipmentLine(**fields))
    return [Shipment(**row, lines=lines[row["id"]]) for row in rows]


async def order_of(connection: Connection, cell: int, shipment_id: UUID) -> UUID | None:
    """Return the order that a shipment is of."""
    found: UUID | None = await connection.fetchval(SQL["order_of"], cell, shipment_id)
    return found


class Unplanned(Struct, frozen=True):
    """Pieces of a line that nobody has planned to send yet; ``kind`` is the warehouse's, ``delivery`` the line's."""

    order_id: UUID
    line: int
    sku: str
    variant_id: UUID
    warehouse: str
    seller_id: UUID | None
    quantity: int
    delivery: str
    kind: str


async def to_plan(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> list[Unplanned]:
    """Lock these orders and return what is to leave of those that nobody has planned for yet."""
    locked = [row["id"] for row in await connection.fetch(SQL["lock_orders"], cell, order_ids)]
    return [Unplanned(*row) for row in await connection.fetch(SQL["to_plan"], cell, locked)] if locked else []


async def put_waiting(connection: Connection, cell: int, waiting: Sequence[Waiting]) -> None:
    """Write what waits, as it now is; what waits for nothing is forgotten."""
    if not waiting:
        return
    await connection.execute(
        SQL["put_waiting"], cell, [w.variant_id for w in waiting], [w.order_id for w in waiting], [w.line for w in waiting],
        [w.sku for w in waiting], [w.seller_id for w in waiting], [w.warehouse for w in waiting], [w.quantity for w in waiting],
    )  # fmt: skip
    done = [one for one in waiting if not one.quantity]
    await connection.execute(
        SQL["end_waiting"], cell, [w.variant_id for w in done], [w.order_id for w in done], [w.line for w in done]
    )


async def waiting_for(connection: Connection, cell: int, variant_ids: Sequence[UUID]) -> dict[UUID, list[Waiting]]:
    """Lock the orders that wait for these variants, and return what waits, by variant, the oldest order first."""
    await connection.execute(SQL["waiting_orders"], cell, variant_ids)
    found: dict[UUID, list[Waiting]] = {}
    for row in await connection.fetch(SQL["waiting_for"], cell, variant_ids):
        found.setdefault(row["variant_id"], []).append(Waiting(*row))
    return found


async def waiting_of(connection: Connection, cell: int, order_id: UUID) -> list[Waiting]:
    """Return what waits of an order."""
    return [Waiting(*row) for row in await connection.fetch(SQL["waiting_of"], cell, order_id)]


async def to_send(connection: Connection, cell: int, warehouse: str, variant_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many pieces of these variants are sold and planned in a warehouse, and have not left."""
    rows = await connection.fetch(SQL["to_send"], cell, warehouse, variant_ids)
    return {row["variant_id"]: row["quantity"] for row in rows}


async def put_parcel(connection: Connection, cell: int, parcel: Parcel, at: datetime) -> None:
    """Write a parcel as it now is."""
    await connection.execute(
        SQL["put_parcel"], cell, parcel.shipment_id, parcel.order_id, parcel.reference, parcel.carrier, parcel.state,
        parcel.tracking, at, parcel.version,
    )  # fmt: skip


async def parcel(connection: Connection, cell: int, shipment_id: UUID) -> Parcel | None:
    """Return the parcel of a shipment; None when no carrier was asked."""
    row = await connection.fetchrow(SQL["parcel"], cell, shipment_id)
    return None if row is None else Parcel(**dict(row))


async def parcels_to_look_at(
    connection: Connection, cell: int, now: datetime, asked_before: datetime, limit: int
) -> list[Parcel]:
    """Note that parcels are looked at now, those not looked at for longest, and return them; those just asked for wait."""
    rows = await connection.fetch(SQL["parcels_to_look_at"], cell, now, asked_before, limit)
    return [Parcel(**dict(row)) for row in rows]


async def parcel_by_number(connection: Connection, cell: int, carrier: str, tracking: str) -> Parcel | None:
    """Return the parcel that a carrier calls by this number, or None."""
    row = await connection.fetchrow(SQL["parcel_by_number"], cell, carrier, tracking)
    return None if row is None else Parcel(**dict(row))


async def take_in(connection: Connection, cell: int, carrier: str, event_id: str, kind: str, at: datetime) -> bool:
    """Take a carrier's webhook in, if it is new; says whether its work is done."""
    done: bool = await connection.fetchval(SQL["take_in"], cell, carrier, event_id, kind, at)
    return done


async def mark_done(connection: Connection, cell: int, carrier: str, event_id: str, at: datetime) -> None:
    """Note that the work of a carrier's webhook is done."""
    await connection.execute(SQL["mark_done"], cell, carrier, event_id, at)


async def prune_inbox(connection: Connection, cell: int, before: datetime, limit: int) -> int:
    """Forget webhooks that were taken in before a moment; returns how many."""
    return len(await connection.fetch(SQL["prune_inbox"], cell, before, limit))

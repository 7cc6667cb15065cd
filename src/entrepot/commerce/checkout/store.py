"""Checkout's queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Position
from entrepot.base.ids import derived
from entrepot.base.time import millis_of
from entrepot.commerce.checkout.columns import OrderColumns
from entrepot.commerce.checkout.rules import Offer, OrderedLine, StoredOrder
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced, OrderReturned
from entrepot.commerce.ordering.rules import Transfer
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Outcome(Struct, frozen=True):
    """What became of one order of a call: ``placed``, ``repeated``, ``reused`` or ``refused``."""

    outcome: str
    order_id: UUID | None
    line: int | None
    available: int | None
    position: Position


async def offers(connection: Connection, cell: int, wanted: dict[tuple[str, str], int]) -> dict[tuple[str, str], Offer]:
    """Return what is offered under each (SKU, market), from the warehouse that has as many as wanted."""
    rows = await connection.fetch(SQL["offers"], cell, [s for s, _ in wanted], [m for _, m in wanted], list(wanted.values()))
    return {
        (row["sku"], row["market"]): Offer(
            row["sku"],
            row["variant_id"],
            row["product_id"],
            row["category_id"],
            row["offered"],
            row["currency"],
            row["amount_minor"],
            row["warehouse"],
        )
        for row in rows
    }


async def place_orders(connection: Connection, cell: int, stamp: int, actor: str, columns: OrderColumns) -> list[Outcome]:
    """Call the hot path and return what became of each order, in the order of the columns."""
    rows = await connection.fetch(SQL["place_orders"], cell, stamp, actor, *columns.arguments())
    return [
        Outcome(row["outcome"], row["order_id"], row["line"], row["available"], Position(row["txid"] or 0, row["seq"] or 0))
        for row in sorted(rows, key=lambda row: int(row["place"]))
    ]


async def ensure_room(connection: Connection, first: datetime, last: datetime) -> int:
    """Make the partitions that orders placed between two moments need; returns how many were made."""
    made: int = await connection.fetchval(SQL["ensure_room"], first, last)
    return made


async def order(connection: Connection, cell: int, order_id: UUID, *, for_update: bool = False) -> StoredOrder | None:
    """Return an order with its lines and charges, locked if it is to be changed."""
    row = await connection.fetchrow(SQL["order_for_update" if for_update else "order"], cell, order_id)
    if row is None:
        return None
    lines = [
        OrderedLine(
            Line(
                line=r["line"],
                product_id=r["product_id"],
                variant_id=r["variant_id"],
                sku=r["sku"],
                warehouse=r["warehouse"],
                quantity=r["quantity"],
                unit_minor=r["unit_minor"],
                amount_minor=r["amount_minor"],
                category_id=r["category_id"],
            ),
            r["returned"],
        )
        for r in await connection.fetch(SQL["order_lines"], cell, order_id)
    ]
    charges = [
        Charge(charge=r["charge"], kind=r["kind"], amount_minor=r["amount_minor"], note=r["note"])
        for r in await connection.fetch(SQL["order_charges"], cell, order_id)
    ]
    placed = OrderPlaced(
        id=row["id"],
        placed_at=row["placed_at"],
        market=row["market"],
        country=row["country"],
        currency=row["currency"],
        lines=[line.line for line in lines],
        charges=charges,
        customer_id=row["customer_id"],
        goods_minor=row["goods_minor"],
        charges_minor=row["charges_minor"],
        total_minor=row["total_minor"],
    )
    return StoredOrder(placed, row["state"], row["version"], lines)


async def totals(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> dict[UUID, tuple[int, str]]:
    """Return total and currency of orders."""
    rows = await connection.fetch(SQL["totals"], cell, order_ids)
    return {row["id"]: (row["total_minor"], row["currency"]) for row in rows}


async def known_keys(connection: Connection, cell: int, keys: Sequence[str]) -> dict[str, tuple[bytes, UUID, Position]]:
    """Return fingerprint, order and position of the keys that have placed an order."""
    rows = await connection.fetch(SQL["known_keys"], cell, keys)
    return {row["key"]: (row["fingerprint"], row["subject_id"], Position(row["txid"], row["seq"])) for row in rows}


async def mark_cancelled(connection: Connection, cell: int, order_id: UUID, at: datetime, reason: str, version: int) -> None:
    """Set the order's end state."""
    await connection.execute(SQL["mark_cancelled"], cell, order_id, at, reason, version)


async def add_returned(connection: Connection, cell: int, order_id: UUID, pieces: dict[int, int]) -> None:
    """Count the pieces that came back on the order's lines."""
    await connection.execute(SQL["add_returned"], cell, order_id, list(pieces), list(pieces.values()))


async def put_return(connection: Connection, cell: int, event: OrderReturned) -> None:
    """Write a return with its lines and charges."""
    await connection.execute(
        SQL["put_return"], cell, event.return_id, event.id, event.customer_id, event.market, event.country, event.currency,
        event.at, event.reason, event.restocked, event.total_minor,
    )  # fmt: skip
    lines = event.lines
    await connection.execute(
        SQL["put_return_lines"], cell, event.return_id, [x.line for x in lines], [x.product_id for x in lines],
        [x.variant_id for x in lines], [x.sku for x in lines], [x.category_id for x in lines], [x.warehouse for x in lines],
        [x.quantity for x in lines], [x.unit_minor for x in lines], [x.amount_minor for x in lines],
    )  # fmt: skip
    charges = event.charges
    await connection.execute(
        SQL["put_return_charges"], cell, event.return_id, [c.charge for c in charges], [c.kind for c in charges],
        [c.amount_minor for c in charges], [c.note for c in charges],
    )  # fmt: skip


async def book(
    connection: Connection, cell: int, about_id: UUID, currency: str, at: datetime, why: str, transfers: Sequence[Transfer]
) -> None:
    """Book transfers about an order or a return at a moment; ids follow from what they are about."""
    millis = millis_of(at)
    await connection.execute(
        SQL["put_transfers"], cell, about_id, currency, at,
        [derived(millis, str(about_id), why, str(n)) for n in range(len(transfers))],
        [t.debit for t in transfers], [t.credit for t in transfers], [t.amount_minor for t in transfers],
        [t.debit_party for t in transfers], [t.credit_party for t in transfers],
    )  # fmt: skip

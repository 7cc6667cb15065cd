"""The queries of orders, typed; nothing else. Orders themselves are written by the hot path, in ``checkout``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from entrepot.base.ids import derived
from entrepot.base.time import millis_of
from entrepot.commerce.ordering.events import Charge, Line, LinesCancelled, OrderPlaced, OrderReturned, TaxLine
from entrepot.commerce.ordering.parts import OrderedLine, StoredOrder
from entrepot.commerce.ordering.rules import Transfer
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

_PIECES = ("returned", "shipped", "cancelled")


async def order(connection: Connection, cell: int, order_id: UUID, *, for_update: bool = False) -> StoredOrder | None:
    """Return an order with its lines, charges and taxes, locked if it is to be changed."""
    row = await connection.fetchrow(SQL["order_for_update" if for_update else "order"], cell, order_id)
    if row is None:
        return None
    lines = []
    for found in await connection.fetch(SQL["order_lines"], cell, order_id):
        fields = dict(found)
        pieces = {name: fields.pop(name) for name in _PIECES}
        lines.append(OrderedLine(Line(**fields), **pieces))
    fields = dict(row)
    state, version = fields.pop("state"), fields.pop("version")
    placed = OrderPlaced(
        **fields,
        lines=[line.line for line in lines],
        charges=[Charge(**dict(found)) for found in await connection.fetch(SQL["order_charges"], cell, order_id)],
        taxes=[TaxLine(**dict(found)) for found in await connection.fetch(SQL["order_taxes"], cell, order_id)],
    )
    return StoredOrder(placed, state, version, lines)


async def move_order(
    connection: Connection, cell: int, order: StoredOrder, cancelled_at: datetime | None = None, reason: str | None = None
) -> None:
    """Write an order's state and version, as it now is."""
    await connection.execute(SQL["move_order"], cell, order.placed.id, order.state, order.version, cancelled_at, reason)


async def count_pieces(connection: Connection, cell: int, order: StoredOrder) -> None:
    """Write what has become of the pieces of an order's lines, as it now is."""
    lines = order.lines
    await connection.execute(
        SQL["count_pieces"], cell, order.placed.id, [line.line.line for line in lines], [line.shipped for line in lines],
        [line.cancelled for line in lines], [line.returned for line in lines],
    )  # fmt: skip


async def add_returned(connection: Connection, cell: int, order_id: UUID, pieces: dict[int, int]) -> None:
    """Count pieces that came back on the order's lines."""
    await connection.execute(SQL["add_returned"], cell, order_id, list(pieces), list(pieces.values()))


async def given_back(connection: Connection, cell: int, order_id: UUID) -> dict[str, int]:
    """Return what has been given back of an order, by kind of charge; the goods are under ``''``."""
    return {row["kind"]: row["amount_minor"] for row in await connection.fetch(SQL["given_back"], cell, order_id)}


async def put_return(connection: Connection, cell: int, event: OrderReturned | LinesCancelled) -> None:
    """Write what was given back, with its lines and charges."""
    kind, restocked = ("returned", event.restocked) if isinstance(event, OrderReturned) else ("cancelled", True)
    await connection.execute(
        SQL["put_return"], cell, event.return_id, event.id, event.customer_id, event.market, event.country, event.currency,
        event.at, event.reason, restocked, event.total_minor, kind,
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

"""What other rooms ask of orders, from the truth; reads only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")


class OrderSummary(Struct, frozen=True):
    """An order as a list shows it. Amounts are in minor units of its currency."""

    id: UUID
    state: str
    market: str
    country: str
    currency: str
    placed_at: datetime
    total_minor: int
    lines: int
    pieces: int


class OrderLine(Struct, frozen=True):
    """One article of an order, and what has become of its pieces."""

    line: int
    product_id: UUID
    sku: str
    warehouse: str
    quantity: int
    returned: int
    unit_minor: int
    amount_minor: int
    title: str | None
    shipped: int = 0
    cancelled: int = 0


class OrderCharge(Struct, frozen=True):
    """What is paid beside the articles, or taken off."""

    kind: str
    amount_minor: int
    note: str


class OrderReturn(Struct, frozen=True):
    """Goods that came back."""

    id: UUID
    returned_at: datetime
    reason: str
    restocked: bool
    total_minor: int
    pieces: int


class OrderDetail(Struct, frozen=True, kw_only=True):
    """An order as it stands, with everything that happened to it."""

    id: UUID
    state: str
    customer_id: UUID | None
    market: str
    country: str
    currency: str
    placed_at: datetime
    goods_minor: int
    charges_minor: int
    total_minor: int
    cancelled_at: datetime | None
    cancelled_for: str | None
    channel: str
    paid_by: str
    tax_minor: int
    lines: Sequence[OrderLine]
    charges: Sequence[OrderCharge]
    returns: Sequence[OrderReturn]


async def orders(connection: Connection, cell: int, before: UUID | None, limit: int) -> list[OrderSummary]:
    """Return the newest orders before this one (None: the newest of all)."""
    return [OrderSummary(*row) for row in await connection.fetch(SQL["orders"], cell, before, limit)]


async def orders_of_customer(
    connection: Connection, cell: int, customer_id: UUID, before: UUID | None, limit: int
) -> list[OrderSummary]:
    """Return a customer's newest orders before this one (None: the newest of all)."""
    rows = await connection.fetch(SQL["orders_of_customer"], cell, customer_id, before, limit)
    return [OrderSummary(*row) for row in rows]


async def order(connection: Connection, cell: int, order_id: UUID) -> OrderDetail | None:
    """Return one order as it stands, or None."""
    row = await connection.fetchrow(SQL["order"], cell, order_id)
    if row is None:
        return None
    return OrderDetail(
        **dict(row),
        lines=[OrderLine(*line) for line in await connection.fetch(SQL["lines"], cell, order_id)],
        charges=[OrderCharge(*charge) for charge in await connection.fetch(SQL["charges"], cell, order_id)],
        returns=[OrderReturn(*back) for back in await connection.fetch(SQL["returns"], cell, order_id)],
    )

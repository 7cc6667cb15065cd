"""What a seller reads: its own orders, shipments, money, and nothing of anybody else's; reads only.

Whom to send to is told while something is still to be sent, without what parcels do not need (an email address).
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.seals import Seals
from entrepot.base.time import Clock, utc
from entrepot.commerce.cart.state import Address
from entrepot.commerce.checkout import contact
from entrepot.commerce.marketplace import paying, store
from entrepot.commerce.marketplace.events import SellerChanged
from entrepot.commerce.marketplace.paying import Booked, Payout, Statement
from entrepot.commerce.marketplace.rules import Seller, SellerUnknownError
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")

_CONTACT = ("email", "name", "phone", "address", "subject", "sealed")
_TO_SEND = frozenset({"placed", "part_shipped"})


class SellerOrderSummary(Struct, frozen=True, kw_only=True):
    """One of a seller's orders; amounts are of the lines that it sells itself."""

    order_id: UUID
    state: str
    placed_at: datetime
    settled_at: datetime | None
    currency: str
    country: str
    pieces: int
    amount_minor: int
    commission_minor: int


class SellerLine(Struct, frozen=True, kw_only=True):
    """A line of an order, as its seller sees it."""

    line: int
    sku: str
    warehouse: str
    quantity: int
    shipped: int
    cancelled: int
    returned: int
    amount_minor: int
    commission_minor: int


class SellerShipment(Struct, frozen=True, kw_only=True):
    """A shipment that a seller sends; ``lines`` and ``quantities`` run side by side."""

    id: UUID
    state: str
    warehouse: str
    carrier: str
    tracking: str
    lines: list[int]
    quantities: list[int]


class SendTo(Struct, frozen=True, kw_only=True):
    """Whom to send to: what is written on a parcel."""

    name: str
    phone: str
    address: Address


class SellerOrderDetail(Struct, frozen=True, kw_only=True):
    """What a seller has to do with one order; ``send_to`` while something is to be sent."""

    order_id: UUID
    state: str
    placed_at: datetime
    settled_at: datetime | None
    currency: str
    country: str
    lines: list[SellerLine]
    shipments: list[SellerShipment]
    send_to: SendTo | None


class SellerWarehouse(Struct, frozen=True, kw_only=True):
    """A warehouse that a seller ships from, and the number of its last feed."""

    code: str
    country: str
    rank: int
    parcel_minor: int
    feed_sequence: int
    fed_at: datetime | None


class SellerStock(Struct, frozen=True, kw_only=True):
    """How many pieces of an article lie in a seller's warehouse: to be sold, and reserved."""

    sku: str
    warehouse: str
    available: int
    reserved: int


class SellerBalance(Struct, frozen=True, kw_only=True):
    """What a seller is owed in one currency (negative: it owes us), what of it is held back, what can be paid now."""

    currency: str
    balance_minor: int
    held_minor: int
    payable_minor: int


class SellerDetail(Struct, frozen=True, kw_only=True):
    """A seller with its warehouses and balances."""

    seller: SellerChanged
    warehouses: list[SellerWarehouse]
    balances: list[SellerBalance]


async def sellers(connection: Connection) -> list[SellerChanged]:
    """Return every seller."""
    return [one.told() for one in await store.sellers(connection)]


async def seller(connection: Connection, cell: int, seller_id: UUID, clock: Clock) -> SellerDetail:
    """Return a seller with its warehouses and what the ledger owes it."""
    found = await known(connection, seller_id)
    before = paying.arrived_before(found, utc(clock.millis()))
    rows = await connection.fetch(SQL["warehouses"], cell, seller_id)
    return SellerDetail(
        seller=found.told(),
        warehouses=[SellerWarehouse(**dict(row)) for row in rows],
        balances=[
            SellerBalance(
                currency=one.currency,
                balance_minor=one.balance_minor,
                held_minor=one.held_minor,
                payable_minor=one.payable_minor,
            )
            for one in await store.balances(connection, cell, seller_id, before)
        ],
    )


async def orders(
    connection: Connection, cell: int, seller_id: UUID, before: UUID | None, limit: int
) -> list[SellerOrderSummary]:
    """Return a seller's orders before an id, newest first."""
    await known(connection, seller_id)
    rows = await connection.fetch(SQL["orders"], cell, seller_id, before, limit)
    return [SellerOrderSummary(**dict(row)) for row in rows]


async def order(connection: Connection, cell: int, seller_id: UUID, order_id: UUID, seals: Seals) -> SellerOrderDetail:
    """Return what a seller has to do with an order; one in which it has nothing to do is not found."""
    row = await connection.fetchrow(SQL["order"], cell, seller_id, order_id)
    if row is None:
        raise NotFoundError(f"The seller {seller_id} has no order {order_id}.", order_id=str(order_id))
    fields = dict(row)
    for column in _CONTACT:
        del fields[column]
    to = await contact.opened(row, seals) if fields["state"] in _TO_SEND else None
    send_to = SendTo(name=to.name, phone=to.phone, address=to.address) if to else None
    lines = [SellerLine(**dict(one)) for one in await connection.fetch(SQL["lines"], cell, seller_id, order_id)]
    sent = await connection.fetch(SQL["shipments"], cell, seller_id, order_id)
    return SellerOrderDetail(**fields, lines=lines, shipments=[SellerShipment(**dict(one)) for one in sent], send_to=send_to)


async def stock(connection: Connection, cell: int, seller_id: UUID, limit: int) -> list[SellerStock]:
    """Return what lies in a seller's warehouses, the least first."""
    return [SellerStock(**dict(row)) for row in await connection.fetch(SQL["stock"], cell, seller_id, limit)]


async def payouts(connection: Connection, cell: int, seller_id: UUID, before: UUID | None, limit: int) -> list[Payout]:
    """Return a seller's payouts before an id, newest first."""
    await known(connection, seller_id)
    return [Payout(**dict(row)) for row in await connection.fetch(SQL["payouts"], cell, seller_id, before, limit)]


async def statement(
    connection: Connection, cell: int, seller_id: UUID, currency: str, since: datetime, until: datetime
) -> Statement:
    """Return what was booked for a seller from a moment until another: the ledger's own transfers, every one."""
    await known(connection, seller_id)
    if since.tzinfo is None or until.tzinfo is None or since >= until:
        raise BadInputError(f"There is no period from {since} until {until}: give two moments with time zones.")
    opening: int = await connection.fetchval(SQL["opening"], cell, seller_id, currency, since)
    most = limits.STATEMENT_ENTRIES_MAX
    rows = await connection.fetch(SQL["booked"], cell, seller_id, currency, since, until, most + 1)
    if len(rows) > most:
        raise BadInputError(f"The period has more than {most} entries: ask for a shorter one.", entries_max=most)
    return paying.statement(seller_id, currency, since, until, opening, [Booked(*row) for row in rows])


async def known(connection: Connection, seller_id: UUID) -> Seller:
    """Return a seller, or say that there is none."""
    found = await store.seller(connection, seller_id)
    if found is None:
        raise SellerUnknownError(seller_id)
    return found

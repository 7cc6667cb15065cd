"""A cart as its buyer sees it: what it holds, what that is offered as at this moment, what it costs. Reads only.

What changed since an article was put in is told, and never applied in silence.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.limits import CART_IDLE_DAYS_MAX
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.cart.requests import Carted
from entrepot.commerce.cart.rules import version
from entrepot.commerce.cart.state import Cart, Contact, Standing
from entrepot.commerce.cart.view import changed, held
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "carted.sql")
DAY_MILLIS = 86_400_000


class CartLine(Struct, frozen=True, kw_only=True):
    """An article in a cart: what it costs now, how many are left, and in sentences what is not as it was when it was put in."""

    sku: str
    quantity: int
    note: str
    product_id: UUID | None
    unit_minor: int | None
    amount_minor: int | None
    left: int
    changed: list[str]


class CartView(Struct, frozen=True, kw_only=True):
    """A cart as it is offered at this moment. ``version`` is how much of its lines has been seen (``Entrepot-Seen``)."""

    id: UUID
    version: str
    standing: Standing
    market: str
    country: str
    currency: str
    customer_id: UUID | None
    lines: list[CartLine]
    pieces: int
    coupons: list[str]
    contact: Contact | None
    shipping_method: str
    goods_minor: int
    total_minor: int
    expires_at: datetime


async def carted(connection: Connection, cell: int, market: str, skus: Iterable[str]) -> tuple[list[str], dict[str, Carted]]:
    """Return the currencies of a market (its own first; none: there is no such market), and what these SKUs are there.

    ``unit_minor`` is the market's own price in its own currency, before any list, promotion or conversion.
    """
    rows = await connection.fetch(SQL["carted"], cell, market, list(skus))
    currencies = [rows[0]["currency"], *rows[0]["currencies"]] if rows else []
    return currencies, {
        row["sku"]: Carted(
            sku=row["sku"],
            product_id=row["product_id"],
            offered=row["offered"],
            unit_minor=row["amount_minor"],
            left=int(row["available"]),
        )
        for row in rows
        if row["sku"] is not None
    }


async def look(connection: Connection, cell: int, cart_id: UUID, cart: Cart) -> CartView:
    """Return a cart as its buyer sees it."""
    holds = held(cart_id, cart)
    currencies, offers = await carted(connection, cell, cart.market, [line.sku for line in holds.lines])
    own = currencies[0] if currencies else cart.currency
    lines = []
    for line in holds.lines:
        offer = offers.get(line.sku)
        unit = offer.unit_minor if offer is not None and offer.offered else None
        lines.append(
            CartLine(
                sku=line.sku,
                quantity=line.quantity,
                note=line.note,
                product_id=offer.product_id if offer else None,
                unit_minor=unit,
                amount_minor=None if unit is None else unit * line.quantity,
                left=offer.left if offer else 0,
                changed=changed(cart, own, line.sku, line.quantity, offer),
            )
        )
    goods = sum(line.amount_minor or 0 for line in lines)
    return CartView(
        id=cart_id,
        version=version(cart),
        standing=holds.standing,
        market=cart.market,
        country=cart.goes_to(),
        currency=cart.currency,
        customer_id=cart.customer_id.value,
        lines=lines,
        pieces=holds.pieces,
        coupons=holds.coupons,
        contact=cart.contact.value,
        shipping_method=cart.shipping_method.value,
        goods_minor=goods,
        total_minor=goods,
        expires_at=utc(stamp_millis(cart.touched) + CART_IDLE_DAYS_MAX * DAY_MILLIS),
    )

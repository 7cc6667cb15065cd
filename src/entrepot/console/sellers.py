"""The sellers' pages: who sells here; one seller's orders, balance, payouts, warehouses and statement, and nobody else's."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.limits import ASIDE_SECONDS_MAX
from entrepot.base.time import utc
from entrepot.commerce.marketplace import commands, query
from entrepot.commerce.marketplace.paying import Statement
from entrepot.commerce.marketplace.query import SellerDetail, SellerStock
from entrepot.console.forms import Form, text
from entrepot.console.render import page
from entrepot.record.transaction import Connection

LIMIT = 20
PAYOUTS = 10
STOCK = 100
STATEMENT_DAYS = 30


@get("/sellers", include_in_schema=False, opt={"permission": "sellers.read"})
async def list_sellers(parts: NamedDependency[Parts]) -> Response[str]:
    """Show who sells here."""
    async with parts.record.committing() as connection:
        items = await query.sellers(connection)
    return page("sellers.html", "sellers", {"items": items})


@get("/sellers/{seller_id:uuid}", include_in_schema=False, opt={"permission": "sellers.read"})
async def show_seller(
    parts: NamedDependency[Parts],
    seller_id: FromPath[UUID],
    cursor: FromQuery[str] = "",
    currency: FromQuery[str] = "",
    month: FromQuery[str] = "",
) -> Response[str]:
    """Show one seller: what is to be sent, what is owed, what was paid, and the statement of a month."""
    return await _seller_page(parts, seller_id, cursor=cursor, currency=currency, month=month)


@get("/sellers/{seller_id:uuid}/orders/{order_id:uuid}", include_in_schema=False, opt={"permission": "sellers.read"})
async def show_seller_order(
    parts: NamedDependency[Parts], seller_id: FromPath[UUID], order_id: FromPath[UUID]
) -> Response[str]:
    """Show what a seller has to do with an order, and where to send it while it is to be sent."""
    async with parts.record.reading() as connection:
        seller = await query.seller(connection, parts.cell, seller_id, parts.clock)
        found = await query.order(connection, parts.cell, seller_id, order_id, parts.record.sealing)
    return page("seller_order.html", "sellers", {"seller": seller.seller, "order": found})


@post("/sellers/{seller_id:uuid}/state", include_in_schema=False, opt={"permission": "sellers.write"})
async def set_state(parts: NamedDependency[Parts], seller_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Pause a seller, or let it go on; closing is for the API, since there is no way back."""
    to = text(data, "state")
    try:
        if to not in {"active", "paused"}:
            raise BadInputError(f"A seller cannot be made {to!r} here: active or paused.", state=to)
        async with parts.record.transaction(parts.cell, parts.actor) as tx:
            await commands.set_seller_state(tx, seller_id, "active" if to == "active" else "paused")
    except EntrepotError as error:
        return await _seller_page(parts, seller_id, wrong=str(error), status=error.status)
    return Redirect(f"/sellers/{seller_id}", status_code=303)


HANDLERS = [list_sellers, show_seller, show_seller_order, set_state]


async def _seller_page(
    parts: Parts,
    seller_id: UUID,
    *,
    cursor: str = "",
    currency: str = "",
    month: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response[str]:
    now = utc(parts.clock.millis())
    since, until = _period(month, now)
    async with parts.record.reading() as connection:
        found = await query.seller(connection, parts.cell, seller_id, parts.clock)
        orders = await query.orders(connection, parts.cell, seller_id, parse_cursor(cursor), LIMIT)
        payouts = await query.payouts(connection, parts.cell, seller_id, None, PAYOUTS)
        known = [one.currency for one in found.balances]
        chosen = currency if currency in known else next(iter(known), "")
        told = await _statement(connection, parts.cell, seller_id, chosen, since, until)
    context = {
        "one": found,
        "orders": orders,
        "more": str(orders[-1].order_id) if len(orders) == LIMIT else "",
        "payouts": payouts,
        "stock": await _stock(parts, found),
        "statement": told,
        "currencies": known,
        "chosen": chosen,
        "month": month,
        "since": since,
        "until": until,
        "wrong": wrong,
    }
    return page("seller.html", "sellers", context, status=status)


def _period(month: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the month that was asked for, or the last thirty days."""
    if not month:
        return now - timedelta(days=STATEMENT_DAYS), now
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInputError(f"{month[:20]!r} is no month: write year-month, such as 2026-03.", field="month") from error
    return first, (first + timedelta(days=31)).replace(day=1)


async def _stock(parts: Parts, seller: SellerDetail) -> list[SellerStock]:
    """Return what lies in a seller's own warehouses; nothing when that takes too long: the page is whole without."""
    if not seller.warehouses:
        return []
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX), parts.record.committing() as connection:
            return await query.stock(connection, parts.cell, seller.seller.id, STOCK)
    except TimeoutError:
        return []


async def _statement(
    connection: Connection, cell: int, seller_id: UUID, currency: str, since: datetime, until: datetime
) -> Statement | None:
    return await query.statement(connection, cell, seller_id, currency, since, until) if currency else None

"""Orders as pages: the list as it grows, one order with its timeline, and the buttons buy and cancel."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.base.limits import IDEMPOTENCY_KEY_CHARS_MAX
from entrepot.commerce.checkout.commands import cancel_order
from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from entrepot.commerce.ordering import query
from entrepot.commerce.ordering.query import OrderDetail
from entrepot.commerce.pricing.query import markets
from entrepot.console.guard import same_site
from entrepot.console.render import amount, page, short, whole
from entrepot.record.transaction import Transaction

LIMIT = 30
COUNTRY = "GB"

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class Step(Struct, frozen=True, kw_only=True):
    """Something that happened to an order."""

    at: datetime
    what: str
    state: str
    why: str = ""


class Cancelled(Struct, frozen=True):
    """A cancellation was done (the answer to its command)."""

    order_id: UUID


@get("/orders", include_in_schema=False)
async def list_orders(parts: NamedDependency[Parts], cursor: FromQuery[str] = "") -> Response[str]:
    """Show orders, newest first."""
    async with parts.record.committing() as connection:
        items = await query.orders(connection, parts.cell, parse_cursor(cursor), LIMIT)
    context = {
        "items": items,
        "cursor": cursor,
        "more": str(items[-1].id) if len(items) == LIMIT else "",
        "seen": await parts.pulse.now(),
    }
    return page("orders.html", "orders", context)


@get("/orders/{order_id:uuid}", include_in_schema=False)
async def show_order(parts: NamedDependency[Parts], order_id: FromPath[UUID], placed: FromQuery[str] = "") -> Response[str]:
    """Show one order."""
    return await _order_page(parts, order_id, placed=bool(placed))


@post("/orders/{order_id:uuid}/cancellation", include_in_schema=False)
async def cancel(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], order_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Cancel an order, or say on its page why not."""
    same_site(request)
    reason = data.get("reason", "").strip()
    try:
        if data.get("confirm", "").strip() != short(order_id):
            raise BadInputError(f"The order was not cancelled: type {short(order_id)} to confirm.")
        if not reason:
            raise BadInputError("The order was not cancelled: say why.")

        async def act(tx: Transaction) -> Cancelled:
            await cancel_order(tx, _key(data), order_id, reason)
            return Cancelled(order_id)

        await parts.run(act, Cancelled)
    except EntrepotError as error:
        return await _order_page(parts, order_id, wrong=str(error), reason=reason, status=error.status)
    return Redirect(f"/orders/{order_id}", status_code=303)


@post("/products/{product_id:uuid}/orders", include_in_schema=False)
async def buy(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], product_id: FromPath[UUID], data: Form
) -> Redirect:
    """Place an order of one article and show it."""
    same_site(request)
    market = data.get("market", "")
    quantity = data.get("quantity", "1")
    if not quantity.isdecimal():
        raise BadInputError(f"{quantity!r} is no number of pieces of product {product_id}: write a whole number.")
    async with parts.record.committing() as connection:
        currency = (await markets(connection)).get(market, "")
    if not currency:
        raise BadInputError(f"There is no market {market!r}: choose one in the store.", market=market)
    line = LineRequest(sku=data.get("sku", ""), quantity=int(quantity[:9]))
    order = OrderRequest(market=market, country=COUNTRY, currency=currency, lines=[line])
    placed = await parts.gatherer.place(_key(data), order)
    return Redirect(f"/orders/{placed.order_id}?placed=yes", status_code=303)


HANDLERS = [list_orders, show_order, cancel, buy]


def timeline(order: OrderDetail) -> list[Step]:
    """Return what happened to an order, the oldest first."""
    pieces = sum(line.quantity for line in order.lines)
    steps = [Step(at=order.placed_at, what="Placed", state="good", why=f"{whole(pieces)} pieces taken from stock")]
    steps += [
        Step(
            at=back.returned_at,
            what=f"{whole(back.pieces)} pieces came back",
            state="warning",
            why=f"{back.reason}; {amount(back.total_minor, order.currency)} owed back",
        )
        for back in order.returns
    ]
    if order.cancelled_at is not None:
        steps.append(Step(at=order.cancelled_at, what="Cancelled", state="idle", why=order.cancelled_for or ""))
    return sorted(steps, key=lambda step: step.at)


async def _order_page(
    parts: Parts, order_id: UUID, *, placed: bool = False, wrong: str = "", reason: str = "", status: int = 200
) -> Response[str]:
    async with parts.record.reading() as connection:
        found = await query.order(connection, parts.cell, order_id)
    if found is None:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    context = {
        "order": found,
        "timeline": timeline(found),
        "placed": placed,
        "wrong": wrong,
        "reason": reason,
        "key": parts.record.ids.fresh(),
    }
    return page("order.html", "orders", context, status=status)


def _key(data: dict[str, str]) -> str:
    return f"console/{data.get('key', '')}"[:IDEMPOTENCY_KEY_CHARS_MAX]

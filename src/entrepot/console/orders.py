"""Orders as pages: the list as it grows; one order with its timeline, payments and shipments, and its buttons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.after_order import run
from entrepot.api.carriers import label_address
from entrepot.api.fulfilment import Sending, run_sent
from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.commerce.aftersale import commands, returning
from entrepot.commerce.aftersale.events import Reason
from entrepot.commerce.aftersale.query import ReturnDetail, carriers_of, returns, timeline
from entrepot.commerce.aftersale.requests import Cancellation, LinePieces, Moved, ReturnWish
from entrepot.commerce.business.query import invoice_of_order
from entrepot.commerce.fulfilment.query import shipments_of
from entrepot.commerce.ordering import query
from entrepot.commerce.ordering.query import OrderLine
from entrepot.commerce.payment.query import payment
from entrepot.console.forms import Form, key_of, text, whole_number
from entrepot.console.moments import shown
from entrepot.console.render import page, short
from entrepot.record.transaction import Transaction

LIMIT = 30
RETURNS = 20
UNDER_WAY = {"requested", "received", "inspected"}
CANCELLABLE = {"placed", "part_shipped"}
REASONS: Mapping[str, str] = {
    "changed_mind": "Changed their mind",
    "does_not_fit": "Does not fit",
    "late": "Came too late",
    "damaged": "Damaged",
    "wrong_article": "Wrong article",
    "not_as_described": "Not as described",
}

# What a shipment may be made next, and how the button says it.
NEXT: Mapping[str, tuple[str, str]] = {
    "planned": ("picked", "Picked"),
    "picked": ("packed", "Packed"),
    "packed": ("shipped", "Ship"),
    "shipped": ("delivered", "Delivered"),
}
_DONE = {"cancelled": "The order is cancelled.", "moved": "Noted.", "asked": "The return is opened."}


@get("/orders", include_in_schema=False, opt={"permission": "orders.read"})
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


@get("/orders/{order_id:uuid}", include_in_schema=False, opt={"permission": "orders.read"})
async def show_order(parts: NamedDependency[Parts], order_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
    """Show one order."""
    return await order_page(parts, order_id, done=done)


@post("/orders/{order_id:uuid}/cancellation", include_in_schema=False, opt={"permission": "orders.cancel"})
async def cancel(parts: NamedDependency[Parts], order_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Cancel what of an order has not left, or say on its page why not."""
    reason = text(data, "reason")
    try:
        if text(data, "confirm") != short(order_id):
            raise BadInputError(f"The order was not cancelled: type {short(order_id)} to confirm.")
        if not reason:
            raise BadInputError("The order was not cancelled: say why.")
        asked = Cancellation(reason=reason)
        await run(parts, key_of(data, parts), lambda tx: commands.cancel(tx, order_id, asked), f"cancel {order_id}", asked)
    except EntrepotError as error:
        return await order_page(parts, order_id, wrong=str(error), reason=reason, status=error.status)
    return Redirect(f"/orders/{order_id}?done=cancelled", status_code=303)


@post("/orders/{order_id:uuid}/shipments/{shipment_id:uuid}", include_in_schema=False, opt={"permission": "orders.fulfil"})
async def move_shipment(
    parts: NamedDependency[Parts],
    order_id: FromPath[UUID],
    shipment_id: FromPath[UUID],
    data: Form,
) -> Response[Any]:
    """Say that a shipment was picked, packed, sent or delivered; sending takes its share of the money."""
    to = text(data, "to")

    async def act(tx: Transaction) -> Moved:
        if to == "delivered":
            return await commands.deliver(tx, shipment_id)
        if to not in {"picked", "packed"}:
            raise BadInputError(f"A shipment cannot be made {to!r} here: picked, packed, shipped or delivered.")
        return await commands.advance_shipment(tx, shipment_id, "picked" if to == "picked" else "packed")

    try:
        if to == "shipped":
            sending = Sending(carrier=text(data, "carrier"), tracking=text(data, "tracking"), book=bool(text(data, "book")))
            await run_sent(parts, key_of(data, parts), shipment_id, sending)
        else:
            await run(parts, key_of(data, parts), act, f"{to} {shipment_id}")
    except EntrepotError as error:
        return await order_page(parts, order_id, wrong=str(error), status=error.status)
    return Redirect(f"/orders/{order_id}?done=moved", status_code=303)


@post(
    "/orders/{order_id:uuid}/shipments/{shipment_id:uuid}/label", include_in_schema=False, opt={"permission": "orders.fulfil"}
)
async def print_label(
    parts: NamedDependency[Parts],
    order_id: FromPath[UUID],
    shipment_id: FromPath[UUID],
    data: Form,
) -> Response[Any]:
    """Have the label of a shipment made, and show it."""
    try:
        made = await label_address(parts, shipment_id, "zpl" if text(data, "kind") == "zpl" else "pdf")
    except EntrepotError as error:
        return await order_page(parts, order_id, wrong=str(error), status=error.status)
    return Redirect(made.download, status_code=303)


@post("/orders/{order_id:uuid}/returns", include_in_schema=False, opt={"permission": "returns.ask"})
async def ask_return(parts: NamedDependency[Parts], order_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Open a return of pieces that have left."""
    try:
        reasons: tuple[Reason, ...] = get_args(Reason)
        reason: Reason = next((one for one in reasons if one == text(data, "reason")), "changed_mind")
        typed = [
            (int(name[5:]), whole_number(data, name)) for name in data if name.startswith("line-") and name[5:].isdecimal()
        ]
        lines = [LinePieces(line=line, quantity=quantity) for line, quantity in typed if quantity]
        wish = ReturnWish(reason=reason, lines=lines, note=text(data, "note"))
        key = key_of(data, parts)
        await run(parts, key, lambda tx: returning.request_return(tx, order_id, wish), f"return {order_id}", wish)
    except EntrepotError as error:
        return await order_page(parts, order_id, wrong=str(error), status=error.status)
    return Redirect(f"/orders/{order_id}?done=asked", status_code=303)


HANDLERS = [list_orders, show_order, cancel, move_shipment, print_label, ask_return]


async def order_page(
    parts: Parts, order_id: UUID, *, done: str = "", wrong: str = "", reason: str = "", status: int = 200
) -> Response[str]:
    """Return the page of an order, perhaps with what was done, or with what was not and why."""
    async with parts.record.reading() as connection:
        found = await query.order(connection, parts.cell, order_id)
        if found is None:
            raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
        moments = await timeline(connection, parts.cell, order_id)
        paid = await payment(connection, parts.cell, order_id)
        shipments = await shipments_of(connection, parts.cell, order_id)
        back = await returns(connection, parts.cell, None, "", order_id, RETURNS)
        invoice = await invoice_of_order(connection, parts.cell, order_id)
        possible = await carriers_of(connection, parts.cell, order_id)
    context = {
        "order": found,
        "moments": [shown(moment, found.currency) for moment in moments],
        "payment": paid,
        "shipments": shipments,
        "next": NEXT,
        "carrier": possible[0] if len(possible) == 1 else "",
        "bookable": parts.carriers,
        "back": back,
        "reasons": REASONS,
        "invoice": invoice,
        "cancellable": found.state in CANCELLABLE and any(_left(line) for line in found.lines),
        "returnable": _returnable(found.lines, back),
        "done": _DONE.get(done, ""),
        "wrong": wrong,
        "reason": reason,
        "fresh": parts.record.ids.fresh,
    }
    return page("order.html", "orders", context, status=status)


def _left(line: OrderLine) -> int:
    return line.quantity - line.shipped - line.cancelled - line.returned


def _returnable(lines: Sequence[OrderLine], back: Sequence[ReturnDetail]) -> list[tuple[OrderLine, int]]:
    """Return the lines of which pieces can come back, with how many: those sent, less those that are back or on their way."""
    coming = Counter[int]()
    for case in back:
        if case.state in UNDER_WAY:
            coming.update({line.line: line.requested for line in case.lines})
    left = [(line, line.shipped - line.returned - coming[line.line]) for line in lines]
    return [(line, pieces) for line, pieces in left if pieces > 0]

"""After the order: cancelled in part, returned, exchanged, refunded; its timeline, and a customer's orders."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct, field

from entrepot.api.after_order import MovedAnswer, answered, run
from entrepot.api.headers import RequiredKey, required
from entrepot.api.orders import OrderPage
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError
from entrepot.commerce.aftersale import commands, query, returning
from entrepot.commerce.aftersale.exchange import exchange_return
from entrepot.commerce.aftersale.query import Moment, ReturnDetail
from entrepot.commerce.aftersale.requests import Cancellation, Inspected, LinePieces, ReturnWish
from entrepot.commerce.checkout.held import CardChoice
from entrepot.commerce.ordering import query as ordering

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
OnlyState: TypeAlias = Annotated[
    Literal["", "requested", "received", "inspected", "refunded", "exchanged", "rejected"],
    QueryParameter(name="state", description="Only those that stand so."),
]


class Arrived(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What arrived of a return."""

    lines: list[LinePieces]


class Inspection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found of what arrived: each piece can be sold again, is written off, or is refused."""

    lines: list[Inspected]


class Instead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The article that is sent for the accepted pieces of a line."""

    line: int
    sku: str


class Exchange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent for what came back; a line that is not named gets the same article again.

    ``payment`` pays what other articles cost more than those that came back.
    """

    lines: list[Instead] = field(default_factory=list)
    payment: CardChoice = field(default_factory=lambda: CardChoice(kind="none"))


class Goodwill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that is given back without goods, in minor units of the order's currency."""

    amount_minor: int
    reason: str


class Timeline(Struct, frozen=True, kw_only=True):
    """All that happened to an order, oldest first."""

    order_id: UUID
    moments: list[Moment]


class ReturnPage(Struct, frozen=True, kw_only=True):
    """Returns, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[ReturnDetail]
    cursor: str


@post(
    "/v1/orders/{order_id:uuid}/cancellations",
    tags=["After the order"],
    summary="Cancel an order, or some of it",
    opt={"permission": "orders.cancel"},
)
async def cancel(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], data: JSONBody[Cancellation], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Cancel pieces that have not left (all of them, when no lines are named): stock, coupons and money go back."""
    return await run(parts, idempotency_key, lambda tx: commands.cancel(tx, order_id, data), f"cancel {order_id}", data)


@post(
    "/v1/orders/{order_id:uuid}/refunds",
    tags=["After the order"],
    summary="Give money back without goods",
    opt={"permission": "orders.refund"},
)
async def refund(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], data: JSONBody[Goodwill], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Give money back: never more than was captured and not given back. A later return gives back that much less."""
    return await run(
        parts,
        idempotency_key,
        lambda tx: commands.refund(tx, order_id, data.amount_minor, data.reason),
        f"refund {order_id}",
        data,
    )


@post(
    "/v1/orders/{order_id:uuid}/returns",
    tags=["After the order"],
    summary="Ask for a return",
    opt={"permission": "returns.ask"},
)
async def request_return(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], data: JSONBody[ReturnWish], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Open a return of pieces that have left; the answer's ``id`` is the return's."""
    return await run(
        parts, idempotency_key, lambda tx: returning.request_return(tx, order_id, data), f"return {order_id}", data
    )


@post(
    "/v1/returns/{return_id:uuid}/received",
    tags=["After the order"],
    summary="Note what arrived of a return",
    opt={"permission": "returns.handle"},
)
async def received(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], data: JSONBody[Arrived], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Note what arrived: no more of a line than was announced."""
    return await run(
        parts, idempotency_key, lambda tx: returning.receive_return(tx, return_id, data.lines), f"received {return_id}", data
    )


@post(
    "/v1/returns/{return_id:uuid}/inspected",
    tags=["After the order"],
    summary="Note what inspection found",
    opt={"permission": "returns.handle"},
)
async def inspected(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], data: JSONBody[Inspection], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Note what was found: what can be sold again goes back into stock at once."""
    return await run(
        parts, idempotency_key, lambda tx: returning.inspect_return(tx, return_id, data.lines), f"inspected {return_id}", data
    )


@post(
    "/v1/returns/{return_id:uuid}/refunded",
    tags=["After the order"],
    summary="Refund a return",
    opt={"permission": "returns.handle"},
)
async def refunded(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Give back what the accepted pieces cost, with its tax; the postage too when the fault is ours, or all came back."""
    return await run(parts, idempotency_key, lambda tx: returning.refund_return(tx, return_id), f"refunded {return_id}")


@post(
    "/v1/returns/{return_id:uuid}/exchanged",
    tags=["After the order"],
    summary="Exchange a return",
    opt={"permission": "returns.handle"},
)
async def exchanged(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], data: JSONBody[Exchange], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Send other goods for the accepted pieces, by a new order that what came back pays for.

    What they cost more is paid by ``payment``; what they cost less is given back. Asking again is answered the same.
    """
    instead = {line.line: line.sku for line in data.lines}
    key, payment = required(idempotency_key), data.payment.choice()
    async with parts.asking():
        moved = await exchange_return(parts.record, parts.checkouts, parts.cell, key, return_id, instead, payment, parts.actor)
    return await answered(parts, moved)


@post(
    "/v1/returns/{return_id:uuid}/rejected",
    tags=["After the order"],
    summary="Reject a return",
    opt={"permission": "returns.handle"},
)
async def rejected(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """End a return of which nothing is taken back."""
    return await run(parts, idempotency_key, lambda tx: returning.reject_return(tx, return_id), f"rejected {return_id}")


@get("/v1/returns", tags=["After the order"], summary="List returns, newest first", opt={"permission": "orders.read"})
async def list_returns(
    parts: NamedDependency[Parts],
    only: OnlyState = "",
    order_id: FromQuery[UUID | None] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[ReturnPage]:
    """List returns, newest first: all, or those of one state or order."""
    async with parts.record.committing() as connection:
        items = await query.returns(connection, parts.cell, parse_cursor(cursor), only, order_id, limit)
    page = ReturnPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    given = {"state": only, "order_id": str(order_id) if order_id else ""}
    link = next_link("/v1/returns", page.cursor, limit, **{name: value for name, value in given.items() if value})
    return Response(page, headers={"Cache-Control": "no-store", **link})


@get(
    "/v1/returns/{return_id:uuid}",
    tags=["After the order"],
    summary="One return, as it stands",
    opt={"permission": "orders.read"},
)
async def read_return(parts: NamedDependency[Parts], return_id: FromPath[UUID]) -> Response[ReturnDetail]:
    """Read a return with its lines."""
    async with parts.record.reading() as connection:
        found = await query.return_(connection, parts.cell, return_id)
    if found is None:
        raise NotFoundError(f"There is no return {return_id}.", return_id=str(return_id))
    return Response(found, headers={"Cache-Control": "no-store"})


@get(
    "/v1/orders/{order_id:uuid}/timeline",
    tags=["After the order"],
    summary="All that happened to an order",
    opt={"permission": "orders.read"},
)
async def timeline(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], seller_id: FromQuery[UUID | None] = None
) -> Response[Timeline]:
    """Tell what happened to an order, oldest first; for a seller, what concerns that seller's goods."""
    async with parts.record.reading() as connection:
        moments = await query.timeline(connection, parts.cell, order_id, seller_id)
    if not moments:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    return Response(Timeline(order_id=order_id, moments=moments), headers={"Cache-Control": "no-store"})


@get(
    "/v1/customers/{customer_id:uuid}/orders",
    tags=["After the order"],
    summary="A customer's orders, newest first",
    opt={"permission": "orders.read"},
)
async def of_customer(
    parts: NamedDependency[Parts], customer_id: FromPath[UUID], cursor: Cursor = "", limit: Limit = 20
) -> Response[OrderPage]:
    """List a customer's orders, newest first."""
    async with parts.record.committing() as connection:
        items = await ordering.orders_of_customer(connection, parts.cell, customer_id, parse_cursor(cursor), limit)
    page = OrderPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    link = next_link(f"/v1/customers/{customer_id}/orders", page.cursor, limit)
    return Response(page, headers={"Cache-Control": "no-store", **link})


HANDLERS = [
    cancel, refund, request_return, received, inspected, refunded, exchanged, rejected, list_returns, read_return, timeline,
    of_customer,
]  # fmt: skip

"""Orders: placed, cancelled, taken back, and read from the truth."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.headers import AtLeast, RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError
from entrepot.commerce.aftersale import commands as aftersale
from entrepot.commerce.aftersale import requests as aftersale_requests
from entrepot.commerce.checkout import commands as checkout
from entrepot.commerce.checkout.requests import OrderRequest, Placed, Returned, ReturnRequest
from entrepot.commerce.ordering import query
from entrepot.commerce.ordering.query import OrderDetail, OrderSummary
from entrepot.record.cause import about
from entrepot.record.transaction import Transaction


class OrderAnswer(Struct, frozen=True, kw_only=True):
    """The answer to an order that was accepted; ``repeated`` when an earlier request with the same key had placed it."""

    order_id: UUID
    total_minor: int
    currency: str
    repeated: bool = False


class ReturnAnswer(Struct, frozen=True, kw_only=True):
    """The answer to goods taken back: what is owed for them."""

    return_id: UUID
    total_minor: int
    currency: str
    repeated: bool = False


class Cancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an order is cancelled."""

    reason: str


class Cancelled(Struct, frozen=True, kw_only=True):
    """The order that is off."""

    order_id: UUID
    position: str


class OrderPage(Struct, frozen=True, kw_only=True):
    """Orders, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[OrderSummary]
    cursor: str


@post("/v1/orders", tags=["Orders"], summary="Place an order", opt={"permission": "orders.place"})
async def place_order(
    parts: NamedDependency[Parts], data: JSONBody[OrderRequest], idempotency_key: RequiredKey = ""
) -> Response[OrderAnswer]:
    """Take the stock and place the order, whole or not at all; a refusal names the article, wanted and left.

    (The hot lane answers this address; this is the same, slower, for who mounts the routes without it.)
    """
    placed = await parts.gatherer.place(required(idempotency_key), data)
    return Response(answer_to(placed), status_code=201, headers=placed_headers(placed))


@get("/v1/orders", tags=["Orders"], summary="List orders, newest first", opt={"permission": "orders.read"})
async def list_orders(
    parts: NamedDependency[Parts], at_least: AtLeast, cursor: Cursor = "", limit: Limit = 20
) -> Response[OrderPage]:
    """List orders, newest first."""
    after = parse_cursor(cursor)
    items = await parts.recent(lambda connection: query.orders(connection, parts.cell, after, limit), at_least)
    page = OrderPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    return Response(page, headers={"Cache-Control": "no-store", **next_link("/v1/orders", page.cursor, limit)})


@get("/v1/orders/{order_id:uuid}", tags=["Orders"], summary="One order, as it stands", opt={"permission": "orders.read"})
async def read_order(parts: NamedDependency[Parts], order_id: FromPath[UUID]) -> Response[OrderDetail]:
    """Read an order with its lines, charges and what came back, from the truth."""
    async with parts.record.reading() as connection:
        found = await query.order(connection, parts.cell, order_id)
    if found is None:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    about(found.customer_id)
    return Response(found, headers={"Cache-Control": "no-store"})


@post(
    "/v1/orders/{order_id:uuid}/cancellation", tags=["Orders"], summary="Cancel an order", opt={"permission": "orders.cancel"}
)
async def cancel_order(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], data: JSONBody[Cancellation], idempotency_key: RequiredKey = ""
) -> Response[Cancelled]:
    """Cancel all of an order that has not left: its stock goes back, and its money.

    (Lines of it are cancelled at ``/v1/orders/{order_id}/cancellations``, which also says what became of the money.)
    """

    async def act(tx: Transaction) -> Cancelled:
        moved_now = await aftersale.cancel(tx, order_id, aftersale_requests.Cancellation(reason=data.reason))
        return Cancelled(order_id=order_id, position=str(moved_now.token))

    request = f"cancel {order_id} {data.reason}".encode()
    cancelled = await parts.run(act, Cancelled, required(idempotency_key), request)
    return Response(cancelled, status_code=201, headers=moved(cancelled.position))


@post("/v1/returns", tags=["Orders"], summary="Take goods back", opt={"permission": "returns.handle"})
async def return_goods(
    parts: NamedDependency[Parts], data: JSONBody[ReturnRequest], idempotency_key: RequiredKey = ""
) -> Response[ReturnAnswer]:
    """Take goods back: never more of a line than is out; what can be sold again goes back into stock."""
    key = required(idempotency_key)

    async def act(tx: Transaction) -> Returned:
        return await checkout.return_goods(tx, key, data)

    back = await parts.run(act, Returned)
    body = ReturnAnswer(return_id=back.return_id, total_minor=back.total_minor, currency=back.currency, repeated=back.repeated)
    return Response(body, status_code=201, headers=moved(str(back.token)))


HANDLERS = [place_order, list_orders, read_order, cancel_order, return_goods]


def answer_to(placed: Placed) -> OrderAnswer:
    """Return what the buyer is told."""
    return OrderAnswer(
        order_id=placed.order_id, total_minor=placed.total_minor, currency=placed.currency, repeated=placed.repeated
    )


def placed_headers(placed: Placed) -> dict[str, str]:
    """Return where the order is found, and how far the log is with it."""
    return {"Location": f"/v1/orders/{placed.order_id}", **moved(str(placed.token))}

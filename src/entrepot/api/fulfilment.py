"""Shipments: planned, picked, packed, shipped, delivered, lost."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.after_order import MovedAnswer, run
from entrepot.api.catalogue import Done, done
from entrepot.api.headers import RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.commerce.aftersale import carrying, commands
from entrepot.commerce.aftersale.planning import plan_order
from entrepot.commerce.fulfilment import query
from entrepot.commerce.fulfilment.query import ShipmentDetail
from entrepot.record.transaction import Transaction

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
OnlyState: TypeAlias = Annotated[
    Literal["", "planned", "picked", "packed", "shipped", "delivered", "lost", "cancelled"],
    QueryParameter(name="state", description="Only those that stand so."),
]


class Sending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes a shipment, and under which number; with ``book`` the carrier is asked to take it, and says the number.

    With ``book`` the carrier may be left out: it is then the one of the shipping method that the order goes by.
    """

    carrier: str = ""
    tracking: str = ""
    book: bool = False


class ShipmentPage(Struct, frozen=True, kw_only=True):
    """Shipments, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[ShipmentDetail]
    cursor: str


@post(
    "/v1/orders/{order_id:uuid}/shipments",
    tags=["Shipments"],
    summary="Plan an order's shipments",
    opt={"permission": "orders.plan"},
)
async def plan(parts: NamedDependency[Parts], order_id: FromPath[UUID], idempotency_key: RequiredKey = "") -> Response[Done]:
    """Plan what is to leave, a shipment per warehouse (and seller); what is planned already stays.

    Orders from a storefront are planned by themselves. What was sold by promise waits for a receipt.
    """

    async def act(tx: Transaction) -> Done:
        return done(await plan_order(tx, order_id))

    answer = await parts.run(act, Done, required(idempotency_key), f"plan {order_id}".encode())
    return Response(answer, status_code=201, headers=moved(answer.position))


@get(
    "/v1/orders/{order_id:uuid}/shipments",
    tags=["Shipments"],
    summary="The shipments of an order",
    opt={"permission": "orders.read"},
)
async def of_order(parts: NamedDependency[Parts], order_id: FromPath[UUID]) -> Response[ShipmentPage]:
    """List the shipments of an order, in the order they were planned."""
    async with parts.record.reading() as connection:
        items = await query.shipments_of(connection, parts.cell, order_id)
    return Response(ShipmentPage(items=items, cursor=""), headers={"Cache-Control": "no-store"})


@get("/v1/shipments", tags=["Shipments"], summary="List shipments, newest first", opt={"permission": "orders.read"})
async def list_shipments(
    parts: NamedDependency[Parts],
    only: OnlyState = "",
    warehouse: FromQuery[str] = "",
    seller_id: FromQuery[UUID | None] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[ShipmentPage]:
    """List shipments, newest first: all, or those of one state, warehouse or seller."""
    async with parts.record.committing() as connection:
        items = await query.shipments(connection, parts.cell, parse_cursor(cursor), only, warehouse, seller_id, limit)
    page = ShipmentPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    given = {"state": only, "warehouse": warehouse, "seller_id": str(seller_id) if seller_id else ""}
    link = next_link("/v1/shipments", page.cursor, limit, **{name: value for name, value in given.items() if value})
    return Response(page, headers={"Cache-Control": "no-store", **link})


@get(
    "/v1/shipments/{shipment_id:uuid}",
    tags=["Shipments"],
    summary="One shipment, as it stands",
    opt={"permission": "orders.read"},
)
async def read_shipment(parts: NamedDependency[Parts], shipment_id: FromPath[UUID]) -> Response[ShipmentDetail]:
    """Read a shipment and what is in it."""
    async with parts.record.reading() as connection:
        found = await query.shipment(connection, parts.cell, shipment_id)
    if found is None:
        raise NotFoundError(f"There is no shipment {shipment_id}.", shipment_id=str(shipment_id))
    return Response(found, headers={"Cache-Control": "no-store"})


@post(
    "/v1/shipments/{shipment_id:uuid}/picked",
    tags=["Shipments"],
    summary="Say that a shipment was picked",
    opt={"permission": "orders.fulfil"},
)
async def picked(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Say that the pieces were taken from the shelves."""
    return await run(
        parts, idempotency_key, lambda tx: commands.advance_shipment(tx, shipment_id, "picked"), f"picked {shipment_id}"
    )


@post(
    "/v1/shipments/{shipment_id:uuid}/packed",
    tags=["Shipments"],
    summary="Say that a shipment was packed",
    opt={"permission": "orders.fulfil"},
)
async def packed(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Say that the pieces are in a parcel."""
    return await run(
        parts, idempotency_key, lambda tx: commands.advance_shipment(tx, shipment_id, "packed"), f"packed {shipment_id}"
    )


@post(
    "/v1/shipments/{shipment_id:uuid}/shipped",
    tags=["Shipments"],
    summary="Send a shipment",
    opt={"permission": "orders.fulfil"},
)
async def shipped(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], data: JSONBody[Sending], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Say that a carrier took the parcel, or have it taken (``book``): its share of the order's money is captured.

    A carrier that is booked is asked where the parcel is: it is then delivered, or lost, by itself.
    """
    return await run_sent(parts, idempotency_key, shipment_id, data)


async def run_sent(parts: Parts, key: str, shipment_id: UUID, sending: Sending) -> Response[MovedAnswer]:
    """Send a shipment once for its key, with a carrier that is booked for it or by hand."""
    what = f"ship {shipment_id}"
    if not sending.book:
        return await run(
            parts, key, lambda tx: commands.ship(tx, shipment_id, sending.carrier, sending.tracking), what, sending
        )
    if sending.tracking:
        raise BadInputError(
            f"A carrier that is booked says the number itself, and {sending.tracking[:40]!r} was given: leave one of both out.",
            field="tracking",
        )
    required(key)
    name = sending.carrier or await carrying.chosen_carrier(parts.record, parts.cell, shipment_id)
    parcel = await carrying.book(parts.record, parts.carriers, parts.cell, shipment_id, name, parts.actor)
    return await run(parts, key, lambda tx: carrying.send(tx, parcel), what, sending)


@post(
    "/v1/shipments/{shipment_id:uuid}/delivered",
    tags=["Shipments"],
    summary="Say that a shipment arrived",
    opt={"permission": "orders.fulfil"},
)
async def delivered(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Say that the parcel arrived; with the last one, the order has."""
    return await run(parts, idempotency_key, lambda tx: commands.deliver(tx, shipment_id), f"delivered {shipment_id}")


@post(
    "/v1/shipments/{shipment_id:uuid}/lost",
    tags=["Shipments"],
    summary="Say that a shipment is lost",
    opt={"permission": "orders.fulfil"},
)
async def lost(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[MovedAnswer]:
    """Say that the parcel will not arrive: the answer's ``id`` is a return, ready to be refunded or exchanged."""
    return await run(parts, idempotency_key, lambda tx: commands.lose(tx, shipment_id), f"lost {shipment_id}")


HANDLERS = [plan, of_order, list_shipments, read_shipment, picked, packed, shipped, delivered, lost]

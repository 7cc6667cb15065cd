"""Sellers and suppliers: registered, paused, told of their orders and money; what they tell us they have; how a SKU is sold.

There is no sign-in yet: whoever asks is believed, and a seller's id is all that tells it from another. Behind this edge stands
nothing that would show one seller another's lines; in front of it, until sign-in is there, stands whoever lets requests in.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import AtLeast, OptionalKey, RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.commerce.catalog import commands as catalog
from entrepot.commerce.catalog.rules import SellingTerms
from entrepot.commerce.marketplace import commands, query
from entrepot.commerce.marketplace.commands import Fed, SellerSaved
from entrepot.commerce.marketplace.events import SellerChanged
from entrepot.commerce.marketplace.paying import Payout, Statement
from entrepot.commerce.marketplace.query import SellerDetail, SellerOrderDetail, SellerOrderSummary
from entrepot.commerce.marketplace.rules import Feed, SellerDraft, read_csv
from entrepot.record.transaction import Transaction

NO_STORE = {"Cache-Control": "no-store"}


class Sellers(Struct, frozen=True, kw_only=True):
    """Every seller and supplier."""

    items: list[SellerChanged]


class SellerStateChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a seller sells; one that is closed stays so."""

    state: Literal["active", "paused", "closed"]


class TermsDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a SKU is sold: by whom (none: by us), how it is taxed, what it weighs, how it is delivered."""

    seller_id: UUID | None = None
    tax_class: str = "standard"
    weight_grams: int = 0
    delivery: Literal["ship", "digital", "service"] = "ship"


class SellerWarehouseDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a seller ships from; the lowest rank is asked first.

    ``parcel_minor`` is what a parcel from there costs us, ``lead_days`` in how many days one is handed over: which counts, the
    market's routing says.
    """

    country: str
    rank: int = 100
    parcel_minor: int = 0
    lead_days: int = 0


class SellerOrders(Struct, frozen=True, kw_only=True):
    """A seller's orders, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[SellerOrderSummary]
    cursor: str


class Payouts(Struct, frozen=True, kw_only=True):
    """A seller's payouts, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[Payout]
    cursor: str


@put("/v1/sellers/{code:str}", tags=["Sellers"], summary="Register or change a seller", opt={"permission": "sellers.write"})
async def save_seller(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[SellerDraft], idempotency_key: OptionalKey
) -> Response[SellerSaved]:
    """Make a seller what the body says; its code and its kind are for ever."""

    async def act(tx: Transaction) -> SellerSaved:
        return await commands.save_seller(tx, code, data)

    saved = await parts.run(act, SellerSaved, idempotency_key, data)
    return Response(saved, headers=moved(saved.position))


@get("/v1/sellers", tags=["Sellers"], summary="Every seller", opt={"permission": "sellers.read"})
async def read_sellers(parts: NamedDependency[Parts]) -> Response[Sellers]:
    """List sellers and suppliers."""
    async with parts.record.reading() as connection:
        return Response(Sellers(items=await query.sellers(connection)), headers=NO_STORE)


@get(
    "/v1/sellers/{seller_id:uuid}",
    tags=["Sellers"],
    summary="One seller, and what it is owed",
    opt={"permission": "sellers.read"},
)
async def read_seller(parts: NamedDependency[Parts], seller_id: FromPath[UUID]) -> Response[SellerDetail]:
    """Read a seller with its warehouses and, by currency, what the ledger owes it and what of that can be paid now."""
    async with parts.record.reading() as connection:
        return Response(await query.seller(connection, parts.cell, seller_id, parts.clock), headers=NO_STORE)


@post(
    "/v1/sellers/{seller_id:uuid}/state",
    tags=["Sellers"],
    summary="Pause a seller, let it go on, or close it",
    opt={"permission": "sellers.write"},
)
async def set_seller_state(
    parts: NamedDependency[Parts],
    seller_id: FromPath[UUID],
    data: JSONBody[SellerStateChange],
    idempotency_key: RequiredKey = "",
) -> Response[SellerSaved]:
    """Pause a seller: its articles are not offered meanwhile, what is ordered goes on, and it is paid."""

    async def act(tx: Transaction) -> SellerSaved:
        return await commands.set_seller_state(tx, seller_id, data.state)

    saved = await parts.run(act, SellerSaved, required(idempotency_key), data)
    return Response(saved, status_code=200, headers=moved(saved.position))


@put("/v1/selling-terms/{sku:str}", tags=["Sellers"], summary="Say how a SKU is sold", opt={"permission": "sellers.write"})
async def set_terms(
    parts: NamedDependency[Parts], sku: FromPath[str], data: JSONBody[TermsDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Say who sells a SKU, how it is taxed, what it weighs and how it is delivered, for quotes from now on."""
    terms = SellingTerms(sku=sku, **{name: getattr(data, name) for name in data.__struct_fields__})

    async def act(tx: Transaction) -> Done:
        return done(await catalog.set_selling_terms(tx, [terms]))

    answer = await parts.run(act, Done, idempotency_key, terms)
    return Response(answer, headers=moved(answer.position))


@put(
    "/v1/sellers/{seller_id:uuid}/warehouses/{code:str}",
    tags=["Sellers"],
    summary="Make a seller's warehouse",
    opt={"permission": "sellers.sell"},
)
async def save_warehouse(
    parts: NamedDependency[Parts], seller_id: FromPath[UUID], code: FromPath[str], data: JSONBody[SellerWarehouseDraft]
) -> Done:
    """Make a warehouse that a seller ships from, or change it; one of another seller is refused."""

    async def act(tx: Transaction) -> Done:
        await commands.save_warehouse(tx, seller_id, code, data.country, data.rank, data.parcel_minor, data.lead_days)
        return Done(changed=True)

    # Whether a code is free is known to who sees everybody's warehouses.
    return await parts.for_platform().run(act, Done)


@post(
    "/v1/sellers/{seller_id:uuid}/warehouses/{code:str}/feeds",
    tags=["Sellers"],
    summary="Tell what a supplier has",
    opt={"permission": "sellers.sell"},
)
async def feed(
    parts: NamedDependency[Parts],
    seller_id: FromPath[UUID],
    code: FromPath[str],
    data: JSONBody[Feed],
    idempotency_key: RequiredKey = "",
) -> Response[Fed]:
    """Make the levels of these articles what lies there, less what is ordered; articles that are not named stay as they are.

    A feed that is not newer than the last, by its sequence, is refused whole. What is reserved stays reserved.
    """
    return await _feed(parts, seller_id, code, data, required(idempotency_key))


@post(
    "/v1/sellers/{seller_id:uuid}/warehouses/{code:str}/feeds/csv",
    tags=["Sellers"],
    summary="Tell it as CSV",
    opt={"permission": "sellers.sell"},
)
async def feed_csv(
    parts: NamedDependency[Parts],
    request: Request[Any, Any, Any],
    seller_id: FromPath[UUID],
    code: FromPath[str],
    sequence: Annotated[int, QueryParameter(description="Counts the feeds of this warehouse.")],
    currency: Annotated[str, QueryParameter(description="Of the costs (ISO 4217); empty where none are named.")] = "",
    idempotency_key: RequiredKey = "",
) -> Response[Fed]:
    """Take a feed as CSV in UTF-8 whose first line names its columns: sku,quantity or sku,quantity,cost_minor."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is no UTF-8 text (byte {error.start}): send CSV in UTF-8.") from error
    told = Feed(sequence=sequence, lines=read_csv(text), currency=currency)
    return await _feed(parts, seller_id, code, told, required(idempotency_key))


@get(
    "/v1/sellers/{seller_id:uuid}/orders",
    tags=["Sellers"],
    summary="A seller's orders, newest first",
    opt={"permission": "sellers.read"},
)
async def read_orders(
    parts: NamedDependency[Parts], seller_id: FromPath[UUID], at_least: AtLeast, cursor: Cursor = "", limit: Limit = 20
) -> Response[SellerOrders]:
    """List what a seller has to do with orders: each order's part of it, and nothing of other sellers."""
    after = parse_cursor(cursor)
    items = await parts.recent(lambda connection: query.orders(connection, parts.cell, seller_id, after, limit), at_least)
    page = SellerOrders(items=items, cursor=str(items[-1].order_id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link(f"/v1/sellers/{seller_id}/orders", page.cursor, limit)})


@get(
    "/v1/sellers/{seller_id:uuid}/orders/{order_id:uuid}",
    tags=["Sellers"],
    summary="A seller's part of one order",
    opt={"permission": "sellers.read"},
)
async def read_order(
    parts: NamedDependency[Parts], seller_id: FromPath[UUID], order_id: FromPath[UUID]
) -> Response[SellerOrderDetail]:
    """Read a seller's lines and shipments of an order, and whom to send them to while something is to be sent."""
    async with parts.record.reading() as connection:
        return Response(await query.order(connection, parts.cell, seller_id, order_id, parts.record.sealing), headers=NO_STORE)


@get(
    "/v1/sellers/{seller_id:uuid}/payouts",
    tags=["Sellers"],
    summary="What a seller was paid",
    opt={"permission": "sellers.read"},
)
async def read_payouts(
    parts: NamedDependency[Parts], seller_id: FromPath[UUID], cursor: Cursor = "", limit: Limit = 20
) -> Response[Payouts]:
    """List a seller's payouts, newest first: asked of the bank, done, or failed and why."""
    async with parts.record.reading() as connection:
        items = await query.payouts(connection, parts.cell, seller_id, parse_cursor(cursor), limit)
    page = Payouts(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link(f"/v1/sellers/{seller_id}/payouts", page.cursor, limit)})


@get(
    "/v1/sellers/{seller_id:uuid}/statement",
    tags=["Sellers"],
    summary="A seller's statement of a period",
    opt={"permission": "sellers.read"},
)
async def read_statement(
    parts: NamedDependency[Parts],
    seller_id: FromPath[UUID],
    currency: Annotated[str, QueryParameter(description="Of the account (ISO 4217).")],
    since: Annotated[datetime, QueryParameter(description="From when, with a time zone.")],
    until: Annotated[datetime, QueryParameter(description="Until before when, with a time zone.")],
) -> Response[Statement]:
    """Read every transfer of the ledger that a period booked for a seller, and their sums: with the opening, the closing."""
    async with parts.record.reading() as connection:
        found = await query.statement(connection, parts.cell, seller_id, currency, since, until)
    return Response(found, headers=NO_STORE)


HANDLERS = [
    save_seller,
    read_sellers,
    read_seller,
    set_seller_state,
    set_terms,
    save_warehouse,
    feed,
    feed_csv,
    read_orders,
    read_order,
    read_payouts,
    read_statement,
]


async def _feed(parts: Parts, seller_id: UUID, code: str, told: Feed, key: str) -> Response[Fed]:
    async def act(tx: Transaction) -> Fed:
        return await commands.apply_feed(tx, seller_id, code, told)

    answer = await parts.run(act, Fed, key, told)
    return Response(answer, status_code=201, headers=moved(answer.position))

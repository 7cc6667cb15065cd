"""Stock: what comes in, what is corrected, what is left."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import AtLeast, RequiredKey, moved, required
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError, NotThereYetError
from entrepot.base.event import Token
from entrepot.commerce.aftersale.planning import receive_stock, take_stock
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.pricing.query import markets
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock import query
from entrepot.commerce.stock.allocate import Routing, Rule, SupplyRule, WarehouseKind
from entrepot.commerce.stock.rules import Change, Count, Place
from entrepot.projections.live_stock.query import available, by_place
from entrepot.record.transaction import Transaction

PROJECTION = "live_stock"


class Pieces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of an article: positive come in, negative go out."""

    sku: str
    quantity: int


class StockChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes into one warehouse, or is corrected there."""

    warehouse: str
    lines: list[Pieces]


class WarehouseDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warehouse; the lowest rank is asked first. What is left out stays as it is; a new one is our own.

    In one of the kind ``backorder`` or ``preorder`` lie no pieces but promises: what is received there may be sold before it
    comes. ``parcel_minor`` is what a parcel from there costs us, for the rule ``cheapest``; ``lead_days`` in how many days it
    hands one over.
    """

    rank: int = 100
    kind: WarehouseKind | None = None
    country: str | None = None
    expected_on: date | None = None
    parcel_minor: int | None = None
    lead_days: int | None = None


class RoutingDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the orders of a market are allocated.

    Among our own warehouses: as few parcels as can be (``whole``), those that cost least together (``cheapest``), or from the
    nearest that has any. Among suppliers: as our own (``nearest``), or each article from the one that wants least for it with
    its parcel (``cheapest``), hands it over first (``fastest``), or has the lowest rank (``priority``).
    """

    allocation: Rule = "whole"
    supplying: SupplyRule = "nearest"


class Counted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pieces of an article were found."""

    sku: str
    counted: int


class Stocktake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was counted in a warehouse, and why."""

    warehouse: str
    reason: str
    lines: list[Counted]


class StockTransfer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces that are carried from one warehouse to another."""

    warehouse: str
    to: str
    lines: list[Pieces]


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From how few pieces on an article is low; without a SKU, any that has no threshold of its own."""

    pieces: int
    sku: str | None = None


class LowArticle(Struct, frozen=True, kw_only=True):
    """An article that is low: what can be sold of it from all shelves."""

    sku: str
    variant_id: UUID
    available: int
    threshold: int | None


class LowStock(Struct, frozen=True, kw_only=True):
    """The articles that are low, those with the fewest pieces first."""

    items: list[LowArticle]


class StockLevel(Struct, frozen=True, kw_only=True):
    """What a sale may still take of an article, by warehouse."""

    sku: str
    variant_id: UUID
    available: int
    warehouses: dict[str, int]


Command = Callable[[Transaction, Sequence[Change]], Awaitable[Token | None]]


@put("/v1/warehouses/{code:str}", tags=["Stock"], summary="Make a warehouse", opt={"permission": "stock.write"})
async def save_warehouse(parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[WarehouseDraft]) -> Done:
    """Make a warehouse, or change what it is."""

    async def act(tx: Transaction) -> Done:
        place = Place(
            kind=data.kind, country=data.country, expected_on=data.expected_on, parcel_minor=data.parcel_minor,
            lead_days=data.lead_days,
        )  # fmt: skip
        await stock.save_warehouse(tx, code, data.rank, place)
        return Done(changed=True)

    return await parts.run(act, Done)


@put(
    "/v1/markets/{code:str}/routing",
    tags=["Stock"],
    summary="Say how a market's orders are allocated",
    opt={"permission": "stock.write"},
)
async def save_routing(parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[RoutingDraft]) -> Response[Done]:
    """Say from which warehouses, and from which suppliers, the orders of a market come; it counts from the next order on."""

    async def act(tx: Transaction) -> Done:
        if code not in await markets(tx.connection):
            raise NotFoundError(f"There is no market {code!r}: make it first.", market=code)
        return done(await stock.save_routing(tx, code, Routing(data.allocation, data.supplying)))

    answer = await parts.run(act, Done)
    return Response(answer, headers=moved(answer.position))


@post("/v1/stock/receipts", tags=["Stock"], summary="Receive stock", opt={"permission": "stock.write"})
async def receive(
    parts: NamedDependency[Parts], data: JSONBody[StockChange], idempotency_key: RequiredKey = ""
) -> Response[Done]:
    """Take pieces into a warehouse: first for those who wait for them (backorders, preorders), the rest can be sold."""
    return await _change(parts, data, required(idempotency_key), receive_stock)


@post("/v1/stock/adjustments", tags=["Stock"], summary="Correct stock", opt={"permission": "stock.write"})
async def adjust(
    parts: NamedDependency[Parts], data: JSONBody[StockChange], idempotency_key: RequiredKey = ""
) -> Response[Done]:
    """Correct levels after counting, breakage or loss; below zero is refused."""
    return await _change(parts, data, required(idempotency_key), stock.adjust_stock)


@post("/v1/stock/transfers", tags=["Stock"], summary="Carry stock to another warehouse", opt={"permission": "stock.write"})
async def transfer(
    parts: NamedDependency[Parts], data: JSONBody[StockTransfer], idempotency_key: RequiredKey = ""
) -> Response[Done]:
    """Carry pieces from one warehouse to another; more than can be sold from there is refused."""

    async def command(tx: Transaction, changes: Sequence[Change]) -> Token | None:
        return await stock.transfer_stock(tx, changes, data.to)

    return await _change(parts, data, required(idempotency_key), command)


@post("/v1/stock/counts", tags=["Stock"], summary="Take stock", opt={"permission": "stock.write"})
async def count(parts: NamedDependency[Parts], data: JSONBody[Stocktake], idempotency_key: RequiredKey = "") -> Response[Done]:
    """Correct a warehouse's levels to what was counted on its shelves; fewer than are reserved or sold there is refused."""

    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [line.sku for line in data.lines])
        counts = [Count(variant_id=known[line.sku].variant_id, sku=line.sku, counted=line.counted) for line in data.lines]
        return done(await take_stock(tx, data.warehouse, counts, data.reason))

    answer = await parts.run(act, Done, required(idempotency_key), data)
    return Response(answer, status_code=201, headers=moved(answer.position))


@put("/v1/stock-thresholds", tags=["Stock"], summary="Say from when on stock is low", opt={"permission": "stock.write"})
async def set_threshold(parts: NamedDependency[Parts], data: JSONBody[Threshold]) -> Done:
    """Say from how few pieces on an article is low: it is told once each time it becomes so (``stock.low.v1``)."""

    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [data.sku]) if data.sku is not None else {}
        await stock.set_threshold(tx, known[data.sku].variant_id if data.sku is not None else None, data.pieces)
        return Done(changed=True)

    return await parts.run(act, Done)


@get("/v1/low-stock", tags=["Stock"], summary="Articles that are low", opt={"permission": "stock.read"})
async def low_stock(parts: NamedDependency[Parts], limit: Limit = 20) -> Response[LowStock]:
    """List the articles that are low, those with the fewest pieces first."""
    async with parts.record.reading() as connection:
        found = await query.low(connection, parts.cell, limit)
    items = [
        LowArticle(sku=one.sku, variant_id=one.variant_id, available=one.available, threshold=one.threshold) for one in found
    ]
    return Response(LowStock(items=items), headers={"Cache-Control": "no-store"})


@get("/v1/stock/{sku:str}", tags=["Stock"], summary="What is left of an article", opt={"permission": "stock.read"})
async def level(parts: NamedDependency[Parts], sku: FromPath[str], at_least: AtLeast) -> Response[StockLevel]:
    """Say how many pieces are left, by warehouse."""
    async with parts.record.committing() as connection:
        variant_id = (await variants(connection, [sku]))[sku].variant_id
    try:
        target = await parts.fresh(PROJECTION, at_least)
        by_warehouse = (await available(parts.memory, target, [variant_id]))[variant_id]
    except NotThereYetError:
        if at_least is None:
            raise
        by_warehouse = by_place(await parts.from_truth(PROJECTION, [f"stock/{variant_id}"], at_least))
    body = StockLevel(sku=sku, variant_id=variant_id, available=sum(by_warehouse.values()), warehouses=by_warehouse)
    return Response(body, headers={"Cache-Control": "no-store"})


HANDLERS = [save_warehouse, save_routing, receive, adjust, transfer, count, set_threshold, low_stock, level]


async def _change(parts: Parts, data: StockChange | StockTransfer, key: str, command: Command) -> Response[Done]:
    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [line.sku for line in data.lines])
        changes = [
            Change(variant_id=known[line.sku].variant_id, warehouse=data.warehouse, delta=line.quantity) for line in data.lines
        ]
        return done(await command(tx, changes))

    answer = await parts.run(act, Done, key, data)
    return Response(answer, status_code=201, headers=moved(answer.position))

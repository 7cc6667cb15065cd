"""Stock: what comes in, what is corrected, what is left."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import AtLeast, RequiredKey, moved, required
from entrepot.api.parts import Parts
from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Token
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock.rules import Change
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
    """A warehouse; the lowest rank is asked first."""

    rank: int = 100


class StockLevel(Struct, frozen=True, kw_only=True):
    """What a sale may still take of an article, by warehouse."""

    sku: str
    variant_id: UUID
    available: int
    warehouses: dict[str, int]


Command = Callable[[Transaction, Sequence[Change]], Awaitable[Token | None]]


@put("/v1/warehouses/{code:str}", tags=["Stock"], summary="Make a warehouse")
async def save_warehouse(parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[WarehouseDraft]) -> Done:
    """Make a warehouse, or change its rank."""

    async def act(tx: Transaction) -> Done:
        await stock.save_warehouse(tx, code, data.rank)
        return Done(changed=True)

    return await parts.run(act, Done)


@post("/v1/stock/receipts", tags=["Stock"], summary="Receive stock")
async def receive(
    parts: NamedDependency[Parts], data: JSONBody[StockChange], idempotency_key: RequiredKey = ""
) -> Response[Done]:
    """Take pieces into a warehouse."""
    return await _change(parts, data, required(idempotency_key), stock.receive_stock)


@post("/v1/stock/adjustments", tags=["Stock"], summary="Correct stock")
async def adjust(
    parts: NamedDependency[Parts], data: JSONBody[StockChange], idempotency_key: RequiredKey = ""
) -> Response[Done]:
    """Correct levels after counting, breakage or loss; below zero is refused."""
    return await _change(parts, data, required(idempotency_key), stock.adjust_stock)


@get("/v1/stock/{sku:str}", tags=["Stock"], summary="What is left of an article")
async def level(parts: NamedDependency[Parts], sku: FromPath[str], at_least: AtLeast) -> Response[StockLevel]:
    """Say how many pieces are left, by warehouse."""
    async with parts.record.committing() as connection:
        variant_id = (await variants(connection, [sku]))[sku].variant_id
    try:
        target = await parts.fresh(PROJECTION, at_least)
        by_warehouse = (await available(parts.memory, target, [variant_id]))[variant_id]
    except NotThereYetError:
        assert at_least is not None
        by_warehouse = by_place(await parts.from_truth(PROJECTION, [f"stock/{variant_id}"], at_least))
    body = StockLevel(sku=sku, variant_id=variant_id, available=sum(by_warehouse.values()), warehouses=by_warehouse)
    return Response(body, headers={"Cache-Control": "no-store"})


HANDLERS = [save_warehouse, receive, adjust, level]


async def _change(parts: Parts, data: StockChange, key: str, command: Command) -> Response[Done]:
    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [line.sku for line in data.lines])
        changes = [
            Change(variant_id=known[line.sku].variant_id, warehouse=data.warehouse, delta=line.quantity) for line in data.lines
        ]
        return done(await command(tx, changes))

    answer = await parts.run(act, Done, key, data)
    return Response(answer, status_code=201, headers=moved(answer.position))

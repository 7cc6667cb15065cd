"""Checkout's queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Position
from entrepot.commerce.checkout.columns import OrderColumns
from entrepot.commerce.checkout.rules import Offer
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Outcome(Struct, frozen=True):
    """What became of one order of a call: ``placed``, ``repeated``, ``reused`` or ``refused``."""

    outcome: str
    order_id: UUID | None
    line: int | None
    available: int | None
    position: Position


async def offers(connection: Connection, cell: int, wanted: dict[tuple[str, str], int]) -> dict[tuple[str, str], Offer]:
    """Return what is offered under each (SKU, market), from the warehouse that has as many as wanted."""
    rows = await connection.fetch(SQL["offers"], cell, [s for s, _ in wanted], [m for _, m in wanted], list(wanted.values()))
    return {
        (row["sku"], row["market"]): Offer(
            row["sku"],
            row["variant_id"],
            row["product_id"],
            row["category_id"],
            row["offered"],
            row["currency"],
            row["amount_minor"],
            row["warehouse"],
        )
        for row in rows
    }


async def place_orders(connection: Connection, cell: int, stamp: int, actor: str, columns: OrderColumns) -> list[Outcome]:
    """Call the hot path and return what became of each order, in the order of the columns."""
    rows = await connection.fetch(SQL["place_orders"], cell, stamp, actor, *columns.arguments())
    return [
        Outcome(row["outcome"], row["order_id"], row["line"], row["available"], Position(row["txid"] or 0, row["seq"] or 0))
        for row in sorted(rows, key=lambda row: int(row["place"]))
    ]


async def ensure_room(connection: Connection, first: datetime, last: datetime) -> int:
    """Make the partitions that orders placed between two moments need; returns how many were made."""
    made: int = await connection.fetchval(SQL["ensure_room"], first, last)
    return made


async def totals(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> dict[UUID, tuple[int, str]]:
    """Return total and currency of orders."""
    rows = await connection.fetch(SQL["totals"], cell, order_ids)
    return {row["id"]: (row["total_minor"], row["currency"]) for row in rows}


async def known_keys(connection: Connection, cell: int, keys: Sequence[str]) -> dict[str, tuple[bytes, UUID, Position]]:
    """Return fingerprint, order and position of the keys that have placed an order."""
    rows = await connection.fetch(SQL["known_keys"], cell, keys)
    return {row["key"]: (row["fingerprint"], row["subject_id"], Position(row["txid"], row["seq"])) for row in rows}

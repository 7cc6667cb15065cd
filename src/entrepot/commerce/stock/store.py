"""The queries of stock, typed; nothing else."""

from collections.abc import Sequence
from uuid import UUID

from entrepot.commerce.stock.allocate import Levels, Shelf
from entrepot.commerce.stock.rules import Level
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put_warehouse(connection: Connection, cell: int, code: str, rank: int) -> None:
    """Make a warehouse, or change its rank."""
    await connection.execute(SQL["put_warehouse"], cell, code, rank)


async def describe_warehouse(connection: Connection, cell: int, code: str, kind: str, country: str, parcel_minor: int) -> None:
    """Write of which kind a warehouse is, where it lies, and what a parcel from there costs us."""
    await connection.execute(SQL["describe_warehouse"], cell, code, kind, country, parcel_minor)


async def warehouses(connection: Connection, cell: int) -> list[str]:
    """Return the cell's warehouses, the preferred one first."""
    return [row["code"] for row in await connection.fetch(SQL["warehouses"], cell)]


async def warehouse_kinds(connection: Connection, cell: int) -> dict[str, str]:
    """Return the kind of every warehouse of the cell."""
    return {row["code"]: row["kind"] for row in await connection.fetch(SQL["warehouse_kinds"], cell)}


async def levels(connection: Connection, cell: int, variant_ids: Sequence[UUID]) -> list[Level]:
    """Return the levels of these variants in every warehouse."""
    return [_level(row) for row in await connection.fetch(SQL["levels"], cell, variant_ids)]


async def shelves(connection: Connection, cell: int, variant_ids: Sequence[UUID]) -> Levels:
    """Return, by variant, what every warehouse has of these variants: what ``allocate`` needs for a whole batch of carts."""
    found: dict[UUID, list[Shelf]] = {}
    for row in await connection.fetch(SQL["shelves"], cell, list(dict.fromkeys(variant_ids))):
        shelf = Shelf(*row)
        found.setdefault(shelf.variant_id, []).append(shelf)
    return found


async def levels_for_update(connection: Connection, cell: int, keys: Sequence[tuple[UUID, str]]) -> list[Level]:
    """Lock levels in key order (a new one starts at nothing) and return them."""
    variants, codes = [variant for variant, _ in keys], [code for _, code in keys]
    await connection.execute(SQL["claim_levels"], cell, variants, codes)
    return [_level(row) for row in await connection.fetch(SQL["levels_for_update"], cell, variants, codes)]


async def put_levels(connection: Connection, cell: int, levels_now: Sequence[Level]) -> None:
    """Write levels as they now are."""
    await connection.execute(
        SQL["put_levels"],
        cell,
        [level.variant_id for level in levels_now],
        [level.warehouse for level in levels_now],
        [level.available for level in levels_now],
        [level.version for level in levels_now],
    )


def _level(row: object) -> Level:
    return Level(row["variant_id"], row["warehouse"], row["available"], row["version"])  # type: ignore[index]  # an asyncpg row

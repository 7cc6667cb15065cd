"""The queries of stock, typed; nothing else."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from entrepot.commerce.stock.allocate import Levels, Routing, Shelf
from entrepot.commerce.stock.rules import Level, Place, Watched
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put_warehouse(connection: Connection, cell: int, code: str, place: Place) -> None:
    """Make a warehouse, or change what it is; what is None stays as it is."""
    await connection.execute(
        SQL["put_warehouse"],
        cell,
        code,
        place.rank,
        place.kind,
        place.country,
        place.expected_on,
        place.parcel_minor,
        place.lead_days,
    )


async def put_routing(connection: Connection, cell: int, market: str, routing: Routing) -> int | None:
    """Write how a market's orders are allocated; returns how often that was changed, None when it was so already."""
    version: int | None = await connection.fetchval(SQL["put_routing"], cell, market, routing.allocation, routing.supplying)
    return version


async def routings(connection: Connection, cell: int) -> dict[str, Routing]:
    """Return how the orders of markets are allocated, where it was said."""
    rows = await connection.fetch(SQL["routings"], cell)
    return {row["market"]: Routing(row["allocation"], row["supplying"]) for row in rows}


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


async def put_threshold(connection: Connection, cell: int, variant_id: UUID, pieces: int) -> None:
    """Set from how few pieces on a variant is low."""
    await connection.execute(SQL["put_threshold"], cell, variant_id, pieces)


async def watched(connection: Connection, cell: int, variant_ids: Sequence[UUID]) -> list[Watched]:
    """Return those of these variants that have a threshold or were told as low."""
    return [Watched(*row) for row in await connection.fetch(SQL["watched"], cell, variant_ids)]


async def low(connection: Connection, cell: int, limit: int) -> list[Watched]:
    """Return the variants that are low, those with the fewest pieces first."""
    return [Watched(*row) for row in await connection.fetch(SQL["low"], cell, limit)]


async def put_low(connection: Connection, cell: int, crossed: Sequence[Watched]) -> None:
    """Note which variants were told as low, or as recovered."""
    await connection.execute(
        SQL["put_low"],
        cell,
        [one.variant_id for one in crossed],
        [one.low for one in crossed],
        [one.version for one in crossed],
    )


def _level(row: asyncpg.Record) -> Level:
    return Level(row["variant_id"], row["warehouse"], row["available"], row["version"], row["reserved"])

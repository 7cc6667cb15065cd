"""Writes many things in one transaction; what refuses is found by halving and refused alone, the rest goes on.

An engine that is away is waited for, within a bound: every write here may be repeated.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

import asyncpg
from msgspec import Struct

from entrepot.base import engine_limits, limits
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.commerce.pricing.commands import save_market
from entrepot.commerce.stock.commands import save_warehouse
from entrepot.record.transaction import Record, Transaction

ACTOR = "import"

T = TypeVar("T")
R = TypeVar("R")

Write = Callable[[Transaction, Sequence[T]], Awaitable[Mapping[str, int]]]


class Settled(Struct, Generic[T], frozen=True):
    """What came of many units: those that were refused, each with its reason, and what the written ones counted."""

    refused: list[tuple[T, str]]
    counts: Counter[str]


async def settle(record: Record, cell: int, units: Sequence[T], write: Write[T]) -> Settled[T]:
    """Write all units together, or in halves down to single ones; ``write`` returns what it did, counted."""
    if not units:
        return Settled([], Counter())

    async def together() -> Mapping[str, int]:
        async with record.transaction(cell, ACTOR) as tx:
            return await write(tx, units)

    try:
        return Settled([], Counter(await patiently(together)))
    except EngineAwayError:
        raise
    except EntrepotError as error:
        reason = str(error)
    except asyncpg.IntegrityConstraintViolationError as error:
        if not error.constraint_name:
            raise  # no constraint refuses the row: the schema lacks a partition, which no row is to blame for
        reason = f"the database refuses it: {error}"
    if len(units) == 1:
        return Settled([(units[0], reason)], Counter())
    half = len(units) // 2
    first = await settle(record, cell, units[:half], write)
    second = await settle(record, cell, units[half:], write)
    return Settled([*first.refused, *second.refused], first.counts + second.counts)


async def prepare(record: Record, cell: int, market: str, currency: str, warehouse: str) -> None:
    """Make the market and the warehouse that a mapping names, or say why they cannot be."""

    async def make() -> None:
        async with record.transaction(cell, ACTOR) as tx:
            await save_market(tx, market, currency)
            await save_warehouse(tx, warehouse)

    await patiently(make)


async def patiently(act: Callable[[], Awaitable[R]]) -> R:
    """Do something that may be repeated; while an engine is away, again and again, for as long as it may be waited for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.IMPORT_AWAY_SECONDS_MAX
    wait_seconds = engine_limits.RESTART_BACKOFF_SECONDS_MIN
    while True:
        try:
            return await act()
        except EngineAwayError:
            if loop.time() + wait_seconds > deadline:
                raise
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, engine_limits.RESTART_BACKOFF_SECONDS_MAX)

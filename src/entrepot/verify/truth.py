"""The truth as events: what a fresh projection would have to be told to be as it must be now.

Such an event has its present version and no place in the log: a projection may use its kind, key, version and body only.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Raw

from entrepot.base.errors import NotThereYetError
from entrepot.base.event import START, Event, Token
from entrepot.base.projection import Item, Projection
from entrepot.log import store
from entrepot.log.fold import fold, needed
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Record

SQL = queries(__package__, "truth.sql")

LOWEST = UUID(int=0)
HIGHEST = UUID(int=2**128 - 1)
WITHOUT_CELL = frozenset({"product", "category"})


async def bound(connection: Connection, cells: Sequence[int], aggregate: str, low: UUID, ids: int) -> UUID | None:
    """Return where the page after this many ids begins (None: it is the last page)."""
    bounds = [await connection.fetchval(SQL[f"{aggregate}_bound"], cell, low, ids) for cell in cells]
    return min((UUID(int=found.int) for found in bounds if found is not None), default=None)


async def events(connection: Connection, cells: Sequence[int], aggregate: str, low: UUID, high: UUID | None) -> list[Event]:
    """Return the events of the aggregate's keys whose id is from ``low`` up to, not with, ``high``."""
    return [
        Event(cell, LOWEST, START, 0, row["kind"], row["key"], row["version"], Raw(row["body"]))
        for cell in (cells if aggregate not in WITHOUT_CELL else cells[:1])
        for row in await connection.fetch(SQL[f"{aggregate}_events"], cell, low, high)
    ]


async def items(record: Record, cell: int, projection: Projection, keys: Sequence[str], at_least: Token) -> dict[str, Item]:
    """Return what a projection would hold of these keys (``product/<id>``), made from the truth as it is now.

    For a reader who cannot wait any longer for the projection. Raises ``NotThereYetError`` when the log itself has not come
    as far as was asked: such a position was never given.
    """
    async with record.reading() as connection:
        if await store.head(connection, cell) < at_least.position:
            raise NotThereYetError(
                f"The log of cell {cell} has not reached {at_least}: try again shortly.", position=str(at_least)
            )
        told: list[Event] = []
        for key in keys:
            aggregate, _, name = key.partition("/")
            told += await events(connection, [cell], aggregate, UUID(name), _after(UUID(name)))
    folded = fold(projection, told, needed(projection, told, frozenset()), {}, frozenset())
    return {id_: item for id_, item in folded.items.items() if item.body is not None}


async def heads(connection: Connection, cells: Sequence[int]) -> list[Token]:
    """Return the last position of each cell that this snapshot sees: who has passed them has seen all that it shows."""
    return [Token(cell, await store.head(connection, cell)) for cell in cells]


def _after(one: UUID) -> UUID | None:
    return UUID(int=one.int + 1) if one.int < HIGHEST.int else None

"""Generations of projections: made, built beside the live one, switched in one statement, dropped when nobody reads them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.projection import Projection, Target
from entrepot.record.named import queries
from entrepot.record.transaction import Record

SQL = queries(__package__, "generations.sql")
CHANNEL = "log_generation"
# What is fed: one that lies beside, in the other engine of a move, is fed and not read.
IN_USE = ("live", "building", "beside")


class Generation(Struct, frozen=True):
    """One build of a projection, in the engine of its role or in one that a move has named.

    ``state``: building (beside the live one), live (read), beside (in the other engine of a move), retired (soon dropped),
    dropped.
    """

    projection: str
    generation: int
    version: int
    shards: int
    state: str
    live_at: datetime | None
    retired_at: datetime | None
    engine: UUID | None

    @property
    def target(self) -> Target:
        """Return what its store knows it by, without a shape."""
        return Target(self.projection, self.generation, engine=name_of(self.engine))


def name_of(engine: UUID | None) -> str:
    """Return an engine as a target names it."""
    return "" if engine is None else str(engine)


async def ensure(record: Record, projection: Projection, shards: int) -> None:
    """Make a projection's first generation, live at once, or build a new one where the code's version is newer."""
    async with record.committing() as connection:
        await connection.execute(SQL["add_projection"], projection.name)
        if await connection.fetchval(SQL["first_generation"], projection.name, projection.version, shards, projection.role):
            await connection.execute(SQL["tell_generation"], projection.name)
        await connection.execute(SQL["abandon_older_building"], projection.name, projection.version)
        if await connection.fetchval(SQL["is_outgrown"], projection.name, projection.version):
            try:
                await connection.execute(SQL["add_building"], projection.name, projection.version, shards)
            except asyncpg.UniqueViolationError:
                return  # another process was faster
            await connection.execute(SQL["tell_generation"], projection.name)


async def rebuild(record: Record, projection: Projection, shards: int = 1) -> int:
    """Start to build a new generation beside the live one and return its number; projectors fill it and switch."""
    async with record.committing() as connection:
        try:
            number = await connection.fetchval(SQL["add_building"], projection.name, projection.version, shards)
        except asyncpg.UniqueViolationError as error:
            raise ConflictError(
                f"{projection.name} is being rebuilt already: wait until it is done.", projection=projection.name
            ) from error
        if number is None:
            raise NotFoundError(
                f"{projection.name} has no generation yet: start the projector first.", projection=projection.name
            )
        await connection.execute(SQL["tell_generation"], projection.name)
        return int(number)


async def generations(record: Record, names: Sequence[str], states: Sequence[str] = IN_USE) -> list[Generation]:
    """Return the generations of these projections in one of these states, live ones first."""
    async with record.committing() as connection:
        return [Generation(**dict(row)) for row in await connection.fetch(SQL["generations"], names, states)]


async def switch(record: Record, target: Target, slots: int) -> bool:
    """Make a building generation live if it has passed all that the old one had, in one statement; say whether it is."""
    async with record.committing() as connection:
        switched = await connection.fetch(SQL["switch"], target.projection, target.generation, slots)
        return bool(switched)


async def expired(record: Record, names: Sequence[str]) -> list[Target]:
    """Return the retired generations that no reader can still hold."""
    async with record.committing() as connection:
        rows = await connection.fetch(SQL["expired_generations"], names, limits.RETIRED_SECONDS)
        return [Target(row["projection"], row["generation"], engine=name_of(row["engine"])) for row in rows]


async def forget(record: Record, target: Target) -> None:
    """Mark a retired generation dropped, after its store has dropped it."""
    async with record.committing() as connection:
        await connection.execute(SQL["forget_generation"], target.projection, target.generation)

"""Moves of a role from one engine to another: begun, switched, switched back, ended. The log knows where, never what.

What is built in the new engine lies *beside*: it is fed like what is live, and read by nobody. To switch is to exchange the
two, so the old one is fed on, and to switch back is to exchange them again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.event import Position
from entrepot.base.projection import Projection
from entrepot.log.generations import Generation
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Transaction

SQL = queries(__package__, "moves.sql")
SHOWN = 20
UNDER_WAY = frozenset({"building", "switched"})


class Engine(Struct, frozen=True, kw_only=True):
    """An engine that a move has named; without ``url_sealed`` it is the embedded one. ``address`` has no password."""

    id: UUID
    role: str
    product: str
    address: str
    url_sealed: bytes | None
    one_writer: bool


class Move(Struct, frozen=True, kw_only=True):
    """One move of a role. ``state``: building (until readers are switched), switched (until the old engine is left),
    finished, given_up. ``proof`` is what the comparison with the truth found before readers were switched, as JSON.
    """

    id: UUID
    role: str
    state: str
    began_by: str
    began_at: datetime
    switched_by: str | None
    switched_at: datetime | None
    ended_by: str | None
    ended_at: datetime | None
    proof: str | None
    from_id: UUID
    from_product: str
    from_address: str
    to_id: UUID
    to_product: str
    to_address: str

    @property
    def beside_id(self) -> UUID:
        """Return the engine that is fed and not read."""
        return self.from_id if self.state == "switched" else self.to_id


async def live_engines(connection: Connection) -> dict[str, Engine]:
    """Return the engine of each role that was ever moved."""
    return {row["role"]: Engine(**dict(row)) for row in await connection.fetch(SQL["live_engines"])}


async def engines_in_use(connection: Connection) -> list[Engine]:
    """Return the engines of moved roles that are read, or still hold something; those that are read first."""
    return [Engine(**dict(row)) for row in await connection.fetch(SQL["engines_in_use"])]


async def engine(connection: Connection, id_: UUID) -> Engine:
    """Return one engine that a move has named."""
    row = await connection.fetchrow(SQL["engine"], id_)
    if row is None:
        raise NotFoundError(f"No move has named an engine {id_}: the record is older than what asks for it.")
    return Engine(**dict(row))


async def moves(connection: Connection, role: str | None = None, *, open_only: bool = False) -> list[Move]:
    """Return moves, the newest first."""
    return [Move(**dict(row)) for row in await connection.fetch(SQL["moves"], role, open_only, SHOWN)]


async def under_way(connection: Connection, role: str) -> Move | None:
    """Return a role's move that has not ended, if there is one."""
    found = await moves(connection, role, open_only=True)
    return found[0] if found else None


async def next_generations(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the number that the next generation of each projection would have; one that was never made is left out."""
    return {row["projection"]: row["generation"] for row in await connection.fetch(SQL["next_generations"], names)}


async def begin(tx: Transaction, by: str, old: Engine, new: Engine, every: Sequence[str], *, first: bool) -> UUID:
    """Note a move of a role from its engine to another; ``first``: until now its engine was what the environment names."""
    await tx.connection.execute(SQL["only_one"])
    if (other := await under_way(tx.connection, new.role)) is not None:
        raise ConflictError(f"The {new.role} engine is being moved to {other.to_address} already: go on with that, or end it.")
    if first:
        await _add(tx, old, live=True)
        await tx.connection.execute(SQL["settle_generations"], old.id, every)
    await _add(tx, new, live=False)
    id_ = tx.ids.fresh()
    await tx.connection.execute(SQL["add_move"], id_, new.role, old.id, new.id, by)
    return id_


async def put_beside(tx: Transaction, to: Engine, projection: Projection, generation: int, shards: int) -> None:
    """Have a projection built in the other engine, too, under the number that was looked up for it."""
    shards = 1 if to.one_writer else shards
    added = await tx.connection.fetchval(SQL["add_beside"], projection.name, generation, projection.version, shards, to.id)
    if added is None:
        raise ConflictError(f"{projection.name} has begun another generation at this very moment: try again.")


async def beside(connection: Connection, id_: UUID) -> Mapping[str, int]:
    """Return the generations, by projection, that lie beside in an engine."""
    return {row["projection"]: row["generation"] for row in await connection.fetch(SQL["beside"], id_)}


async def slots_of(connection: Connection, one: Generation) -> dict[tuple[int, int], Position]:
    """Return how far each slot of a generation is, by cell and shard."""
    rows = await connection.fetch(SQL["slots_of"], one.projection, one.generation)
    return {(row["cell"], row["shard"]): Position(row["txid"], row["seq"]) for row in rows}


async def is_behind(connection: Connection, id_: UUID) -> bool:
    """Say whether what lies beside in an engine lacks an event that what is live has."""
    return bool(await connection.fetchval(SQL["is_behind"], id_))


async def outgrown(connection: Connection, id_: UUID) -> list[str]:
    """Return the projections that were rebuilt by another version of the code since they were put beside."""
    return [row["projection"] for row in await connection.fetch(SQL["versions_beside"], id_)]


async def exchange(tx: Transaction, move: Move, by: str, proof: str | None) -> bool:
    """Have readers read what lies beside, if it lacks nothing; say whether they do. ``proof`` None switches back."""
    await tx.connection.execute(SQL["only_one"])
    now = await under_way(tx.connection, move.role)
    if now is None or (now.id, now.state) != (move.id, move.state):
        raise ConflictError(f"Somebody else has just changed the move of the {move.role} engine: look at it again.")
    if await is_behind(tx.connection, move.beside_id):
        return False
    names = [row["name"] for row in await tx.connection.fetch(SQL["exchange"], move.beside_id)]
    read, unread = (move.to_id, move.from_id) if move.state == "building" else (move.from_id, move.to_id)
    await tx.connection.execute(SQL["is_read_no_more"], unread)
    await tx.connection.execute(SQL["is_read"], read)
    if proof is None:
        await tx.connection.execute(SQL["note_back"], move.id)
    else:
        await tx.connection.execute(SQL["note_switch"], move.id, by, proof)
    await tell(tx.connection, names)
    return True


async def end(tx: Transaction, move: Move, by: str) -> None:
    """Feed the engine that nobody reads no more; its generations are dropped."""
    await tx.connection.execute(SQL["only_one"])
    names = list(await beside(tx.connection, move.beside_id))
    await tx.connection.execute(SQL["retire_beside"], move.beside_id)
    state = "finished" if move.state == "switched" else "given_up"
    await tx.connection.execute(SQL["note_end"], move.id, state, by)
    await tell(tx.connection, names)


async def tell(connection: Connection, names: Sequence[str]) -> None:
    """Tell every process that generations of these projections have changed."""
    for name in names:
        await connection.execute(SQL["tell"], name)


async def _add(tx: Transaction, one: Engine, *, live: bool) -> None:
    given = (one.id, one.role, one.product, one.address, one.url_sealed, one.one_writer, live)
    await tx.connection.execute(SQL["add_engine"], *given)

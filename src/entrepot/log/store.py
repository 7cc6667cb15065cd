"""The queries of the log's readers and of who writes projections, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import asyncpg
from msgspec import Raw, Struct

from entrepot.base import limits
from entrepot.base.event import START, Event, Position
from entrepot.base.projection import Slot, Target
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

if TYPE_CHECKING:  # generic in asyncpg's stubs only
    Row: TypeAlias = asyncpg.Record


class Progress(Struct, frozen=True):
    """What a slot reports after a batch: where it is, and what it did since the last report."""

    position: Position
    passed: int
    stamp: int
    events: int
    items: int
    rate: float


class Parked(Struct, frozen=True):
    """An event that is kept in quarantine: the one that could not be taken has the error, those behind it have none."""

    event: Event
    error: str | None = None


class Archived(Struct, frozen=True):
    """A parked event that is in the archive only: where, and of what kind."""

    position: Position
    kind: str
    key: str


class Quarantined(Struct, frozen=True):
    """An event in quarantine, as shown to a person; ``replay`` says that someone has asked to try it again."""

    generation: int
    cell: int
    key: str
    event_id: UUID
    kind: str
    error: str | None
    replay: bool
    at: datetime


class LiveSlot(Struct, frozen=True):
    """How far a slot of a live generation is."""

    projection: str
    generation: int
    shards: int
    engine: UUID | None
    cell: int | None
    shard: int | None
    position: Position


class Reader(Struct, frozen=True):
    """Who reads a cell's log: a projector or the relay (``kind``), from ``source``, and ``why`` from there.

    A projector writes ``slots``; ``behind`` a relay's position lie so many events (None where that is not told).
    """

    kind: str
    holder: str
    source: str
    why: str
    position: Position | None
    slots: int
    behind: int | None
    seen_at: datetime


def event_of(cell: int, row: "Row") -> Event:
    """Return the event that a row of the log is."""
    return Event(
        cell,
        row["id"],
        Position(row["txid"], row["seq"]),
        row["at"],
        row["kind"],
        row["key"],
        row["version"],
        Raw(row["body"]),
        row["subject"],
        row["actor"],
        row["cause"],
    )


async def head(connection: Connection, cell: int) -> Position:
    """Return the position of the cell's last committed event (``START`` if it has none)."""
    row = await connection.fetchrow(SQL["head"], cell)
    return Position(row["txid"], row["seq"]) if row else START


async def forgotten(connection: Connection, subjects: Sequence[UUID]) -> set[UUID]:
    """Return which of these subjects were forgotten."""
    return {row["subject"] for row in await connection.fetch(SQL["forgotten"], subjects)}


async def hashes(connection: Connection, keys: Sequence[str]) -> list[int]:
    """Return what decides the shards of these keys, in their order."""
    return [row["hash"] for row in await connection.fetch(SQL["hashes"], keys)]


async def claim_leases(connection: Connection, names: Sequence[str], holder: str, seconds: float) -> dict[str, int]:
    """Take or renew leases and return those that are now this holder's, with their fence."""
    rows = await connection.fetch(SQL["claim_leases"], names, holder, seconds)
    return {row["name"]: row["fence"] for row in rows}


async def release_leases(connection: Connection, names: Sequence[str], holder: str) -> None:
    """Let go of leases at once."""
    await connection.execute(SQL["release_leases"], holder, names)


async def count_leases(connection: Connection, beginning: str) -> int:
    """Return how many leases whose name begins so are held."""
    return int(await connection.fetchval(SQL["count_leases"], beginning))


async def report_progress(connection: Connection, target: Target, slot: Slot, progress: Progress, message: str) -> None:
    """Note how far a slot is and tell who waits for it."""
    await connection.execute(
        SQL["report_progress"],
        *(target.projection, target.generation, slot.cell, slot.shard),
        *(progress.position.txid, progress.position.seq, progress.passed, progress.stamp),
        *(progress.events, progress.items, progress.rate, message),
    )


async def report_error(connection: Connection, target: Target, slot: Slot, error: str) -> None:
    """Note why a slot does not go on."""
    await connection.execute(SQL["report_error"], target.projection, target.generation, slot.cell, slot.shard, error)


async def reported_position(connection: Connection, target: Target, slot: Slot) -> Position:
    """Return the position a slot last reported (``START`` if it never did)."""
    row = await connection.fetchrow(SQL["reported_position"], target.projection, target.generation, slot.cell, slot.shard)
    return Position(row["txid"], row["seq"]) if row else START


async def live_slots(connection: Connection) -> list[LiveSlot]:
    """Return what every slot of every live generation has reported; one without a cell where none has."""
    return await _slots(connection, "live_positions")


async def kept_slots(connection: Connection) -> list[LiveSlot]:
    """Return the same of every generation that a move has left and that is fed on."""
    return await _slots(connection, "kept_positions")


async def _slots(connection: Connection, query: str) -> list[LiveSlot]:
    return [
        LiveSlot(
            row["projection"],
            row["generation"],
            row["shards"],
            row["engine"],
            row["cell"],
            row["shard"],
            Position(row["txid"] or 0, row["seq"] or 0),
        )
        for row in await connection.fetch(SQL[query])
    ]


async def park(connection: Connection, target: Target, slot: Slot, parked: Sequence[Parked]) -> None:
    """Put events into quarantine."""
    await connection.execute(
        SQL["park"],
        *(target.projection, target.generation, slot.cell, slot.shard),
        [p.event.key for p in parked],
        [p.event.id for p in parked],
        [p.event.position.txid for p in parked],
        [p.event.position.seq for p in parked],
        [p.event.kind for p in parked],
        [p.error for p in parked],
    )


async def quarantined_keys(connection: Connection, target: Target, slot: Slot) -> set[str]:
    """Return the keys of a slot that are in quarantine."""
    rows = await connection.fetch(SQL["quarantined_keys"], target.projection, target.generation, slot.cell, slot.shard)
    return {row["key"] for row in rows}


async def quarantine(connection: Connection, projection: str, limit: int) -> list[Quarantined]:
    """Return what is in quarantine of a projection, in the log's order."""
    return [Quarantined(**dict(row)) for row in await connection.fetch(SQL["quarantine"], projection, limit)]


async def request_replay(connection: Connection, projection: str, key: str | None) -> int:
    """Ask the projector to try parked events again and return how many there are."""
    return int(await connection.fetchval(SQL["request_replay"], projection, key))


async def replay_events(connection: Connection, target: Target, slot: Slot, limit: int) -> list[Event | Archived]:
    """Return the slot's parked events that someone has asked to try again, in the log's order."""
    rows = await connection.fetch(SQL["replay_events"], target.projection, target.generation, slot.cell, slot.shard, limit)
    return [
        event_of(slot.cell, row) if row["id"] else Archived(Position(row["txid"], row["seq"]), row["kind"], row["key"])
        for row in rows
    ]


async def unpark(connection: Connection, target: Target, slot: Slot, events: Sequence[Event]) -> None:
    """Take events out of quarantine."""
    await connection.execute(SQL["unpark"], target.projection, target.generation, slot.cell, [event.id for event in events])


async def stop_replay(connection: Connection, target: Target, slot: Slot, keys: Sequence[str]) -> None:
    """Withdraw the request to try these keys again."""
    await connection.execute(SQL["stop_replay"], target.projection, target.generation, slot.cell, keys)


async def report_reader(
    connection: Connection, cell: int, kind: str, holder: str, source: str, why: str = "", position: Position | None = None
) -> None:
    """Note who reads a cell's log and where."""
    at = (position.txid, position.seq) if position else (None, None)
    await connection.execute(SQL["report_reader"], cell, kind, holder, source, why, *at)


async def forget_reader(connection: Connection, kind: str, holder: str) -> None:
    """Take away who has stopped reading."""
    await connection.execute(SQL["forget_reader"], kind, holder)


async def readers(connection: Connection, cell: int) -> list[Reader]:
    """Return who has read a cell's log of late."""
    return [
        Reader(
            row["kind"],
            row["holder"],
            row["source"],
            row["why"],
            None if row["txid"] is None else Position(row["txid"], row["seq"]),
            row["slots"],
            row["behind"],
            row["seen_at"],
        )
        for row in await connection.fetch(SQL["readers"], cell, 3 * limits.LEASE_SECONDS)
    ]

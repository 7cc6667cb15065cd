"""How far each projection is, for the console and the command line; reads only.

The log numbers its events; how many lie between two numbers is told by the difference, which counts what was rolled back and
what other cells wrote too. It costs nothing, however far a projection is behind, and is exact where it matters: at zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import Position
from entrepot.base.time import Clock, stamp_millis, utc
from entrepot.record.named import queries
from entrepot.record.transaction import Record

SQL = queries(__package__, "status.sql")

if TYPE_CHECKING:  # generic in asyncpg's stubs only
    Row: TypeAlias = asyncpg.Record


class Head(Struct, frozen=True):
    """The end of a cell's log; no position while the cell is empty, no time where all of it is in the archive.

    ``first_seq`` numbers its first event, archive included.
    """

    cell: int
    position: Position | None
    at: datetime | None
    first_seq: int


class Verified(Struct, frozen=True):
    """The result of the last verification: it succeeded if ``differs`` is 0."""

    generation: int
    at: datetime
    checked: int
    differs: int
    repaired: int
    seconds: float


class GenerationStatus(Struct, frozen=True):
    """How far one generation is, all its slots together: the least of their positions, the sum of their rates.

    ``done`` of ``total`` events are behind it; ``eta_seconds`` is known while it moves.
    """

    generation: int
    version: int
    state: str
    shards: int
    positions: Mapping[int, Position]
    done: int
    total: int
    lag_events: int
    lag_seconds: float
    events: int
    items: int
    events_per_second: float
    eta_seconds: float | None
    quarantined_keys: int
    quarantined_events: int
    error: str | None
    updated_at: datetime | None


class ProjectionStatus(Struct, frozen=True):
    """How a projection is: its live generation, the one being built beside it, and when it last proved itself.

    ``beside``: the one in the other engine of a move.
    """

    projection: str
    live: GenerationStatus | None
    building: GenerationStatus | None
    verified: Verified | None
    beside: GenerationStatus | None = None


class LogStatus(Struct, frozen=True):
    """The log and all that follows it."""

    heads: Sequence[Head]
    projections: Sequence[ProjectionStatus]


async def status(record: Record, names: Sequence[str], cells: Sequence[int], clock: Clock) -> LogStatus:
    """Return the head of each cell's log and how far each of these projections is."""
    async with record.reading() as connection:
        head_rows = await connection.fetch(SQL["heads"], cells)
        archived = {row["cell"]: row["first_seq"] for row in await connection.fetch(SQL["archived"], cells)}
        slots = await connection.fetch(SQL["slots"], names)
        parked = {(row["projection"], row["generation"]): row for row in await connection.fetch(SQL["quarantined"], names)}
        verified = {row["projection"]: row for row in await connection.fetch(SQL["verifications"], names)}
    heads = [_head(row, archived.get(row["cell"])) for row in head_rows]
    by_generation: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in slots:
        by_generation[row["projection"], row["generation"]].append(row)
    found: dict[tuple[str, str], GenerationStatus] = {}
    for (name, number), rows in by_generation.items():
        found[name, rows[0]["state"]] = _generation(rows, heads, parked.get((name, number)), clock)
    projections = [
        ProjectionStatus(
            name,
            found.get((name, "live")),
            found.get((name, "building")),
            _verified(verified.get(name)),
            found.get((name, "beside")),
        )
        for name in names
    ]
    return LogStatus(heads, projections)


def _head(row: "Row", archived_first: int | None) -> Head:
    position = None if row["txid"] is None else Position(row["txid"], row["seq"])
    at = None if row["at"] is None else utc(stamp_millis(row["at"]))
    return Head(row["cell"], position, at, min(seq for seq in (row["first_seq"], archived_first, 2**63) if seq is not None))


def _generation(rows: "Sequence[Row]", heads: Sequence[Head], parked: "Row | None", clock: Clock) -> GenerationStatus:
    first = rows[0]
    reported = [row for row in rows if row["cell"] is not None]
    done = total = lag = 0
    positions: dict[int, Position] = {}
    for head in heads:
        if head.position is None:
            continue
        events = head.position.seq - head.first_seq + 1
        behind = [_behind(row, head) for row in reported if row["cell"] == head.cell]
        left = max(behind) if len(behind) == first["shards"] else events
        done, total, lag = done + max(events - left, 0), total + events, lag + min(left, events)
        positions[head.cell] = min(
            (Position(r["txid"], r["seq"]) for r in reported if r["cell"] == head.cell), default=Position(0, 0)
        )
    now = clock.millis()
    waiting = [now - stamp_millis(row["next_at"]) for row in reported if row["next_at"] is not None]
    # A rate is that of the last report: of one who has nothing to do, or has stopped, it is none.
    fresh = [row for row in reported if now - row["updated_at"].timestamp() * 1000 < limits.RATE_SECONDS_MAX * 1000]
    rate = sum(row["rate"] for row in fresh)
    return GenerationStatus(
        generation=first["generation"],
        version=first["version"],
        state=first["state"],
        shards=first["shards"],
        positions=positions,
        done=done,
        total=total,
        lag_events=lag,
        lag_seconds=max([0.0, *(millis / 1000 for millis in waiting)]),
        events=sum(row["events"] for row in reported),
        items=sum(row["items"] for row in reported),
        events_per_second=rate,
        eta_seconds=lag / rate if rate > 0 else None,
        quarantined_keys=parked["keys"] if parked else 0,
        quarantined_events=parked["events"] if parked else 0,
        error=next((row["error"] for row in reported if row["error"]), None),
        updated_at=max((row["updated_at"] for row in reported), default=None),
    )


def _behind(row: "Row", head: Head) -> int:
    assert head.position is not None
    if Position(row["txid"], row["seq"]) >= head.position:
        return 0
    return max(head.position.seq - max(int(row["passed"]), head.first_seq - 1), 0)


def _verified(row: "Row | None") -> Verified | None:
    if row is None:
        return None
    return Verified(row["generation"], row["at"], row["checked"], row["differing"], row["repaired"], row["seconds"])

"""The hot path in several modes, in turns: what each loses against the first, and the CPU that an order costs in each.

The speed of a machine drifts, and tables grow while they are measured: a turn is short, has every mode once, and goes through
them in the order that mirrors the turn before; a mode is compared with the first of its own turn only.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from msgspec import Struct, structs

from entrepot.bench import Row
from entrepot.bench.orders import Way, placed, spread
from entrepot.bench.shop import article_order
from entrepot.bench.stack import with_children
from entrepot.commerce.checkout.requests import OrderRequest
from entrepot.local.state import read_state
from entrepot.record.transaction import Record
from entrepot.settings import Settings

CUSTOMERS = [UUID(int=n) for n in range(1, 1_001)]
SECONDS = 1.5
SETTLE_SECONDS = 0.3  # not counted: where policies were switched, every connection plans anew

US, RECORD = "this process, which does what the API does", "PostgreSQL"

Used = Callable[[], Mapping[str, float]]


async def nothing() -> None:
    """Switch nothing."""


class Mode(Struct, frozen=True):
    """A way to place orders, and what is switched before."""

    name: str
    way: Way
    switch: Callable[[], Awaitable[object]] = nothing


class Slice(Struct, frozen=True):
    """What a mode did in one turn: orders a second, and the microseconds of CPU that an order took, by part."""

    per_second: float
    cpu: dict[str, float]


class Compared(Struct, frozen=True):
    """A mode beside the first one: medians over the turns, each turn compared in itself, and the quarters of what was lost."""

    name: str
    per_second: float
    cpu: dict[str, float]
    lost: float
    quarters: tuple[float, float]
    cpu_more: float


async def in_turns(record: Record, modes: Sequence[Mode], used: Used, turns: int) -> list[Compared]:
    """Measure every mode in every turn, and compare each with the first."""
    seen: list[list[Slice]] = [[] for _ in modes]
    for turn in range(turns):
        for n in sorted(range(len(modes)), reverse=turn % 2 == 1):
            seen[n].append(await _slice(record, modes[n], used, f"{turn}-{n}"))
    return [compared(mode.name, slices, seen[0]) for mode, slices in zip(modes, seen, strict=True)]


def compared(name: str, slices: Sequence[Slice], first: Sequence[Slice]) -> Compared:
    """Compare what a mode did in each turn with what the first one did in that turn."""
    lost = [1 - one.per_second / other.per_second for one, other in zip(slices, first, strict=True)]
    more = [sum(one.cpu.values()) / sum(other.cpu.values()) - 1 for one, other in zip(slices, first, strict=True)]
    low, _, high = statistics.quantiles(lost, n=4)
    return Compared(
        name=name,
        per_second=statistics.median(one.per_second for one in slices),
        cpu={part: statistics.median(one.cpu[part] for one in slices) for part in slices[0].cpu},
        lost=statistics.median(lost),
        quarters=(low, high),
        cpu_more=statistics.median(more),
    )


def cpu_of(settings: Settings) -> Used:
    """Return what tells the seconds of CPU used so far: by this process, and by PostgreSQL where it is the embedded one."""
    state = read_state(Path(settings.home))
    engine = state.engines.get("record") if state else None
    ours = engine is not None and urlsplit(settings.engines.record).port in engine.ports
    server = psutil.Process(engine.pid) if engine is not None and ours else None

    def used() -> dict[str, float]:
        told = {US: time.process_time()}
        return {**told, RECORD: with_children(server)} if server else told

    return used


def rows_of(modes: Sequence[Compared], most: float) -> list[Row]:
    """Return what each mode did, and what it lost against the first."""
    first, *others = modes
    rows = [Row(name=f"orders, {first.name}", value=first.per_second, unit="orders/s"), *_cpu(first)]
    for one in others:
        low, high = one.quarters
        rows += [
            Row(name=f"orders, {one.name}", value=one.per_second, unit="orders/s", reference=first.per_second,
                ratio=1 - one.lost),
            Row(name=f"lost: {one.name}", value=one.lost, target=most, met=one.lost < most),
            Row(name="half of all turns", note=f"{low:.1%} to {high:.1%}"),
            Row(name=f"CPU more: {one.name}", value=one.cpu_more),
            *_cpu(one),
        ]  # fmt: skip
    return rows


def _order(n: int) -> OrderRequest:
    return structs.replace(article_order(spread(n)), customer_id=CUSTOMERS[n % len(CUSTOMERS)])


async def _slice(record: Record, mode: Mode, used: Used, name: str) -> Slice:
    await mode.switch()
    await placed(record, f"{name}-settling", _order, SETTLE_SECONDS, mode.way)
    before = used()
    orders, seconds = await placed(record, name, _order, SECONDS, mode.way)
    after = used()
    return Slice(orders / seconds, {part: (after[part] - before[part]) / orders * 1e6 for part in after})


def _cpu(one: Compared) -> list[Row]:
    return [Row(name=f"of it CPU, {part}", value=micros, unit="µs/order") for part, micros in one.cpu.items()]

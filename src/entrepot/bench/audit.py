"""What the audit costs: orders with an entry each and without, in turns; and how long a chain of a million takes to prove.

Everything happens in a database of its own on the same server, which is dropped afterwards. Roots are left out: how many there
are depends on how long a chain has grown, one a minute, and not on how many entries it holds.
"""

import time
from collections.abc import Awaitable, Callable

from entrepot.audit.linking import link_new
from entrepot.audit.roots import Find, Published
from entrepot.audit.rows import Rows
from entrepot.audit.verify import Verifier
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.orders import ARTICLES, own_database, placed_per_second, spread
from entrepot.bench.shop import CELL, open_shop
from entrepot.record.cause import Cause
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "audit.sql")

Seal = Callable[[int], Awaitable[object]]

ENTRIES = 1_000_000
FILLED_AT_ONCE = 50_000
ROUNDS = 3
SECONDS = 4


class _NoRoots:
    """A place where nothing has been published."""

    async def read(self, after_place: int, find: Find) -> Published:
        del after_place, find
        return Published([])


async def run(settings: Settings) -> list[Row]:
    """Measure both and return the rows; raises when the chain is not whole."""
    async with own_database(settings) as url, await open_record(url) as record:
        await open_shop(record, ARTICLES)
        with_, without = 0.0, 0.0
        for turn in range(ROUNDS):
            without += await orders_per_second(record, turn, audited=False) / ROUNDS
            with_ += await orders_per_second(record, turn, audited=True) / ROUNDS
        linking = await _fill_and_link(record)
        began = time.perf_counter()
        report = await Verifier(record, CELL, Rows(record, CELL), _NoRoots()).verify()
        seconds = time.perf_counter() - began
    if not report.whole:
        raise BenchError(f"The chain is not whole: {report.findings[0].sentence}")
    seconds_each = seconds / (report.entries + report.events) * ENTRIES
    lost = 1 - with_ / without
    most, seconds_max = targets.AUDIT_ORDERS_LOST, targets.AUDIT_VERIFY_SECONDS
    return [
        Row(name="orders, not audited", value=without, unit="orders/s"),
        Row(name="orders, each with its entry", value=with_, unit="orders/s", reference=without, ratio=with_ / without),
        Row(name="lost by it", value=lost, unit="", target=most, met=lost < most),
        Row(name="linked", value=linking, unit="rows/s"),
        Row(name="verified", value=report.entries + report.events, unit="rows"),
        Row(name="a million rows verified", value=seconds_each, unit="s", target=seconds_max, met=seconds_each < seconds_max),
    ]


async def orders_per_second(record: Record, turn: int, *, audited: bool, seal: Seal | None = None) -> float:
    """Return how many orders a second are placed, each with its entry in the audit if it is audited, and its contact sealed."""

    async def prepare(n: int) -> Cause | None:
        cause = _cause(record) if audited else None
        if seal is not None:
            await seal(n)
        return cause

    return await placed_per_second(record, f"{turn}-{audited}", spread, SECONDS, prepare)


def _cause(record: Record) -> Cause:
    return Cause(record.ids.fresh(), actor="anonymous", network="203.0.113.0/24", agent="browser")


async def _fill_and_link(record: Record) -> float:
    await _link(record)
    async with record.committing() as connection:
        for _ in range(0, ENTRIES, FILLED_AT_ONCE):
            await connection.execute(SQL["fill"], FILLED_AT_ONCE)
    began = time.perf_counter()
    linked = await _link(record)
    return linked / (time.perf_counter() - began)


async def _link(record: Record) -> int:
    linked = 0
    while step := await link_new(record, CELL):
        linked += step
    return linked

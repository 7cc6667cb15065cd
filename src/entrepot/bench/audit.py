"""What the audit costs: orders with an entry each and without, in turns; and how long a chain of a million takes to prove.

Everything happens in a database of its own on the same server, which is dropped afterwards. Roots are left out: how many there
are depends on how long a chain has grown, one a minute, and not on how many entries it holds.
"""

import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import cast

from litestar.types import HTTPScope

from entrepot.api.auditing import Notes
from entrepot.audit.commands import Auditor
from entrepot.audit.linking import link_new
from entrepot.audit.roots import Find, Published
from entrepot.audit.rows import Rows
from entrepot.audit.verify import Verifier
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.hot_path import CUSTOMERS, Mode, cpu_of, in_turns, rows_of
from entrepot.bench.orders import ARTICLES, Way, own_database
from entrepot.bench.shop import CELL, open_shop
from entrepot.record.cause import Cause
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "audit.sql")

ENTRIES = 1_000_000
FILLED_AT_ONCE = 50_000
TURNS = 8

# What a browser sends: of these the edge tells an entry's network, agent and reason.
HEADERS = [
    (b"host", b"shop.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
    (b"content-type", b"application/json"),
    (b"content-length", b"96"),
    (b"authorization", b"Bearer a-token-of-a-service-account"),
    (b"idempotency-key", b"an-idempotency-key"),
]


class _NoRoots:
    """A place where nothing has been published."""

    async def read(self, after_place: int, find: Find) -> Published:
        del after_place, find
        return Published([])


async def run(settings: Settings) -> list[Row]:
    """Measure both and return the rows; raises when the chain is not whole."""
    async with own_database(settings) as url, await open_record(url) as record:
        await open_shop(record, ARTICLES)
        modes = [Mode("not audited", Way()), Mode("each with its entry", Way(cause=requests_of(record)))]
        compared = await in_turns(record, modes, cpu_of(settings), TURNS)
        linking = await _fill_and_link(record)
        began = time.perf_counter()
        report = await Verifier(record, CELL, Rows(record, CELL), _NoRoots()).verify()
        seconds = time.perf_counter() - began
    if not report.whole:
        raise BenchError(f"The chain is not whole: {report.findings[0].sentence}")
    seconds_each = seconds / (report.entries + report.events) * ENTRIES
    seconds_max = targets.AUDIT_VERIFY_SECONDS
    return [
        *rows_of(compared, targets.AUDIT_ORDERS_LOST),
        Row(name="linked", value=linking, unit="rows/s"),
        Row(name="verified", value=report.entries + report.events, unit="rows"),
        Row(name="a million rows verified", value=seconds_each, unit="s", target=seconds_max, met=seconds_each < seconds_max),
    ]


def requests_of(record: Record) -> Callable[[int], Cause]:
    """Return what makes the n-th request: the edge tells from where it comes, and its order leaves an entry."""
    notes = Notes(Auditor(record, CELL), record, CELL, proxies=0)
    clients = [(str(ip_address("203.0.0.0") + n * 257), 50_000) for n in range(len(CUSTOMERS))]

    def request(n: int) -> Cause:
        cause = Cause(record.ids.fresh(), actor="anonymous")
        notes.tell(cast("HTTPScope", {"client": clients[n % len(clients)], "headers": HEADERS}), cause)
        return cause

    return request


async def link_all(record: Record) -> int:
    """Link all there is and return how many rows that were."""
    linked = 0
    while step := await link_new(record, CELL):
        linked += step
    return linked


async def _fill_and_link(record: Record) -> float:
    await link_all(record)
    async with record.committing() as connection:
        for _ in range(0, ENTRIES, FILLED_AT_ONCE):
            await connection.execute(SQL["fill"], FILLED_AT_ONCE)
    began = time.perf_counter()
    linked = await link_all(record)
    return linked / (time.perf_counter() - began)

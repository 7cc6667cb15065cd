"""Search moved to another engine and back while orders are placed and searches answered at given rates: nobody may notice.

On a stack of its own. The other engine is given, or a second tantivy where none is. An answer without hits is a failed one:
what is asked for is there all the time. Afterwards every order is in the log once, and every projection is as the truth says.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct, structs

from entrepot.app import opened
from entrepot.base.limits import POLL_SECONDS
from entrepot.base.projection import Target
from entrepot.base.time import SystemClock
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.key import bench_key
from entrepot.bench.load import get, post
from entrepot.bench.paced import Pace
from entrepot.bench.process import done
from entrepot.bench.shop import article_order, open_shop
from entrepot.bench.stack import Stack, own_stack
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.engines.products import driver
from entrepot.log import generations, moves
from entrepot.log.status import status
from entrepot.projections.product_search.project import ProductSearch
from entrepot.record.named import queries
from entrepot.record.transaction import open_record
from entrepot.settings import Settings
from entrepot.verify.verify import Verifier

SQL = queries("entrepot.bench", "move.sql")

ARTICLES = 5_000
SECONDS_BEFORE = 10.0
READY_SECONDS_MAX = 120.0
ROLE = "search"
FOUND, EMPTY = "200", "200 without hits"


class Asked(Struct, frozen=True):
    """Where to move to, and how many orders and searches a second come meanwhile."""

    to: str = ""
    orders: float = targets.MOVE_ORDERS_PER_SECOND
    searches: float = targets.MOVE_SEARCHES_PER_SECOND
    articles: int = ARTICLES


class _Hits(Struct):
    hits: list[msgspec.Raw]


async def run(_settings: Settings, asked: Asked) -> list[Row]:
    """Move there and back under load and return the rows; raises where an order was lost or doubled, or something differs."""
    made: list[Target] = []
    try:
        async with own_stack() as stack:
            try:
                return await _measured(stack, asked)
            finally:
                made = await _made_there(stack.settings) if asked.to else []
    finally:  # once nobody is left who would make it anew
        if made:
            await _dropped(asked.to, made)


async def _measured(stack: Stack, asked: Asked) -> list[Row]:
    here, there = stack.settings.engines.search, asked.to or f"tantivy://{stack.settings.home}/search-there"
    async with await open_record(stack.settings.engines.record) as record:
        await open_shop(record, asked.articles)
    await _until_followed(stack.settings)
    async with _loaded(stack, asked) as (orders, searches):
        await asyncio.sleep(SECONDS_BEFORE)
        orders.seen.phase = searches.seen.phase = "during"
        began = time.perf_counter()
        await _moved(stack.settings, there)
        halfway = time.perf_counter()
        await _moved(stack.settings, here)
        ended = time.perf_counter()
    placed, proved = orders.seen.answers["201"], await _proof(stack.settings)
    if proved != (placed, placed, 0):
        raise BenchError(
            f"{placed} orders were acknowledged; the log has {proved[0]}, of {proved[1]} keys; {proved[2]} items differ."
        )
    return [*_rows(asked, orders, searches, (halfway - began, ended - halfway)), *_proved(placed)]


async def _made_there(settings: Settings) -> list[Target]:
    """Return what moves have made in the other engine: only that is taken away."""
    async with await open_record(settings.engines.record) as record:
        async with record.committing() as connection:
            *_, first = [None, *await moves.moves(connection, ROLE)]  # the oldest comes last, and led there
        every = await generations.generations(record, [ProductSearch.name], ("building", "live", "beside", "retired"))
    return [structs.replace(one.target, engine="") for one in every if first is not None and one.engine == first.to_id]


async def _dropped(url: str, made: Sequence[Target]) -> None:
    """Leave nothing of ours in an engine that was given."""
    store = driver(ROLE, url)
    try:
        await store.open()
        for target in made:
            await store.drop(target)
    finally:
        await store.close()


@asynccontextmanager
async def _loaded(stack: Stack, asked: Asked) -> AsyncIterator[tuple[Pace, Pace]]:
    bodies = [msgspec.json.encode(article_order(n)) for n in range(asked.articles)]
    asking = [get(f"/v1/search?q=Article+{n}&market=uk&limit=5") for n in range(0, asked.articles, 7)]
    at = (stack.host, stack.port)
    async with bench_key(stack.settings) as key:

        def order(n: int) -> bytes:
            return post("/v1/orders", bodies[n % len(bodies)], f"Authorization: Bearer {key}\r\nIdempotency-Key: move-{n}\r\n")

        orders = Pace(at, asked.orders, order, lambda status, _: str(status))
        searches = Pace(at, asked.searches, lambda n: asking[n % len(asking)], _found)
        orders.seen.phase = searches.seen.phase = "before"
        load = asyncio.gather(orders.run(), searches.run())
        try:
            yield orders, searches
        finally:
            orders.end()
            searches.end()
            await load


def _found(status: int, body: bytes) -> str:
    return EMPTY if status == 200 and not msgspec.json.decode(body, type=_Hits).hits else str(status)  # noqa: PLR2004  # HTTP's


async def _moved(settings: Settings, url: str) -> None:
    """Move search as anybody would, and leave the engine it was in."""
    await done(settings, "move", "search", url)
    await done(settings, "move", "search", "--finish")


async def _until_followed(settings: Settings) -> None:
    """Wait until every projection has all there is."""
    async with asyncio.timeout(READY_SECONDS_MAX), opened(settings) as app:
        names = [one.name for one in app.projections]
        while True:
            told = await status(app.record, names, (settings.cell,), SystemClock())
            if all(one.live is not None and one.live.lag_events == 0 for one in told.projections):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _proof(settings: Settings) -> tuple[int, int, int]:
    """Return how many orders the log has, of how many keys, and how many items of all projections are not as the truth says."""
    await _until_followed(settings)
    async with opened(settings) as app:
        async with app.record.reading() as connection:
            row = await connection.fetchrow(SQL["placed"], settings.cell, ORDER_PLACED)
        assert row is not None
        verifier = Verifier(app.record, app.live, cells=(settings.cell,))
        reports = [await verifier.verify(one.projection, one.store) for one in app.subscriptions]
    return int(row["events"]), int(row["keys"]), sum(report.differs for report in reports)


def _rows(asked: Asked, orders: Pace, searches: Pace, seconds: tuple[float, float]) -> list[Row]:
    failed = sum(count for what, count in searches.seen.answers.items() if what != FOUND)
    refused = sum(count for what, count in orders.seen.answers.items() if what != "201")
    under_way = sum(seconds)
    rows = [
        Row(name="moved there", value=seconds[0], unit="s"),
        Row(name="moved back", value=seconds[1], unit="s"),
        Row(name="searches that failed or found nothing", value=failed, target=0, met=not failed, note=_told(searches)),
        Row(name="orders that were refused", value=refused, target=0, met=not refused, note=_told(orders)),
    ]
    for name, one, wanted in (("orders", orders, asked.orders), ("searches", searches, asked.searches)):
        came = len(one.seen.millis["during"]) / under_way
        rows += [
            Row(name=f"{name} meanwhile", value=came, unit="/s", target=wanted, met=came >= wanted * targets.MOVE_KEPT_UP),
            *(
                Row(name=f"{name}, p{percent}", value=one.seen.percentile("during", percent), unit="ms",
                    reference=one.seen.percentile("before", percent))
                for percent in (50, 99)
            ),
        ]  # fmt: skip
    return rows


def _told(one: Pace) -> str:
    return ", ".join(f"{count} x {what}" for what, count in sorted(one.seen.answers.items()))


def _proved(placed: int) -> list[Row]:
    return [
        Row(name="orders lost or doubled", value=0, target=0, met=True, note=f"{placed} acknowledged"),
        Row(name="items that differ from the truth", value=0, target=0, met=True),
    ]

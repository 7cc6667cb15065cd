"""Search moved to another engine and back while orders are placed and searches answered at given rates: nobody may notice.

On a stack of its own. The other engine is given, or a second tantivy where none is. An answer without hits is a failed one:
what is asked for is there all the time. Beside each move stands what the same load got from the engine that was left, with
nothing moving. Where the old engine still answers for the new one, the move is not finished but taken back.
Afterwards every order is in the log once, and every projection is as the truth says.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct, structs

from entrepot.app import App, opened
from entrepot.base.engine_limits import MOVE_CALM_SECONDS
from entrepot.base.limits import POLL_SECONDS
from entrepot.base.projection import Target
from entrepot.base.time import SystemClock
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.key import bench_key
from entrepot.bench.load import get, post
from entrepot.bench.paced import Pace, Seen
from entrepot.bench.process import EndedError, done
from entrepot.bench.shop import article_order, open_shop
from entrepot.bench.stack import Stack, own_stack
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.engines.products import driver
from entrepot.log import generations, moves
from entrepot.log.status import status
from entrepot.moving.moving import Mover, StillAskedError
from entrepot.projections.product_search.project import ProductSearch
from entrepot.record.named import queries
from entrepot.record.transaction import open_record
from entrepot.settings import Settings
from entrepot.verify.verify import Verifier

SQL = queries("entrepot.bench", "move.sql")

ARTICLES = 5_000
# How long an engine is asked with nothing moving; before that it gets as used to the load as one that has had it for long.
SECONDS_ALONE = 10.0
SECONDS_WARM = 5.0
# How long to wait until the old engine is asked no more.
CALM_SECONDS_MAX = 10 * MOVE_CALM_SECONDS
READY_SECONDS_MAX = 120.0
ROLE = "search"
FOUND, PLACED, EMPTY = "200", "201", "200 without hits"
WARMING = "warming up"
OLD_ALONE, THERE, BOTH, NEW_ALONE, BACK, BOTH_AGAIN = (
    "old engine alone",
    "moved there",
    "both fed",
    "new engine alone",
    "moved back",
    "both fed again",
)
ALONE = {OLD_ALONE, NEW_ALONE}


class Asked(Struct, frozen=True):
    """Where to move to, and how many orders and searches a second come meanwhile."""

    to: str = ""
    orders: float = targets.MOVE_ORDERS_PER_SECOND
    searches: float = targets.MOVE_SEARCHES_PER_SECOND
    articles: int = ARTICLES


class _Hits(Struct):
    hits: list[msgspec.Raw]


class _Problem(Struct):
    detail: str = ""


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
    async with opened(stack.settings) as app, _loaded(stack, asked) as (orders, searches):
        under = _Under(stack.settings, app, orders, searches)
        await asyncio.sleep(SECONDS_WARM)
        finished = await under.moves(there, (OLD_ALONE, THERE, BOTH)) and await under.moves(here, (NEW_ALONE, BACK, BOTH_AGAIN))
    placed, proved = orders.seen.count(PLACED), await _proof(stack.settings)
    if proved != (placed, placed, 0):
        raise BenchError(
            f"{placed} orders were acknowledged; the log has {proved[0]}, of {proved[1]} keys; {proved[2]} items differ."
        )
    return [*_rows(asked, under, finished=finished), *_proved(placed)]


class _Under:
    """Moves under a load, and how many seconds each phase of it lasted."""

    def __init__(self, settings: Settings, app: App, orders: Pace, searches: Pace) -> None:
        self._settings, self._app, self.orders, self.searches = settings, app, orders, searches
        self.seconds: dict[str, float] = {}
        self.spared: dict[str, int] = {}

    async def moves(self, url: str, phases: tuple[str, str, str]) -> bool:
        """Leave the engine alone, move as anybody would, and finish where the new engine can be alone; say whether it can."""
        alone, moving, both = phases
        async with self._phase(alone):
            await asyncio.sleep(SECONDS_ALONE)
        async with self._phase(moving):
            await done(self._settings, "move", ROLE, url)
        async with self._phase(both):
            if not (finished := await self._is_finished(both)):
                await done(self._settings, "move", ROLE, "--back")
                await done(self._settings, "move", ROLE, "--give-up")
        if finished:
            self.orders.seen.phase = self.searches.seen.phase = WARMING
            await asyncio.sleep(SECONDS_WARM)
        return finished

    @asynccontextmanager
    async def _phase(self, name: str) -> AsyncIterator[None]:
        self.orders.seen.phase = self.searches.seen.phase = name
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began

    async def _is_finished(self, phase: str) -> bool:
        """Finish the move as soon as the old engine is asked no more; say whether that came."""
        app, until = self._app, time.perf_counter() + CALM_SECONDS_MAX
        mover = Mover(app.record, app.settings, app.sealing, app.stores.places, app.subscriptions, app.cache, "bench")
        await asyncio.sleep(SECONDS_WARM)  # a question that it is to answer must have had the time to be asked, and told of
        while time.perf_counter() < until:
            if answered := await mover.spared(ROLE):
                self.spared[phase] = max(answered, self.spared.get(phase, 0))
            else:
                try:
                    await done(self._settings, "move", ROLE, "--finish")
                except EndedError as error:
                    if error.code != StillAskedError.exit_code:
                        raise
                else:
                    return True
            await asyncio.sleep(1.0)
        return False


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

        orders = Pace(at, asked.orders, order, _placed)
        searches = Pace(at, asked.searches, lambda n: asking[n % len(asking)], _found)
        orders.seen.phase = searches.seen.phase = WARMING
        load = asyncio.gather(orders.run(), searches.run())
        try:
            yield orders, searches
        finally:
            orders.end()
            searches.end()
            await load


def _found(status: int, body: bytes) -> str:
    if status == int(FOUND):
        return FOUND if msgspec.json.decode(body, type=_Hits).hits else EMPTY
    return _refused(status, body)


def _placed(status: int, body: bytes) -> str:
    return PLACED if status == int(PLACED) else _refused(status, body)


def _refused(status: int, body: bytes) -> str:
    try:
        return f"{status} {msgspec.json.decode(body, type=_Problem).detail[:160]}".strip()
    except msgspec.MsgspecError:
        return f"{status}"


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


def _rows(asked: Asked, under: _Under, *, finished: bool) -> list[Row]:
    orders, searches = under.orders.seen, under.searches.seen
    failed, refused = _others(searches, FOUND), _others(orders, PLACED)
    rows = [
        Row(name="searches that failed or found nothing", value=failed.total(), target=0, met=not failed, note=_told(failed)),
        Row(name="orders that were refused", value=refused.total(), target=0, met=not refused, note=_told(refused)),
        Row(name="moves finished", value=float(finished), target=1, met=finished, note="" if finished else
            "the old engine still answered for the new one: it was not left, and the move was taken back"),
    ]  # fmt: skip
    at_rest: dict[str, float] = {}
    for phase, seconds in under.seconds.items():
        spared = under.spared.get(phase, 0)
        rows.append(Row(name=phase, value=seconds, unit="s", note=f"{spared} answered by the old engine" if spared else ""))
        for name, seen, good, wanted in (
            ("orders", orders, PLACED, asked.orders),
            ("searches", searches, FOUND, asked.searches),
        ):
            came, beside = seen.answers[phase].total(), None if phase in ALONE else at_rest[name]
            p99, per_second = seen.percentile(phase, 99), came / seconds
            at_rest |= {name: p99} if phase in ALONE else {}
            kept_up = per_second >= wanted * targets.MOVE_KEPT_UP
            rows += [
                Row(name=f"  {name}", value=per_second, unit="/s", target=wanted, met=kept_up),
                Row(name=f"  {name} that failed", value=came - seen.answers[phase][good], unit=f"of {came}"),
                Row(name=f"  {name}, p50", value=seen.percentile(phase, 50), unit="ms"),
                Row(name=f"  {name}, p99", value=p99, unit="ms", reference=beside, ratio=p99 / beside if beside else None),
            ]
    return rows


def _others(seen: Seen, good: str) -> Counter[str]:
    """Return the answers that were not good, by what they were."""
    found: Counter[str] = sum(seen.answers.values(), Counter())
    del found[good]
    return found


def _told(found: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in found.most_common(5))


def _proved(placed: int) -> list[Row]:
    return [
        Row(name="orders lost or doubled", value=0, target=0, met=True, note=f"{placed} acknowledged"),
        Row(name="items that differ from the truth", value=0, target=0, met=True),
    ]

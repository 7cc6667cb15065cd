"""The pulse of the house: what the log, the projections, the engines and this process are doing, looked at twice a second.

One task per process looks; any number of readers (the console's pages, the stream of events, the metrics) share what it saw.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from msgspec import Struct

from entrepot.api import pulse_store as store
from entrepot.api.metrics import Metrics
from entrepot.api.pulse_store import Arrival, Reported, Verification
from entrepot.api.today import Today
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.event import START, Position
from entrepot.base.limits import PING_SECONDS_MAX, PULSE_SECONDS, STREAM_SUBSCRIBERS_MAX
from entrepot.base.time import Clock, stamp_millis, utc
from entrepot.record.transaction import Connection, Record

log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]

SAMPLES = 120
RATE_SECONDS = 5.0
HEALTH_EVERY = 10
ARRIVALS = 20


class Building(Struct, frozen=True, kw_only=True):
    """A generation that is being built beside the live one; ``share`` of the log is in it."""

    generation: int
    share: float
    events_per_second: float
    seconds_left: float | None


class Lane(Struct, frozen=True, kw_only=True):
    """One projection as the engine room shows it. ``state``: following, behind, failing, waiting (nobody has begun)."""

    name: str
    role: str
    generation: int
    state: str
    passed: int
    lag_events: int
    lag_seconds: float
    events_per_second: float
    items: int
    quarantined: int
    error: str | None
    since: datetime | None
    building: Building | None
    verified: Verification | None
    lags: list[float]


class DayTotal(Struct, frozen=True, kw_only=True):
    """What was sold today in one currency, in minor units."""

    currency: str
    orders: int
    net_minor: int


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything at one moment. ``engines`` by role: a sentence about what is wrong, empty when all is well."""

    at: datetime
    head: int
    events_per_second: float
    orders_per_second: float
    lanes: list[Lane]
    engines: dict[str, str]
    arrivals: list[Arrival]
    latency_p50: float
    latency_p99: float
    requests_per_second: float
    errors: int
    rates: list[float]
    today: list[DayTotal]
    record: str = ""


class _Seen(Struct):
    """What the pulse remembers between two looks."""

    position: Position = START
    head: int = 0
    looked_at: float = 0.0
    events_per_second: float = 0.0
    orders_per_second: float = 0.0
    requests: int = 0
    requests_per_second: float = 0.0


class Pulse:
    """Looks while it runs; ``latest`` is what was seen last, ``beats`` gives every look to one reader.

    ``checks`` ask an engine whether it answers, by role; raising says no. ``roles`` name the engine of each projection.
    """

    def __init__(
        self,
        record: Record,
        cell: int,
        *,
        checks: Mapping[str, Check],
        roles: Mapping[str, str],
        today: Today,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._record, self._cell, self.checks = record, cell, checks
        self._roles, self._today, self._metrics, self._clock = roles, today, metrics, clock
        self._seen = _Seen()
        self._heads: deque[tuple[float, int]] = deque(maxlen=4 * SAMPLES)
        self._lags: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=SAMPLES))
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._states: dict[str, tuple[str, datetime]] = {}
        self._engines: dict[str, str] = dict.fromkeys(checks, "")
        self._beat = asyncio.Event()
        self._readers = 0
        self._looks = 0
        self.latest: Snapshot | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Pulse"]:
        """Look until the block ends."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def now(self) -> Snapshot:
        """Return what was seen last, or look for the first time."""
        return self.latest or await self.look()

    async def beats(self) -> AsyncIterator[Snapshot]:
        """Give the present look and every one after it; a slow reader misses some, never waits for others."""
        if self._readers >= STREAM_SUBSCRIBERS_MAX:
            raise EngineAwayError("stream", f"{self._readers} are listening already")
        self._readers += 1
        try:
            yield await self.now()
            while True:
                await self._beat.wait()
                if self.latest is not None:
                    yield self.latest
        finally:
            self._readers -= 1

    async def look(self) -> Snapshot:
        """Look once."""
        self._looks += 1
        if self._looks % HEALTH_EVERY == 1:
            answers = await asyncio.gather(*map(ask, self.checks.values()))
            self._engines = dict(zip(self.checks, answers, strict=True))
        sums = self._today.sums()
        async with self._record.committing() as connection:
            arrivals = await self._tail(connection)
            reported = await store.lanes(connection, self._cell)
            verified = await store.verifications(connection)
        seen = self._seen
        now = utc(self._clock.millis())
        fast = self._metrics.latencies()
        self.latest = Snapshot(
            at=now,
            head=seen.head,
            events_per_second=seen.events_per_second,
            orders_per_second=seen.orders_per_second,
            lanes=self._lanes(reported, verified, now),
            engines=dict(self._engines),
            arrivals=arrivals,
            latency_p50=fast[len(fast) // 2] if fast else 0.0,
            latency_p99=fast[len(fast) * 99 // 100] if fast else 0.0,
            requests_per_second=seen.requests_per_second,
            errors=self._metrics.errors,
            rates=list(self._rates),
            today=[DayTotal(currency=one.currency, orders=one.orders, net_minor=one.net_minor) for one in sums],
        )
        self._measure(self.latest)
        beat, self._beat = self._beat, asyncio.Event()
        beat.set()
        return self.latest

    async def _run(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self.look()
            except EntrepotError as error:
                self._away(str(error))
            except Exception as error:  # noqa: BLE001  # a look that fails must not stop the next; what is wrong is shown
                log.warning("pulse.look_failed", why=f"{type(error).__name__}: {error}")
                self._away(f"{type(error).__name__}: {error}")
            spent = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(PULSE_SECONDS * (1 if self._readers else 4) - spent, PULSE_SECONDS / 5))

    def _away(self, why: str) -> None:
        if self.latest is not None:
            fields = {name: getattr(self.latest, name) for name in Snapshot.__struct_fields__}
            self.latest = Snapshot(**{**fields, "record": why, "at": utc(self._clock.millis())})
            beat, self._beat = self._beat, asyncio.Event()
            beat.set()

    async def _tail(self, connection: Connection) -> list[Arrival]:
        seen, now = self._seen, asyncio.get_running_loop().time()
        requests = self._metrics.requests
        arrivals: Sequence[Arrival] = ()
        if seen.position == START:
            seen.position, seen.head = await store.head(connection, self._cell)
        else:
            tail = await store.tail(connection, self._cell, seen.position)
            elapsed = max(now - seen.looked_at, PULSE_SECONDS / 10)
            weight = min(elapsed / RATE_SECONDS, 1.0)
            seen.events_per_second += (tail.events / elapsed - seen.events_per_second) * weight
            seen.orders_per_second += (tail.orders / elapsed - seen.orders_per_second) * weight
            seen.requests_per_second += ((requests - seen.requests) / elapsed - seen.requests_per_second) * weight
            if tail.orders:
                arrivals = await store.newest_orders(connection, self._cell, seen.position, ARRIVALS)
            if tail.events:
                seen.position, seen.head = tail.position, max(tail.head, seen.head)
        seen.looked_at, seen.requests = now, requests
        self._heads.append((now, seen.head))
        self._rates.append(round(seen.events_per_second, 1))
        return list(arrivals)

    def _lanes(self, reported: Sequence[Reported], verified: Mapping[str, Verification], now: datetime) -> list[Lane]:
        building = {one.projection: one for one in reported if one.state == "building"}
        return [
            self._lane(one, building.get(one.projection), verified.get(one.projection), now)
            for one in reported
            if one.state == "live"
        ]

    def _lane(self, live: Reported, building: Reported | None, verified: Verification | None, now: datetime) -> Lane:
        behind = max(self._seen.head - live.passed, 0)
        lag = self._lag_seconds(live, now) if behind else 0.0
        self._lags[live.projection].append(round(lag, 1))
        state = "failing" if live.error else "waiting" if not live.passed and behind else "behind" if lag > 1 else "following"
        if self._states.get(live.projection, ("", now))[0] != state:
            self._states[live.projection] = (state, now)
        return Lane(
            name=live.projection,
            role=self._roles.get(live.projection, ""),
            generation=live.generation,
            state=state,
            passed=live.passed,
            lag_events=behind,
            lag_seconds=lag,
            events_per_second=live.rate if behind or lag else min(live.rate, self._seen.events_per_second),
            items=live.items,
            quarantined=live.quarantined,
            error=live.error,
            since=self._states[live.projection][1],
            building=None if building is None else self._building(building),
            verified=verified,
            lags=list(self._lags[live.projection]),
        )

    def _building(self, one: Reported) -> Building:
        left = max(self._seen.head - one.passed, 0)
        return Building(
            generation=one.generation,
            share=min(one.passed / self._seen.head, 1.0) if self._seen.head else 1.0,
            events_per_second=one.rate,
            seconds_left=left / one.rate if one.rate > 1 else None,
        )

    def _lag_seconds(self, one: Reported, now: datetime) -> float:
        """Return how long the first event not yet passed has been in the log, as far as it was seen to come."""
        oldest_at, oldest = self._heads[0]
        if oldest > one.passed and one.stamp:
            return max((now - utc(stamp_millis(one.stamp))).total_seconds(), 0.0)
        came = next((at for at, head in self._heads if head > one.passed), oldest_at)
        return max(asyncio.get_running_loop().time() - came, 0.0)

    def _measure(self, seen: Snapshot) -> None:
        self._metrics.head.labels(str(self._cell)).set(seen.head)
        for lane in seen.lanes:
            self._metrics.lag_events.labels(lane.name).set(lane.lag_events)
            self._metrics.lag_seconds.labels(lane.name).set(lane.lag_seconds)
            self._metrics.quarantined.labels(lane.name).set(lane.quarantined)


async def ask(check: Check) -> str:
    """Ask one engine whether it answers; an empty answer is a good one."""
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            await check()
    except EngineAwayError as error:
        return str(error)
    except TimeoutError:
        return f"No answer within {PING_SECONDS_MAX:.0f} s."
    return ""

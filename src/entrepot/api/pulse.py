"""The pulse of the house: what the log, the projections, the engines and this process are doing, looked at twice a second.

One task per process looks; any number of readers (the console's pages, the stream of events, the metrics) share what it saw.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from msgspec import Struct

from entrepot.api import pulse_store as store
from entrepot.api.metrics import Metrics
from entrepot.api.pulse_store import Arrival
from entrepot.api.today import Today
from entrepot.base.breaker import Breaker
from entrepot.base.ending import ended
from entrepot.base.engine_limits import PING_SECONDS_MAX
from entrepot.base.errors import EngineAwayError, EntrepotError, NotThereYetError
from entrepot.base.event import START, Position
from entrepot.base.limits import PULSE_SECONDS, STREAM_SUBSCRIBERS_MAX
from entrepot.base.time import Clock, utc
from entrepot.engines.series.port import SeriesStore
from entrepot.log.status import GenerationStatus, LogStatus, ProjectionStatus, Verified, status
from entrepot.record.transaction import Connection, Record

log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]

SAMPLES = 120
RATE_SECONDS = 5.0
HEALTH_EVERY = 10
ARRIVALS = 20
# A projection this far behind is at work; further, and people may notice.
LAG_SECONDS_WELL = 2.0


class Building(Struct, frozen=True, kw_only=True):
    """A generation that is being built beside the live one; ``share`` of the log is in it."""

    generation: int
    share: float
    events_per_second: float
    seconds_left: float | None


class Lane(Struct, frozen=True, kw_only=True):
    """One projection as the engine room shows it: ``passed`` of the log's events are behind it.

    ``state``: following, behind, failing (it does not go on), waiting (nobody has begun).
    """

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
    verified: Verified | None
    lags: list[float]


class DayTotal(Struct, frozen=True, kw_only=True):
    """What was sold today in one currency, in minor units."""

    currency: str
    orders: int
    net_minor: int


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything at one moment. ``head`` counts the log's events; ``engines`` by role: what is wrong, or nothing."""

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

    ``checks`` ask an engine whether it answers, by role; raising says no; ``breakers`` know it of
    some at any time. ``roles`` name the engine of each projection.
    """

    def __init__(
        self,
        record: Record,
        cell: int,
        *,
        checks: Mapping[str, Check],
        breakers: Mapping[str, Breaker],
        roles: Mapping[str, str],
        today: Today,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.series: SeriesStore | None = None  # where what was seen is kept, if the settings name an engine for it
        self._record, self._cell, self.checks, self._breakers = record, cell, checks, breakers
        self._roles, self._today, self._metrics, self._clock = roles, today, metrics, clock
        self._seen = _Seen()
        self._lags: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=SAMPLES))
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._states: dict[str, tuple[str, datetime]] = {}
        self._engines: dict[str, str] = dict.fromkeys(checks, "")
        self._beat = asyncio.Event()
        self._readers = 0
        self._ended = False
        self._looks = 0
        self.latest: Snapshot | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Pulse"]:
        """Look until the block ends."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield self
        finally:
            await ended(task)

    async def now(self) -> Snapshot:
        """Return what was seen last, or look for the first time."""
        return self.latest or await self.look()

    async def freshest(self) -> Snapshot:
        """Look once more; when the record does not answer, return what was seen last, which then says so."""
        try:
            async with asyncio.timeout(PING_SECONDS_MAX):
                return await self.look()
        except (EngineAwayError, TimeoutError) as error:
            self._away(str(error) or f"No answer within {PING_SECONDS_MAX:g} s.")
            if self.latest is None:
                raise
            return self.latest

    async def beats(self) -> AsyncIterator[Snapshot]:
        """Give the present look and every one after it; a slow reader misses some, never waits for others."""
        if self._readers >= STREAM_SUBSCRIBERS_MAX:
            raise EngineAwayError("stream", f"{self._readers} are listening already")
        self._readers += 1
        try:
            yield await self.now()
            while not self._ended:
                await self._beat.wait()
                if self.latest is not None and not self._ended:
                    yield self.latest
        finally:
            self._readers -= 1

    def end(self) -> None:
        """End every reader's stream: the process is about to stop."""
        self._ended = True
        self._beat.set()

    async def look(self) -> Snapshot:
        """Look once."""
        self._looks += 1
        if self._looks % HEALTH_EVERY == 1:
            answers = await asyncio.gather(*map(ask, self.checks.values()))
            self._engines = dict(zip(self.checks, answers, strict=True))
        sums = self._today.sums()
        told = await status(self._record, list(self._roles), [self._cell], self._clock)
        async with self._record.committing() as connection:
            arrivals = await self._tail(connection, told)
        seen = self._seen
        now = utc(self._clock.millis())
        fast = self._metrics.latencies()
        self.latest = Snapshot(
            at=now,
            head=seen.head,
            events_per_second=seen.events_per_second,
            orders_per_second=seen.orders_per_second,
            lanes=[lane for one in told.projections if (lane := self._lane(one, now))],
            engines=self._engines | {role: one.sentence for role, one in self._breakers.items() if one.why},
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

    async def _tail(self, connection: Connection, told: LogStatus) -> list[Arrival]:
        """Count what was appended since the last look, and return the orders among it."""
        seen, now, requests = self._seen, asyncio.get_running_loop().time(), self._metrics.requests
        head = told.heads[0]
        if head.position is None:
            return []
        seen.head = head.position.seq - head.first_seq + 1
        arrivals: list[Arrival] = []
        if seen.position == START:
            seen.position = head.position
        else:
            tail = await store.tail(connection, self._cell, seen.position)
            elapsed = max(now - seen.looked_at, PULSE_SECONDS / 10)
            weight = min(elapsed / RATE_SECONDS, 1.0)
            seen.events_per_second += (tail.events / elapsed - seen.events_per_second) * weight
            seen.orders_per_second += (tail.orders / elapsed - seen.orders_per_second) * weight
            seen.requests_per_second += ((requests - seen.requests) / elapsed - seen.requests_per_second) * weight
            if tail.orders:
                arrivals = await store.newest_orders(connection, self._cell, seen.position, ARRIVALS)
            seen.position = tail.position
        seen.looked_at, seen.requests = now, requests
        self._rates.append(round(seen.events_per_second, 1))
        return arrivals

    def _lane(self, one: ProjectionStatus, now: datetime) -> Lane | None:
        live, name = one.live, one.projection
        if live is None:
            return None
        self._lags[name].append(round(live.lag_seconds, 1))
        state = "following"
        if live.error:
            state = "failing"
        elif live.lag_events and live.updated_at is None:
            state = "waiting"
        elif live.lag_seconds > LAG_SECONDS_WELL:
            state = "behind"
        if self._states.get(name, ("", now))[0] != state:
            self._states[name] = (state, now)
        return Lane(
            name=name,
            role=self._roles[name],
            generation=live.generation,
            state=state,
            passed=live.done,
            lag_events=live.lag_events,
            lag_seconds=live.lag_seconds,
            events_per_second=live.events_per_second,
            items=live.items,
            quarantined=live.quarantined_events,
            error=live.error,
            since=self._states[name][1],
            building=_building(one.building),
            verified=one.verified,
            lags=list(self._lags[name]),
        )

    def _measure(self, seen: Snapshot) -> None:
        self._metrics.head.labels(str(self._cell)).set(seen.head)
        for lane in seen.lanes:
            self._metrics.lag_events.labels(lane.name).set(lane.lag_events)
            self._metrics.lag_seconds.labels(lane.name).set(lane.lag_seconds)
            self._metrics.quarantined.labels(lane.name).set(lane.quarantined)


def _building(one: GenerationStatus | None) -> Building | None:
    if one is None:
        return None
    return Building(
        generation=one.generation,
        share=one.done / one.total if one.total else 1.0,
        events_per_second=one.events_per_second,
        seconds_left=one.eta_seconds,
    )


async def ask(check: Check) -> str:
    """Ask one engine whether it answers; an empty answer is a good one."""
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            await check()
    except (EngineAwayError, NotThereYetError) as error:
        return str(error)
    except TimeoutError:
        return f"No answer within {PING_SECONDS_MAX:.0f} s."
    return ""

"""Sums of sales that are shown beside other things: asked of the engine now and then, and mostly not waited for."""

import asyncio

from entrepot.base.errors import EngineAwayError, NotFoundError, NotThereYetError
from entrepot.base.limits import ASIDE_SECONDS_MAX, BEST_SOLD_SECONDS, TODAY_SECONDS
from entrepot.base.time import Clock, utc
from entrepot.engines.columns.port import ColumnStore
from entrepot.log.live import LiveTargets
from entrepot.projections.sales_facts.query import ProductSales, Sales, Within, by_product, totals


class Today:
    """The sums of the UTC day, one for each currency, as they were a few seconds ago."""

    def __init__(self, columns: ColumnStore, live: LiveTargets, clock: Clock) -> None:
        self._columns, self._live, self._clock = columns, live, clock
        self._sums: list[Sales] = []
        self._due = 0.0
        self._asking: asyncio.Task[None] | None = None

    def sums(self) -> list[Sales]:
        """Return the last sums known; newer ones are asked for meanwhile."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._due and (self._asking is None or self._asking.done()):
            self._due = loop.time() + TODAY_SECONDS
            self._asking = loop.create_task(self._ask())
        return self._sums

    async def _ask(self) -> None:
        within = Within.day(utc(self._clock.millis()))
        try:
            self._sums = await totals(self._columns, self._live.target("sales_facts"), within)
        except (EngineAwayError, NotFoundError, NotThereYetError):
            return  # the last sums stand; what is wrong is shown where the engine is


class BestSold:
    """The products that sold best in each market, as they were a while ago; only who asks first waits."""

    def __init__(self, columns: ColumnStore, live: LiveTargets, limit: int) -> None:
        self._columns, self._live, self._limit = columns, live, limit
        self._known: dict[str, list[ProductSales]] = {}
        self._due: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def of(self, market: str) -> list[ProductSales]:
        """Return what sold best in a market; nothing when the engine that knows does not answer."""
        now = asyncio.get_running_loop().time()
        if now >= self._due.get(market, 0.0):
            self._due[market] = now + BEST_SOLD_SECONDS
            task = asyncio.create_task(self._ask(market))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            if market not in self._known:
                await asyncio.wait({task}, timeout=ASIDE_SECONDS_MAX)
        return self._known.get(market, [])

    async def _ask(self, market: str) -> None:
        try:
            target = self._live.target("sales_facts")
            self._known[market] = await by_product(self._columns, target, Within(market=market), self._limit)
        except (EngineAwayError, NotFoundError, NotThereYetError):
            return  # the last ones stand; what is wrong is shown where the engine is

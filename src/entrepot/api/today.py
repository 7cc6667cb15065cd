"""Today's sales, for what shows them beside other things; asked at most every few seconds, and never waited for."""

import asyncio

from entrepot.base.errors import EngineAwayError, NotFoundError
from entrepot.base.limits import TODAY_SECONDS
from entrepot.base.time import Clock, utc
from entrepot.engines.columns.port import ColumnStore
from entrepot.log.live import LiveTargets
from entrepot.projections.sales_facts.query import Sales, Within, totals


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
        except (EngineAwayError, NotFoundError):
            return  # the last sums stand; what is wrong is shown where the engine is

"""Today's sales, for what shows them beside other things; asked at most every few seconds."""

import asyncio

from entrepot.base.errors import EngineAwayError, NotFoundError
from entrepot.base.limits import TODAY_SECONDS
from entrepot.base.time import Clock, utc
from entrepot.engines.columns.port import ColumnStore
from entrepot.log.live import LiveTargets
from entrepot.projections.sales_facts.query import Sales, Within, totals


class Today:
    """The sums of the UTC day, one for each currency, as they were a few seconds ago at most."""

    def __init__(self, columns: ColumnStore, live: LiveTargets, clock: Clock) -> None:
        self._columns, self._live, self._clock = columns, live, clock
        self._sums: list[Sales] = []
        self._until = 0.0

    async def sums(self) -> list[Sales]:
        """Return today's sums; the last known ones when the engine does not answer."""
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            self._until = now + TODAY_SECONDS
            try:
                within = Within.day(utc(self._clock.millis()))
                self._sums = await totals(self._columns, self._live.target("sales_facts"), within)
            except (EngineAwayError, NotFoundError):
                return self._sums
        return self._sums

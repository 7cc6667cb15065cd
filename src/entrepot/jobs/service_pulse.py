"""The pulse's part that comes from the log, and its minutes: for an installation that names a series engine.

A sale is acknowledged by the spool before the reaction's cursor moves past it; to see it again makes the same point.
"""

from collections.abc import Sequence

from entrepot.base.event import Event
from entrepot.base.time import Clock
from entrepot.engines.series.port import MINUTE_NS, RAW_HOURS, SeriesStore
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool
from entrepot.jobs.reaction import Reaction
from entrepot.jobs.runner import Job
from entrepot.projections.service_pulse.points import SALES_KINDS, sales
from entrepot.projections.service_pulse.query import sum_up
from entrepot.record.transaction import Transaction

NAME = "service_pulse"
SEND_SECONDS = 10.0
# Minutes are summed up again for so long: a worker's points may come late, out of its spool.
LATE_MINUTES = 60


class ServicePulse:
    """Keeps sales as points, sends what waits, and sums up minutes."""

    def __init__(self, store: SeriesStore, spool: Spool, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._collector = Collector(store, spool)
        self._summed_ns = 0

    def job(self) -> Job:
        """Return what is to be done every few seconds."""
        return Job(name=NAME, seconds=SEND_SECONDS, act=self.act)

    def reaction(self) -> Reaction:
        """Return what is to be done when orders were placed."""
        return Reaction(name=NAME, kinds=SALES_KINDS, react=self.react)

    async def close(self) -> None:
        """Give every connection back; what waits is sent by whoever comes next."""
        await self._store.close()

    async def act(self) -> int:
        """Send what waits; once a minute sum up the minutes since the last time, and those that may have come late."""
        sent = await self._collector.send()
        now_ns = self._clock.millis() * 1_000_000 // MINUTE_NS * MINUTE_NS
        if now_ns > self._summed_ns:
            oldest = now_ns - RAW_HOURS * 60 * MINUTE_NS
            await sum_up(self._store, max(self._summed_ns - LATE_MINUTES * MINUTE_NS, oldest), now_ns)
            self._summed_ns = now_ns
        return sent

    async def react(self, _tx: Transaction, events: Sequence[Event]) -> None:
        """Keep the sales among these events."""
        if found := sales(events):
            await self._collector.keep(found)

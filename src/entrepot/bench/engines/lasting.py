"""The work of a series, which keeps what it was given until that is too old: points, by the collector and its spool.

What is made has a name of its own (``bench``), and the same run again writes the same points over.
"""

import tempfile
import time
from pathlib import Path

from entrepot.base.ids import IdSource
from entrepot.bench import BenchError
from entrepot.engines.series.port import MINUTE_NS, POINTS_AT_ONCE, Asked, Point, SeriesStore
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool

NAME = "bench"
POINTS = 100_000
SERVERS = 20
STEP_NS = 10_000_000


class Points:
    """``Work`` of a series: the points of twenty servers over the last minutes, several batches under way."""

    unit = "points"

    def __init__(self, series: SeriesStore, now_ns: int, share: float) -> None:
        self._series, self.amount = series, int(POINTS * share)
        self._until = now_ns // MINUTE_NS * MINUTE_NS
        self._since = self._until - self.amount // SERVERS * STEP_NS
        self._seen = [{"requests": float(number % 997), "seconds": number % 31 / 1000} for number in range(self.amount)]

    async def fill(self, generation: int, read: int | None = None) -> None:  # noqa: ARG002  # nobody rebuilds a series beside another
        """Have the collector keep every point and send what it has kept; another generation has other tags."""
        tags = [{"server": f"s{number}", "run": str(generation)} for number in range(SERVERS)]
        points = [
            Point(NAME, tags[number % SERVERS], fields, self._since + number // SERVERS * STEP_NS)
            for number, fields in enumerate(self._seen)
        ]
        with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
            collector = Collector(self._series, Spool(Path(folder), IdSource()))
            for start in range(0, self.amount, POINTS_AT_ONCE):
                await collector.keep(points[start : start + POINTS_AT_ONCE])
            await collector.send()

    def answers_from(self, generation: int) -> None:
        """Ask all of them, whatever the generation."""

    async def ask(self, number: int) -> float:
        """Ask for a number of all servers, by the minute."""
        began = time.perf_counter()
        field = ("requests", "seconds")[number % 2]
        asked = Asked(name=NAME, field=field, since_ns=self._since, until_ns=self._until, by=("server",))
        if not await self._series.spans(asked):
            raise BenchError(f"The points of {NAME} are not there.")
        return (time.perf_counter() - began) * 1000

    async def drop(self, generation: int) -> None:
        """Leave them: no series engine deletes but by age."""

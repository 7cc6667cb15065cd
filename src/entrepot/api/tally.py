"""What all workers of one server have counted: each leaves its counts in a file, and whoever is scraped adds the others' up.

A worker that ended leaves its file behind: what it has counted stays counted until the server ends.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from entrepot.api.metrics import Metrics
from entrepot.base.ending import ended
from entrepot.base.limits import TALLY_SECONDS

log = structlog.get_logger()

# What else a worker counts of itself; other gauges say how the house is, and every worker sees the same.
_SUMMED_GAUGES = frozenset({"entrepot_gather_calls", "entrepot_gather_orders"})
_SUMMED_TYPES = frozenset({"counter", "histogram"})


class Sample(Struct, frozen=True, array_like=True):
    """One number that a worker has counted."""

    name: str
    labels: dict[str, str]
    value: float


class Counted(Struct, frozen=True, array_like=True):
    """One metric as a worker has counted it."""

    name: str
    documentation: str
    type: str
    samples: list[Sample]

    @property
    def summed(self) -> bool:
        """Whether the workers' numbers add up."""
        return self.type in _SUMMED_TYPES or self.name in _SUMMED_GAUGES


class Tally:
    """The counts of a server's workers, a file each in one folder; ``gathered`` is what the hot path of this one was asked."""

    def __init__(self, metrics: Metrics, gathered: Mapping[int, int], folder: Path, worker: str) -> None:
        self._metrics, self._gathered = metrics, gathered
        self._folder, self._file = folder, folder / f"{worker}.json"

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Leave this worker's counts for the others, every few seconds and at the end of the block."""
        task = asyncio.get_running_loop().create_task(self._keep())
        try:
            yield
        finally:
            await ended(task)
            await self._write()

    async def _keep(self) -> None:
        while True:
            await self._write()
            await asyncio.sleep(TALLY_SECONDS)

    async def text(self) -> bytes:
        """Return what all workers have counted, this one up to now, the others up to a few seconds ago."""
        counted = self._counted()
        return await asyncio.to_thread(lambda: _text(counted, self._others()))

    def _counted(self) -> list[Counted]:
        return counted_in(self._metrics.counted(self._gathered))

    async def _write(self) -> None:
        encoded = msgspec.json.encode(self._counted())

        def replace() -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(".part")
            part.write_bytes(encoded)
            part.replace(self._file)

        try:
            await asyncio.to_thread(replace)
        except OSError as error:  # a full disk, say: the other workers then show what was counted before
            log.warning("tally.not_kept", why=str(error))

    def _others(self) -> list[list[Counted]]:
        files = (file for file in sorted(self._folder.glob("*.json")) if file != self._file)
        return [msgspec.json.decode(file.read_bytes(), type=list[Counted]) for file in files]


def counted_in(registry: CollectorRegistry) -> list[Counted]:
    """Return what a registry holds, but not when its metrics were made: such times do not add up."""
    return [
        Counted(
            found.name,
            found.documentation,
            found.type,
            [Sample(one.name, dict(one.labels), one.value) for one in found.samples if not one.name.endswith("_created")],
        )
        for found in registry.collect()
    ]


def added(own: Sequence[Counted], others: Iterable[Sequence[Counted]]) -> list[Counted]:
    """Return one worker's counts with those of the others added where they add up."""
    sums = {metric.name: {_key(one): one for one in metric.samples} for metric in own}
    for metric in (metric for other in others for metric in other if metric.summed and metric.name in sums):
        known = sums[metric.name]
        for one in metric.samples:
            before = known.get(_key(one))
            known[_key(one)] = Sample(one.name, one.labels, one.value + (before.value if before else 0.0))
    return [Counted(metric.name, metric.documentation, metric.type, list(sums[metric.name].values())) for metric in own]


def _key(sample: Sample) -> tuple[str, tuple[tuple[str, str], ...]]:
    return sample.name, tuple(sorted(sample.labels.items()))


class _Given(Collector):
    """Gives the text format counts that are there already."""

    def __init__(self, counted: Sequence[Counted]) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        for each in self._counted:
            metric = Metric(each.name, each.documentation, each.type)
            for one in each.samples:
                metric.add_sample(one.name, one.labels, one.value)
            yield metric


def _text(own: Sequence[Counted], others: Iterable[Sequence[Counted]]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Given(added(own, others)))
    return generate_latest(registry)

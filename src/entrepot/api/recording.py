"""Keeps what the pulse sees as points of a series engine, every few seconds; it never holds up a request or the pulse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from entrepot.api.pulse import Pulse, Snapshot
from entrepot.base.errors import EntrepotError
from entrepot.engines.series.port import Point
from entrepot.engines.series.spool import Collector
from entrepot.projections.service_pulse.points import engines, lags, traffic

log = structlog.get_logger()

RECORD_SECONDS = 10.0


@asynccontextmanager
async def recording(pulse: Pulse, collector: Collector, worker: str) -> AsyncIterator[None]:
    """Keep and send until the block ends; what was kept and not sent is sent by whoever comes next."""
    tasks = [asyncio.create_task(_record(pulse, collector, worker)), asyncio.create_task(collector.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def points_of(seen: Snapshot, worker: str) -> list[Point]:
    """Return what one look saw, as points of its moment."""
    at_ns = int(seen.at.timestamp() * 1_000) * 1_000_000
    return [
        traffic(
            worker,
            at_ns,
            requests_per_second=seen.requests_per_second,
            errors=seen.errors,
            p50=seen.latency_p50,
            p99=seen.latency_p99,
        ),
        *lags(at_ns, {lane.name: (lane.lag_events, lane.lag_seconds) for lane in seen.lanes}),
        *engines(at_ns, seen.engines),
    ]


async def _record(pulse: Pulse, collector: Collector, worker: str) -> None:
    while True:
        await asyncio.sleep(RECORD_SECONDS)
        try:
            await collector.keep(points_of(await pulse.now(), worker))
        except (EntrepotError, OSError) as error:  # the record is away, the spool or the disk is full
            log.warning("series.not_kept", why=str(error))

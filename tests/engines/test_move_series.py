"""The series engine is moved from ClickHouse to a real InfluxDB and back while two processes write points: none is lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.engines.series.port import MINUTE_NS, Point
from entrepot.moving import series
from entrepot.moving.series import FollowedSeries
from entrepot.projections.service_pulse.points import traffic
from tests.flows.conftest import filled_house
from tests.house import House
from tests.moving import moved, moved_back, mover

BEFORE = 500


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, columns_url: str, engines_home: Path) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home, series=columns_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have processes look and copies wait a tenth as long: what is tried is the order of things, and a copy waits for it."""
    for name in ("SERIES_LOOK_SECONDS", "SERIES_KNOWN_SECONDS", "SERIES_IN_MOTION_SECONDS"):
        monkeypatch.setattr(series, name, getattr(series, name) / 10)


@contextlib.asynccontextmanager
async def followed(house: House) -> AsyncIterator[FollowedSeries]:
    store = FollowedSeries(house.app.record, house.app.stores.places)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def sample(worker: str, at_ns: int) -> Point:
    return traffic(worker, at_ns, requests_per_second=1.0, errors=0, p50=0.1, p99=0.2)


@contextlib.asynccontextmanager
async def writing(house: House) -> AsyncIterator[list[Point]]:
    """Write a point now and then, as each of two processes does; all that were acknowledged are in the list."""
    written, over = list[Point](), asyncio.Event()

    async def write(worker: str) -> None:
        async with followed(house) as store:
            while not over.is_set():
                point = sample(worker, time.time_ns())
                assert not await store.write([point])
                written.append(point)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 0.05)

    async with asyncio.TaskGroup() as tasks:
        for worker in ("one", "two"):
            tasks.create_task(write(worker))
        try:
            yield written
        finally:
            over.set()


async def lacking(house: House, written: list[Point]) -> int:
    """Return how many of these points are not where series are read."""
    now_ns = time.time_ns()
    async with followed(house) as store:
        there = {(one.at_ns, one.tags["worker"]) for one in await store.points("traffic", now_ns - 30 * MINUTE_NS, now_ns)}
    return len({(one.at_ns, one.tags["worker"]) for one in written} - there)


async def test_series_are_moved_there_and_back_while_points_come(house: House, influxdb_url: str, columns_url: str) -> None:
    old = [sample("old", time.time_ns() - (number + 1) * 1_000_000_000) for number in range(BEFORE)]
    async with followed(house) as store:
        await store.write(old)
    async with writing(house) as written:
        await moved(house, "series", influxdb_url)
        assert await lacking(house, [*old, *written]) == 0
        await mover(house).back("series")
        assert await lacking(house, [*old, *written]) == 0
        proved = await moved(house, "series", influxdb_url)
        await moved_back(house, "series", columns_url)
    assert await lacking(house, [*old, *written]) == 0
    assert "service_pulse" in str(proved.proof)


async def test_where_series_are_already_they_are_not_moved(house: House, columns_url: str) -> None:
    with pytest.raises(ConflictError, match="already: there is nothing to move"):
        await mover(house).begin("series", columns_url)


async def test_what_is_no_series_engine_is_told_and_nothing_is_noted(house: House) -> None:
    with pytest.raises(BadInputError, match="is no series engine: give a URL that begins with one of influxdb"):
        await mover(house).begin("series", "redis://127.0.0.1:1")

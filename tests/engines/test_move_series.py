"""Series are moved from ClickHouse to a real InfluxDB and back while points and orders come and readers read: none is lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, ConflictError, EngineAwayError
from entrepot.engines.products import driver
from entrepot.engines.series.clickhouse import ClickHouseSeries
from entrepot.engines.series.port import MINUTE_NS, Point, PointRefusal, SeriesStore, Tier
from entrepot.moving import series
from entrepot.moving.series import FollowedSeries
from entrepot.projections.service_pulse.points import traffic
from tests.engines.counting import until_sold
from tests.flows.conftest import filled_house
from tests.house import House
from tests.moving import moved, moved_back, mover, under_load

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
async def writing(house: House, old: list[Point]) -> AsyncIterator[list[Point]]:
    """Write a point now and then, as each of two processes does, and read beside it, where what is ``old`` must never lack.

    All points that were acknowledged are in the list.
    """
    written, over, moments = list[Point](), asyncio.Event(), {one.at_ns for one in old}

    async def write(store: FollowedSeries, worker: str) -> None:
        while not over.is_set():
            point = sample(worker, time.time_ns())
            assert not await store.write([point])
            written.append(point)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.05)

    async def read(store: FollowedSeries) -> None:
        while not over.is_set():
            found = await store.points("traffic", min(moments), max(moments) + 1)
            assert moments <= {one.at_ns for one in found}, "a reader found less than was there before"

    async with followed(house) as one, followed(house) as two, asyncio.TaskGroup() as tasks:
        for work in (write(one, "one"), read(one), write(two, "two"), read(two)):
            tasks.create_task(work)
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


async def kept_at(url: str, point: Point) -> bool:
    """Say whether the engine behind a URL has a point."""
    store: SeriesStore = driver("series", url)
    await store.open()
    try:
        return bool(await store.points(point.name, point.at_ns, point.at_ns + 1))
    finally:
        await store.close()


async def test_series_are_moved_there_and_back_while_points_and_orders_come(
    house: House, influxdb_url: str, columns_url: str
) -> None:
    old = [sample("old", time.time_ns() - (number + 1) * 1_000_000_000) for number in range(BEFORE)]
    async with followed(house) as store:
        await store.write(old)
    async with under_load(house) as load, writing(house, old) as written:
        await moved(house, "series", influxdb_url)
        assert await lacking(house, [*old, *written]) == 0
        await mover(house).back("series")
        assert await lacking(house, [*old, *written]) == 0
        proved = await moved(house, "series", influxdb_url)
        await moved_back(house, "series", columns_url)
    assert await lacking(house, [*old, *written]) == 0
    assert set(load.reads) == {200}
    await until_sold(house)
    assert "service_pulse" in str(proved.proof)


async def test_while_the_engine_that_is_moved_to_is_away_reads_go_on_and_nothing_is_said_to_be_kept(
    house: House, influxdb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(role: str, url: str) -> SeriesStore:
        store: SeriesStore = driver(role, "influxdb://127.0.0.1:1" if url == influxdb_url else url)
        return store

    one = sample("away", time.time_ns())
    await mover(house).begin("series", influxdb_url)
    with monkeypatch.context() as patched:
        patched.setattr(series, "driver", away)
        async with followed(house) as store:
            await store.points("traffic", one.at_ns, one.at_ns + 1)
            with pytest.raises(EngineAwayError):
                await store.write([one])
    await mover(house).end("series", finish=False)
    async with followed(house) as store:
        assert not await store.write([one])


async def test_what_was_being_written_when_a_move_began_is_in_both_engines_before_it_is_said_to_be_kept(
    house: House, influxdb_url: str, columns_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, go = asyncio.Event(), asyncio.Event()

    class Slow(ClickHouseSeries):
        async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
            arrived.set()
            await go.wait()
            return await super().write(points, tier)

    one = sample("slow", time.time_ns())
    monkeypatch.setattr(series, "SERIES_LOOK_SECONDS", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(series, "driver", lambda role, url: Slow(url) if url == columns_url else driver(role, url))
        async with followed(house) as store:
            writing = asyncio.create_task(store.write([one]))
            await arrived.wait()
            await mover(house).begin("series", influxdb_url)
            go.set()
            assert not await writing
    await mover(house).end("series", finish=False)
    assert await kept_at(influxdb_url, one)


async def test_where_series_are_already_they_are_not_moved(house: House, columns_url: str) -> None:
    with pytest.raises(ConflictError, match="already: there is nothing to move"):
        await mover(house).begin("series", columns_url)


async def test_what_is_no_series_engine_is_told_and_nothing_is_noted(house: House) -> None:
    with pytest.raises(BadInputError, match="is no series engine: give a URL that begins with one of influxdb"):
        await mover(house).begin("series", "redis://127.0.0.1:1")

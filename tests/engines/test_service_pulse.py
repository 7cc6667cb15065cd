"""The service pulse in a real InfluxDB: sales of the log, minutes summed up, nothing lost or doubled, and quickly."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

import msgspec
import pytest
from msgspec import Raw

from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Event, Position
from entrepot.base.ids import IdSource
from entrepot.base.time import FixedClock
from entrepot.commerce.ordering.events import ORDER_PLACED, OrderPlaced
from entrepot.engines.series.influxdb import InfluxdbSeries
from entrepot.engines.series.port import MINUTE_NS, Asked, Point
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool
from entrepot.jobs.service_pulse import ServicePulse
from entrepot.projections.service_pulse.query import sales_per_minute
from entrepot.record.transaction import Transaction
from tests.conformance.series_suite import name
from tests.flows.conftest import filled_house
from tests.log_case import until

IDS = IdSource()
NOW_NS = time.time_ns() // MINUTE_NS * MINUTE_NS


@pytest.fixture
async def series(influxdb_url: str) -> AsyncIterator[InfluxdbSeries]:
    store = InfluxdbSeries(influxdb_url)
    await store.open()
    yield store
    await store.close()


def placed(seq: int, market: str, minutes_ago: int) -> Event:
    """Return an order of 250 placed so long ago; all of one minute at the same microsecond."""
    at = datetime.fromtimestamp(NOW_NS / 1e9 - minutes_ago * 60, UTC)
    order = OrderPlaced(id=IDS.fresh(), placed_at=at, market=market, country="DE", currency="EUR", lines=[], total_minor=250)
    key = f"order/{order.id}"
    return Event(1, IDS.fresh(), Position(seq, seq), 0, ORDER_PLACED, key, 1, Raw(msgspec.json.encode(order)))


async def test_each_sale_counts_once_by_the_minute_however_often_it_is_seen(series: InfluxdbSeries, tmp_path: Path) -> None:
    market = name()
    pulse = ServicePulse(series, Spool(tmp_path, IDS), FixedClock(NOW_NS // 1_000_000))
    events = [placed(seq, market, minutes_ago=1 + seq % 2) for seq in range(10)]
    for part in (events, events[3:], events):
        await pulse.react(cast("Transaction", None), part)
    await pulse.act()
    found = [span for span in await sales_per_minute(series, NOW_NS - 5 * MINUTE_NS, NOW_NS) if span.tags["market"] == market]
    assert [(span.at_ns, span.count, span.added) for span in found] == [
        (NOW_NS - 2 * MINUTE_NS, 5, 1250.0),
        (NOW_NS - MINUTE_NS, 5, 1250.0),
    ]


async def test_minutes_outlive_what_they_were_summed_up_from(series: InfluxdbSeries, tmp_path: Path) -> None:
    market = name()
    pulse = ServicePulse(series, Spool(tmp_path, IDS), FixedClock(NOW_NS // 1_000_000))
    await pulse.react(cast("Transaction", None), [placed(1, market, minutes_ago=1)])
    await pulse.act()
    asked = Asked(
        name="sales",
        field="total_minor_added",
        since_ns=NOW_NS - 5 * MINUTE_NS,
        until_ns=NOW_NS,
        by=("market",),
        tier="minutes",
    )
    assert [span.added for span in await series.spans(asked) if span.tags["market"] == market] == [250.0]


async def test_what_was_acknowledged_while_the_engine_was_away_arrives(
    series: InfluxdbSeries, influxdb_url: str, tmp_path: Path
) -> None:
    of, spool = name(), Spool(tmp_path, IDS)
    away = Collector(InfluxdbSeries("influxdb://127.0.0.1:1/none"), spool)
    for number in range(3):
        await away.keep([Point(of, {}, {"value": 1.0}, NOW_NS - MINUTE_NS + number)])
        with pytest.raises(EngineAwayError):
            await away.send()
    assert await Collector(series, spool).send() == 3
    found = await series.spans(Asked(name=of, field="value", since_ns=NOW_NS - MINUTE_NS, until_ns=NOW_NS))
    assert [span.count for span in found] == [3]


async def test_the_collector_loses_none_of_many_points(series: InfluxdbSeries, tmp_path: Path) -> None:
    of, spool = name(), Spool(tmp_path, IDS, bytes_max=1 << 30)
    collector = Collector(series, spool)
    points = [
        Point(of, {"market": "DE", "route": f"r{number % 20}"}, {"value": number * 0.5, "more": 1.0}, NOW_NS - number)
        for number in range(200_000)
    ]
    for start in range(0, len(points), 5_000):
        await collector.keep(points[start : start + 5_000])
    assert await collector.send() == len(points)
    found = await series.spans(Asked(name=of, field="value", since_ns=NOW_NS - MINUTE_NS, until_ns=NOW_NS + 1))
    assert sum(span.count for span in found) == len(points)


async def test_an_order_and_how_the_house_does_are_kept_while_it_runs(
    series: InfluxdbSeries, influxdb_url: str, record_url: str, objects_url: str, engines_home: Path
) -> None:
    since_ns = time.time_ns() - MINUTE_NS
    body = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "KETTLE-ALDER-RED", "quantity": 1}]}
    async with filled_house(record_url, objects_url, engines_home, series=influxdb_url) as house:
        answer = await house.client.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201

        async def kept() -> bool:
            until_ns = time.time_ns() + MINUTE_NS
            sold = await sales_per_minute(series, since_ns, until_ns)
            asked = Asked(name="engine", field="answers", since_ns=since_ns, until_ns=until_ns, by=("role",))
            roles = {span.tags["role"] for span in await series.spans(asked) if span.most == 1.0}
            return any(span.tags == {"market": "uk", "currency": "GBP"} for span in sold) and {"search", "memory"} <= roles

        await until(kept)
        for period in ("hour", "day"):
            page = await house.client.get(f"/engine-room/pulse?period={period}")
            assert page.status_code == 200
            assert "Orders placed" in page.text
            assert "Engines that answered" in page.text

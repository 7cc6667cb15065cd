"""The engine room tells of the engines that no projection is of: a real InfluxDB, a real Kafka, and one that is away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from tests.conftest import SECRET
from tests.flows.conftest import filled_house
from tests.house import House


@pytest.fixture(scope="module")
async def house(
    record_url: str, objects_url: str, engines_home: Path, influxdb_url: str, kafka_url: str
) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home, series=influxdb_url, stream=kafka_url) as opened:
        yield opened


async def told(house: House, role: str) -> str:
    assert f'href="/engine-room/engine/{role}"' in (await house.client.get("/engine-room")).text
    answer = await house.client.get(f"/engine-room/engine/{role}")
    assert answer.status_code == 200
    assert SECRET not in answer.text
    return answer.text


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("series", ("InfluxDB <small>1.", "checked", "one server")),
        ("stream", ("Kafka <small>does not tell its version", "checked", "partitions 4")),
    ],
)
async def test_series_and_stream_have_pages_of_their_own(house: House, role: str, says: tuple[str, ...]) -> None:
    text = await told(house, role)
    assert [one for one in (*says, "An event counts once by:") if one not in text] == []


async def test_a_stream_that_is_away_is_told_of_soon(house: House) -> None:
    engines = house.app.settings.engines
    real = engines.stream
    structs.force_setattr(engines, "stream", "kafka://127.0.0.1:1")
    try:
        text = await told(house, "stream")
    finally:
        structs.force_setattr(engines, "stream", real)
    assert "does not answer" in text

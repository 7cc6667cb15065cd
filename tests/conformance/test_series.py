"""ClickHouse, which every installation has, keeps what every series engine keeps."""

from collections.abc import AsyncIterator

import pytest

from entrepot.engines.series.clickhouse import ClickHouseSeries
from tests.conformance.series_suite import SeriesSuite


@pytest.fixture(scope="module")
async def series(columns_url: str) -> AsyncIterator[ClickHouseSeries]:
    store = ClickHouseSeries(columns_url)
    await store.open()
    yield store
    await store.close()


class TestClickHouse(SeriesSuite):
    """Series in ClickHouse."""

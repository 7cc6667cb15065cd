"""A real InfluxDB keeps what every series engine keeps, and tells what is wrong with a URL."""

from collections.abc import AsyncIterator

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.time import OURS, Clock, FixedClock, SystemClock
from entrepot.engines.series.influxdb import InfluxdbSeries
from tests.conformance.series_suite import SeriesSuite


@pytest.fixture(scope="module")
async def series(influxdb_url: str) -> AsyncIterator[InfluxdbSeries]:
    store = InfluxdbSeries(influxdb_url)
    await store.open()
    yield store
    await store.close()


class TestInfluxDB(SeriesSuite):
    """Over HTTPS, with a password."""


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("only-for-tests", "wrong-password"), "refuses the user"),
        (("?ca=", "?nobody="), "has the option 'nobody'"),
        (("ca.pem", "none.pem"), "cannot be read"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said_without_its_password(
    influxdb_url: str, changed: tuple[str, str], told: str
) -> None:
    with pytest.raises(BadInputError, match=told) as error:
        await _open(influxdb_url.replace(*changed))
    assert "only-for-tests" not in str(error.value)
    assert "wrong-password" not in str(error.value)


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(influxdb_url: str) -> None:
    with pytest.raises(BadInputError, match="does not fit"):
        await _open(influxdb_url.partition("?")[0])


async def test_an_influxdb_that_is_not_there_is_told_as_away() -> None:
    with pytest.raises(EngineAwayError, match="series engine does not answer"):
        await _open("influxdb://127.0.0.1:1/none")


async def test_an_influxdb_whose_clock_is_wrong_is_refused_with_both_times(influxdb_url: str) -> None:
    with pytest.raises(BadInputError, match=r"ENTREPOT_SERIES_URL is 3,[56]\d\d s ahead of this machine's"):
        await _open(influxdb_url, FixedClock(SystemClock().millis() - 3_600_000))


async def _open(url: str, clock: Clock = OURS) -> None:
    store = InfluxdbSeries(url, clock)
    try:
        await store.open()
    finally:
        await store.close()

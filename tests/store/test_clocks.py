"""A server whose clock is far from this machine's is refused with a sentence, before anything is written there."""

from datetime import timedelta

import pytest
from botocore.compat import get_current_datetime

from entrepot.base.errors import BadInputError
from entrepot.base.limits import CLOCKS_APART_SECONDS_MAX
from entrepot.base.time import FixedClock, SystemClock
from entrepot.engines.clickhouse_connection import connect
from entrepot.engines.objects import s3
from entrepot.record.pool import check_clock, open_pool
from tests.conftest import working

APART = {"an hour ahead of": -3_600_000, "an hour behind": 3_600_000}


@pytest.mark.parametrize("told", APART)
async def test_a_record_whose_clock_is_wrong_is_refused_with_both_times(migrated_url: str, told: str) -> None:
    async with await open_pool(working(migrated_url), 1, 1) as pool:
        with pytest.raises(BadInputError, match=f"ENTREPOT_RECORD_URL is 3,[56]\\d\\d s {told.removeprefix('an hour ')} this"):
            await check_clock(pool, ours(APART[told]))


async def test_clocks_that_are_a_little_apart_go_together(migrated_url: str) -> None:
    async with await open_pool(working(migrated_url), 1, 1) as pool:
        await check_clock(pool, ours(round(CLOCKS_APART_SECONDS_MAX * 500)))


async def test_a_clickhouse_whose_clock_is_wrong_is_refused(columns_url: str) -> None:
    with pytest.raises(BadInputError, match=r"ENTREPOT_COLUMNS_URL is 3,[56]\d\d s ahead"):
        await connect(columns_url, "columns", ours(-3_600_000))


async def test_object_storage_that_takes_no_signature_of_this_machine_s_time_is_told_as_a_clock(
    objects_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: get_current_datetime() - timedelta(hours=1))
    monkeypatch.setattr(s3, "OURS", ours(-3_600_000))
    objects = s3.S3Objects(objects_url)
    with pytest.raises(BadInputError, match=r"ENTREPOT_OBJECTS_URL is 3,[56]\d\d s ahead"):
        await objects.open()
    await objects.close()


def ours(apart: int) -> FixedClock:
    return FixedClock(SystemClock().millis() + apart)

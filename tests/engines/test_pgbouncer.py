"""What is sold goes through a real PgBouncer that pools by transaction: no session state is on the hot path.

The flows of the plain record run here as they are: this module's ``house`` has a pooler before its record.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from entrepot.local.process import running
from entrepot.local.roles import TENANT
from tests.conftest import SECRET, working
from tests.engines.pgbouncer import SERVERS, PgBouncer
from tests.flows.conftest import filled_house
from tests.flows.test_aftersale_api import (
    test_an_orders_timeline_tells_all_that_happened_in_order,  # noqa: F401  # run through the pooler
    test_cancelled_lines_count_as_cancelled_and_the_rest_goes_on,  # noqa: F401  # run through the pooler
    test_sales_and_truth_agree_after_all_of_it,  # noqa: F401  # run through the pooler
    test_the_same_key_ships_once_and_another_body_is_refused,  # noqa: F401  # run through the pooler
    test_what_cannot_be_is_told_by_a_stable_type,  # noqa: F401  # run through the pooler
)
from tests.flows.test_api_carts import (
    test_a_cart_shows_what_it_holds_at_the_price_of_the_moment,  # noqa: F401  # run through the pooler
    test_a_key_opens_one_cart_and_means_one_thing,  # noqa: F401  # run through the pooler
    test_two_tabs_do_not_overwrite_each_other,  # noqa: F401  # run through the pooler
)
from tests.house import House


@pytest.fixture(scope="module")
async def pooler(record_url: str, engines_home: Path) -> AsyncIterator[str]:
    users = (record_url, working(record_url), working(record_url, TENANT))
    async with running(PgBouncer(*users), engines_home / "pgbouncer", SECRET) as urls:
        yield urlsplit(urls["record"]).netloc.rpartition("@")[2]


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path, pooler: str) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home, pooler=pooler) as opened:
        yield opened


async def test_many_orders_at_once_share_few_connections(house: House) -> None:
    line = {"sku": "KETTLE-ALDER-RED", "quantity": 1}
    body = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [line]}
    asked = [house.client.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())}) for _ in range(40)]
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [201] * 40
    async with house.app.record.reading() as connection:
        servers = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pooled'"
        )
    assert 1 <= servers <= SERVERS

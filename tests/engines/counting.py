"""Every order of a house counts once, in the series and in the stream: what tests of both wait for."""

import asyncio
import contextlib
import time

from entrepot.base.event import Event
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.engines.series.port import MINUTE_NS
from entrepot.moving.series import FollowedSeries
from entrepot.projections.service_pulse.query import sales_per_minute
from tests.engines.relaying import events
from tests.house import House
from tests.log_case import until

SECONDS_MAX = 240.0


async def orders_placed(house: House) -> int:
    """Return how many orders the log has."""
    async with house.app.record.reading() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM log.event WHERE kind = $1", ORDER_PLACED))


async def until_sold(house: House) -> None:
    """Wait until every order counts in the series, and none twice."""
    orders = await orders_placed(house)
    store = FollowedSeries(house.app.record, house.app.stores.places)

    async def counted() -> bool:
        until_ns = time.time_ns() + MINUTE_NS
        sold = await sales_per_minute(store, until_ns - 60 * MINUTE_NS, until_ns)
        found = sum(one.count for one in sold)
        assert found <= orders
        return found == orders

    try:
        await until(counted, SECONDS_MAX)
    finally:
        await store.close()


async def until_relayed(house: House, url: str) -> None:
    """Wait until every order is in its topic, and none twice."""
    orders = await orders_placed(house)
    found: list[Event] = []

    async def there() -> bool:
        with contextlib.suppress(KeyError):  # the topic is not made yet
            found[:] = [one for one in await asyncio.to_thread(events, url, "ordering") if one.kind == ORDER_PLACED]
        return len(found) >= orders

    await until(there, SECONDS_MAX)
    assert len(found) == len({one.id for one in found}) == orders

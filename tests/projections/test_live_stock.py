"""Live stock: the newest level of each article in each warehouse."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from entrepot.base.event import Event
from entrepot.base.projection import Target
from entrepot.commerce.stock.events import STOCK_CHANGED, StockChanged
from entrepot.engines.memory.redis import RedisMemory
from entrepot.projections.live_stock.project import LiveStock
from entrepot.projections.live_stock.query import available
from tests.projections.telling import event, tell

HAMMER, NAIL, UNKNOWN = (UUID(int=number) for number in range(1, 4))
STOCK = LiveStock()


def level(variant: UUID, warehouse: str, version: int, pieces: int) -> Event:
    body = StockChanged(variant_id=variant, warehouse=warehouse, available=pieces, delta=-1, reason="sold")
    return event(STOCK_CHANGED, f"stock/{variant}/{warehouse}", version, body)


@pytest.fixture
async def store(memory_url: str) -> AsyncIterator[RedisMemory]:
    store = RedisMemory(memory_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def target(store: RedisMemory) -> AsyncIterator[Target]:
    target = Target(STOCK.name, 1, STOCK.shape)
    await store.create(target)
    yield target
    await store.drop(target)


async def test_each_warehouse_shows_its_newest_level(store: RedisMemory, target: Target) -> None:
    levels = [
        level(HAMMER, "Leipzig", 2, 5),
        level(HAMMER, "Leipzig", 1, 9),
        level(HAMMER, "Łódź", 1, 0),
        level(NAIL, "X/1", 1, 7),
    ]
    await tell(store, target, STOCK, *levels)
    assert await available(store, target, [HAMMER, NAIL, UNKNOWN]) == {
        HAMMER: {"Leipzig": 5, "Łódź": 0},
        NAIL: {"X/1": 7},
        UNKNOWN: {},
    }


async def test_nothing_asked_is_nothing_answered(store: RedisMemory, target: Target) -> None:
    assert await available(store, target, []) == {}

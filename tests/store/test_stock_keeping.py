"""Keeping stock: counting shelves, carrying pieces, telling of what is low, and keeping what was promised."""

from uuid import UUID

import pytest

from entrepot.base.errors import BadInputError, StockExhaustedError, StockReservedError
from entrepot.commerce.aftersale import planning
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock import store as levels
from entrepot.commerce.stock.events import STOCK_CHANGED
from entrepot.commerce.stock.rules import Change, Count, Place
from entrepot.jobs.reaction import Reaction
from entrepot.record.transaction import Record
from tests.following import until_reacted
from tests.trade import CELL, left, open_shop, order

WATCH = Reaction(name="low", kinds=frozenset({STOCK_CHANGED}), react=stock.watch_stock, from_start=True)


async def change(record: Record, variant: UUID, pieces: int, warehouse: str = "main") -> None:
    async with record.transaction(CELL) as tx:
        await stock.adjust_stock(tx, [Change(variant_id=variant, warehouse=warehouse, delta=pieces)])


async def count(record: Record, variant: UUID, pieces: int) -> None:
    async with record.transaction(CELL) as tx:
        await planning.take_stock(tx, "main", [Count(variant_id=variant, sku="tea", counted=pieces)], "the yearly count")


async def receive(record: Record, variant: UUID, pieces: int) -> None:
    async with record.transaction(CELL) as tx:
        await planning.receive_stock(tx, [Change(variant_id=variant, warehouse="main", delta=pieces)])


async def promise(record: Record, variant: UUID, pieces: int) -> None:
    """Allow so many pieces to be sold before they are there."""
    async with record.transaction(CELL) as tx:
        await stock.save_warehouse(tx, "promised", 900, Place(kind="backorder"))
        await planning.receive_stock(tx, [Change(variant_id=variant, warehouse="promised", delta=pieces)])


async def ordered(record: Record, key: str, pieces: int) -> UUID:
    placed = await Gatherer(record, CELL).place(key, order({"tea": pieces}))
    async with record.transaction(CELL) as tx:
        await planning.plan_shipments(tx, [placed.order_id])
    return placed.order_id


async def told(record: Record) -> list[str]:
    """Let the reaction see all that happened, and return what it told, in its order."""
    await until_reacted(record, WATCH)
    async with record.reading() as connection:
        rows = await connection.fetch("SELECT kind FROM log.event WHERE key LIKE 'stock_watch/%' ORDER BY version")
    return [row["kind"] for row in rows]


async def planned(record: Record, order_id: UUID) -> list[tuple[str, int]]:
    async with record.reading() as connection:
        found = await shipments.of_order(connection, CELL, order_id)
    return [(one.warehouse, sum(line.quantity for line in one.lines)) for one in found]


async def test_low_stock_is_told_once_per_crossing(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    async with record.transaction(CELL) as tx:
        await stock.set_threshold(tx, None, 3)
    for pieces in (-7, -1, -1):
        await change(record, tea, pieces)
    assert await told(record) == ["stock.low.v1"]
    await change(record, tea, -1)
    assert await told(record) == ["stock.low.v1"]
    await change(record, tea, 20)
    assert await told(record) == ["stock.low.v1", "stock.recovered.v1"]


async def test_an_articles_own_threshold_goes_before_that_of_all(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    async with record.transaction(CELL) as tx:
        await stock.set_threshold(tx, None, 50)
        await stock.set_threshold(tx, tea, 2)
    assert await told(record) == []
    async with record.reading() as connection:
        assert await levels.low(connection, CELL, 10) == []


async def test_a_count_corrects_the_level_by_what_is_missing(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    await ordered(record, "one", 4)  # sold, and still on the shelf
    await count(record, tea, 9)
    assert await left(record, "tea") == 5


async def test_a_count_that_would_take_what_is_sold_is_refused(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    await ordered(record, "one", 4)
    with pytest.raises(StockReservedError, match="3 of tea were counted, and 4 are reserved or sold"):
        await count(record, tea, 3)
    assert await left(record, "tea") == 6


async def test_pieces_are_carried_and_none_are_made_or_lost(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    async with record.transaction(CELL) as tx:
        await stock.transfer_stock(tx, [Change(variant_id=tea, warehouse="main", delta=4)], "spare")
    async with record.reading() as connection:
        found = await levels.levels(connection, CELL, [tea])
    assert {level.warehouse: level.available for level in found} == {"main": 6, "spare": 4}


async def test_more_than_there_is_and_promises_cannot_be_carried(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 10}))["tea"]
    await promise(record, tea, 5)
    async with record.transaction(CELL) as tx:
        with pytest.raises(StockExhaustedError):
            await stock.transfer_stock(tx, [Change(variant_id=tea, warehouse="main", delta=11)], "spare")
        with pytest.raises(BadInputError, match="Nothing can be carried from or to 'promised'"):
            await stock.transfer_stock(tx, [Change(variant_id=tea, warehouse="promised", delta=1)], "main")


async def test_a_receipt_serves_those_who_wait_first_the_oldest_order_first(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 0}))["tea"]
    await promise(record, tea, 10)
    first, second = await ordered(record, "one", 3), await ordered(record, "two", 4)
    assert (await planned(record, first), await left(record, "tea")) == ([], 3)
    await receive(record, tea, 5)
    assert (await planned(record, first), await planned(record, second)) == ([("main", 3)], [("main", 2)])
    assert await left(record, "tea") == 8  # all of it promises: what came is spoken for
    await receive(record, tea, 5)
    assert await planned(record, second) == [("main", 2), ("main", 2)]
    async with record.reading() as connection:
        found = await levels.levels(connection, CELL, [tea])
    assert {level.warehouse: level.available for level in found} == {"main": 3, "promised": 10}


async def test_an_order_that_waits_can_be_sold_only_up_to_the_promise(record: Record) -> None:
    tea = (await open_shop(record, {"tea": 0}))["tea"]
    await promise(record, tea, 2)
    await ordered(record, "one", 2)
    with pytest.raises(StockExhaustedError):
        await ordered(record, "two", 1)

"""Cancelling orders and taking goods back: stock and money return in the same transaction, never more than went out."""

import pytest

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.commerce.checkout.commands import cancel_order, return_goods
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.requests import Placed, Returned, ReturnLineRequest, ReturnRequest
from entrepot.record.transaction import Record
from tests.trade import CELL, ledger, left, open_shop, order


async def bought(record: Record, pieces: int) -> Placed:
    await open_shop(record, {"tea": 10}, price_minor=333)
    return await Gatherer(record, CELL).place("order", order({"tea": pieces}, postage_minor=199))


async def send_back(record: Record, key: str, placed: Placed | None, pieces: int, amount_minor: int | None = None) -> Returned:
    request = ReturnRequest(
        market="uk",
        country="GB",
        currency="GBP",
        reason="broken",
        order_id=placed.order_id if placed else None,
        lines=[ReturnLineRequest(sku="tea", quantity=pieces, amount_minor=amount_minor)],
    )
    async with record.transaction(CELL) as tx:
        return await return_goods(tx, key, request)


async def cancel(record: Record, key: str, placed: Placed) -> None:
    async with record.transaction(CELL) as tx:
        await cancel_order(tx, key, placed.order_id, "changed my mind")


async def test_a_cancelled_order_gives_back_stock_and_money(record: Record) -> None:
    placed = await bought(record, 4)
    await cancel(record, "c", placed)
    assert await left(record, "tea") == 10
    assert await ledger(record) == {"receivable": 0, "sales": 0, "postage": 0}


async def test_a_cancellation_with_the_same_key_happens_once(record: Record) -> None:
    placed = await bought(record, 4)
    await cancel(record, "c", placed)
    await cancel(record, "c", placed)
    assert await left(record, "tea") == 10


async def test_a_cancelled_order_cannot_be_cancelled_again(record: Record) -> None:
    placed = await bought(record, 4)
    await cancel(record, "c1", placed)
    with pytest.raises(ConflictError, match="cancelled already"):
        await cancel(record, "c2", placed)


async def test_an_unknown_order_cannot_be_cancelled(record: Record) -> None:
    async with record.transaction(CELL) as tx:
        with pytest.raises(NotFoundError):
            await cancel_order(tx, "c", IdSource().fresh(), "why not")


async def test_pieces_returned_one_by_one_are_owed_exactly_what_the_line_cost(record: Record) -> None:
    placed = await bought(record, 3)
    owed = [(await send_back(record, f"r{n}", placed, 1)).total_minor for n in range(3)]
    assert sum(owed) == 999
    assert await left(record, "tea") == 10
    assert (await ledger(record))["sales_returns"] == 999


async def test_more_than_was_bought_cannot_come_back(record: Record) -> None:
    placed = await bought(record, 3)
    await send_back(record, "r1", placed, 2)
    with pytest.raises(ConflictError, match="1 of it are out"):
        await send_back(record, "r2", placed, 2)
    assert await left(record, "tea") == 9


async def test_an_order_of_which_something_came_back_cannot_be_cancelled(record: Record) -> None:
    placed = await bought(record, 3)
    await send_back(record, "r1", placed, 1)
    with pytest.raises(ConflictError, match="came back already"):
        await cancel(record, "c", placed)


async def test_a_return_without_its_order_is_taken_at_the_price_it_names(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    returned = await send_back(record, "r1", None, 2, amount_minor=700)
    assert returned.total_minor == 700
    assert await left(record, "tea") == 12


async def test_a_return_with_the_same_key_gets_the_first_answer(record: Record) -> None:
    placed = await bought(record, 3)
    first = await send_back(record, "r1", placed, 1)
    second = await send_back(record, "r1", placed, 1)
    assert second.repeated
    assert second.return_id == first.return_id
    assert await left(record, "tea") == 8

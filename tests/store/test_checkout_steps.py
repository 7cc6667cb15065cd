"""Reserving, placing and releasing checkouts against a real PostgreSQL, without a gateway: the three steps of the saga."""

import asyncio

import pytest

from entrepot.base.errors import CouponUsedUpError, KeyReusedError, StockExhaustedError
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import Reserved
from entrepot.commerce.checkout.saga_rules import CHECKOUT, AllowanceUsedUpError
from entrepot.commerce.stock.commands import receive_stock
from entrepot.commerce.stock.rules import Change
from entrepot.record.transaction import Record
from tests.till import asking, check_whole, place, release, reserve, reserve_one, shelf, used
from tests.trade import CELL, ledger, open_shop


async def test_what_is_reserved_is_not_available_and_not_sold(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10, "cup": 5})
    await reserve_one(record, asking("k1", variants, {"tea": 3, "cup": 1}))
    assert await shelf(record, "tea") == (7, 3, 0)
    assert await ledger(record) == {}
    await check_whole(record)


async def test_a_placed_checkout_is_an_order_with_its_money(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10, "cup": 5})
    reserved = await reserve_one(record, asking("k1", variants, {"tea": 3, "cup": 1}, postage_minor=199))
    [placed] = await place(record, reserved)
    assert (placed.state, placed.now_so) == ("placed", True)
    assert placed.token is not None
    assert await shelf(record, "tea") == (7, 0, 3)
    assert await ledger(record) == {"receivable": 2199, "sales": -2000, "postage": -199}
    await check_whole(record)


async def test_what_is_taken_at_once_is_booked_at_once(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    await place(record, await reserve_one(record, asking("k1", variants, {"tea": 2})), captured_minor=1000)
    assert await ledger(record) == {"receivable": 0, "sales": -1000, "gateway": 1000}
    await check_whole(record)


async def test_placing_twice_places_once_and_tells_the_same(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    reserved = await reserve_one(record, asking("k1", variants, {"tea": 2}))
    [first], [second] = await place(record, reserved), await place(record, reserved)
    assert (second.state, second.now_so, second.token) == ("placed", False, first.token)
    assert await ledger(record) == {"receivable": 1000, "sales": -1000}
    await check_whole(record)


async def test_a_released_checkout_gives_everything_back_once(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    asked = asking("k1", variants, {"tea": 4}, claims=[Claim("coupon/TEN", 1, 10)])
    reserved = await reserve_one(record, asked)
    assert await used(record, "coupon/TEN") == 1
    [first], [second] = await release(record, reserved), await release(record, reserved)
    assert (first.now_so, second.now_so, second.state) == (True, False, "declined")
    assert first.token == second.token
    assert (await shelf(record, "tea"), await used(record, "coupon/TEN")) == ((10, 0, 0), 0)
    await check_whole(record)


async def test_what_is_compensated_is_free_at_once_and_given_back_once(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    reserved = await reserve_one(record, asking("k1", variants, {"tea": 4}, claims=[Claim("coupon/TEN", 1, 10)]))
    await release(record, reserved, state="compensating")
    assert (await shelf(record, "tea"), await used(record, "coupon/TEN")) == ((10, 0, 0), 0)
    await check_whole(record)
    [ended] = await release(record, reserved, state="compensated")
    assert (await shelf(record, "tea"), await used(record, "coupon/TEN")) == ((10, 0, 0), 0)
    assert ended.token is not None
    await check_whole(record)


async def test_one_checkout_asked_for_twice_in_one_call_ends_once(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    gone, kept = [await reserve_one(record, asking(f"k{n}", variants, {"tea": 2})) for n in range(2)]
    await release(record, gone, gone)
    await place(record, kept, kept)
    assert await shelf(record, "tea") == (8, 0, 2)
    await check_whole(record)


async def test_what_was_released_cannot_be_placed_nor_the_other_way_round(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    gone, kept = [await reserve_one(record, asking(f"k{n}", variants, {"tea": 1})) for n in range(2)]
    await release(record, gone)
    await place(record, kept)
    [not_placed], [not_released] = await place(record, gone), await release(record, kept)
    assert (not_placed.state, not_placed.now_so) == ("declined", False)
    assert (not_released.state, not_released.now_so) == ("placed", False)
    await check_whole(record)


async def test_checkouts_are_admitted_as_they_came_each_whole_or_not_at_all(record: Record) -> None:
    variants = await open_shop(record, {"tea": 5, "cup": 1})
    wanted = [{"tea": 3}, {"tea": 2, "cup": 2}, {"tea": 1, "cup": 1}, {"tea": 2}, {"tea": 1}]
    answers = await reserve(record, *[asking(f"k{n}", variants, one) for n, one in enumerate(wanted)])
    assert [isinstance(one, Reserved) for one in answers] == [True, False, True, False, True]
    refused = answers[1]
    assert isinstance(refused, StockExhaustedError)
    assert refused.facts == {"sku": "cup", "wanted": 2, "left": 1}
    await check_whole(record)


async def test_an_allowance_is_given_out_in_order_and_never_exceeded(record: Record) -> None:
    variants = await open_shop(record, {"tea": 100})
    asked = [asking(f"k{n}", variants, {"tea": 1}, claims=[Claim("coupon/TWO", 1, 2)]) for n in range(5)]
    answers = await reserve(record, *asked)
    assert [isinstance(one, Reserved) for one in answers] == [True, True, False, False, False]
    assert isinstance(answers[2], CouponUsedUpError)
    assert (await shelf(record, "tea"), await used(record, "coupon/TWO")) == ((98, 2, 0), 2)
    await check_whole(record)


async def test_a_refused_claim_gives_back_the_stock_and_the_other_claims(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    claims = [Claim("coupon/A", 1, 10), Claim("credit/nobody", 500)]
    [refused] = await reserve(record, asking("k1", variants, {"tea": 1}, claims=claims))
    assert refused is not None
    assert not isinstance(refused, Reserved)
    assert (await shelf(record, "tea"), await used(record, "coupon/A")) == ((10, 0, 0), 0)
    await check_whole(record)


async def test_a_claim_of_unknown_kind_is_refused_by_its_name(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    [refused] = await reserve(record, asking("k1", variants, {"tea": 1}, claims=[Claim("promotion/X", 2, 1)]))
    assert isinstance(refused, AllowanceUsedUpError)
    assert refused.facts == {"allowance": "promotion/X", "wanted": 2, "left": 1}


async def test_the_same_key_begins_one_checkout_and_another_body_is_refused(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    first = await reserve_one(record, asking("k1", variants, {"tea": 2}))
    again = await reserve_one(record, asking("k1", variants, {"tea": 2}))
    [other] = await reserve(record, asking("k1", variants, {"tea": 3}))
    assert (again.checkout_id, again.held) == (first.checkout_id, None)
    assert isinstance(other, KeyReusedError)
    assert await shelf(record, "tea") == (8, 2, 0)


async def test_a_refused_checkout_leaves_its_key_free(record: Record) -> None:
    variants = await open_shop(record, {"tea": 1})
    asked = asking("k1", variants, {"tea": 2})
    [refused] = await reserve(record, asked)
    assert isinstance(refused, StockExhaustedError)
    async with record.transaction(CELL) as tx:
        await receive_stock(tx, [Change(variant_id=variants["tea"], warehouse="main", delta=5)])
    assert (await reserve_one(record, asked)).held is not None


async def test_a_line_from_two_warehouses_becomes_two_that_sum_to_it(record: Record) -> None:
    variants = await open_shop(record, {"tea": 2})
    async with record.transaction(CELL) as tx:
        await receive_stock(tx, [Change(variant_id=variants["tea"], warehouse="spare", delta=1)])
    reserved = await reserve_one(record, asking("k1", variants, {"tea": 3}))
    assert reserved.held is not None
    lines = [(line.line, line.warehouse, line.quantity, line.amount_minor) for line in reserved.held.order.lines]
    assert lines == [(1, "main", 2, 1000), (2, "spare", 1, 500)]
    await place(record, reserved)
    assert await shelf(record, "tea") == (0, 0, 3)
    await check_whole(record)


async def test_who_is_refused_in_one_warehouse_is_served_from_the_other(record: Record) -> None:
    variants = await open_shop(record, {"tea": 3})
    async with record.transaction(CELL) as tx:
        await receive_stock(tx, [Change(variant_id=variants["tea"], warehouse="spare", delta=3)])
    answers = await reserve(record, *[asking(f"k{n}", variants, {"tea": 3}) for n in range(3)])
    assert [isinstance(one, Reserved) for one in answers] == [True, True, False]


async def test_crossing_steps_never_wait_for_each_other_for_ever(record: Record) -> None:
    variants = await open_shop(record, {"tea": 500, "cup": 500})
    wanted = [{"tea": 1, "cup": 2}, {"cup": 2, "tea": 1}]

    async def shop(n: int) -> None:
        claims = [Claim(name, 1, 100) for name in ("coupon/A", "coupon/B")[:: 1 if n % 2 else -1]]
        reserved = await reserve_one(record, asking(f"k{n}", variants, wanted[n % 2], claims=claims))
        await (place if n % 3 else release)(record, reserved)

    await asyncio.gather(*[shop(n) for n in range(60)])
    assert await shelf(record, "tea") == (460, 0, 40)
    assert await used(record, "coupon/A") == 40
    await check_whole(record)


@pytest.mark.parametrize("end", ["declined", "compensating", "expired", "compensated"])
@pytest.mark.parametrize("state", ["authorizing", "challenged", "compensating"])
async def test_the_database_ends_checkouts_as_the_machine_says(record: Record, state: str, end: str) -> None:
    variants = await open_shop(record, {"tea": 10})
    reserved = await reserve_one(record, asking("k1", variants, {"tea": 1}))
    async with record.committing() as connection:
        await connection.execute("UPDATE checkout.checkout SET state = $1", state)
    [ended] = await release(record, reserved, state=end)
    assert ended.now_so == CHECKOUT.allows(state, end)

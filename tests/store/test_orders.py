"""Placing orders on the hot path, against a real PostgreSQL: whole or not at all, once per key, never below zero."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from entrepot.audit.linking import link_new
from entrepot.audit.store import Entry, put_entries, without_entry
from entrepot.base.errors import BadInputError, KeyReusedError, NotFoundError, StockExhaustedError
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.place import Asked, place_orders
from entrepot.commerce.checkout.requests import ChargeRequest, LineRequest, OrderRequest, Placed
from entrepot.commerce.stock.commands import receive_stock
from entrepot.commerce.stock.rules import Change
from entrepot.record.cause import Cause
from entrepot.record.transaction import Record
from tests.trade import CELL, ledger, left, open_shop, order


async def test_an_order_takes_its_stock_and_books_its_money(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    placed = await Gatherer(record, CELL).place("k1", order({"tea": 3}, postage_minor=199))
    assert placed.total_minor == 3 * 500 + 199
    assert await left(record, "tea") == 7
    assert await ledger(record) == {"receivable": 1699, "sales": -1500, "postage": -199}


async def test_an_order_is_refused_whole_and_names_article_wanted_and_left(record: Record) -> None:
    await open_shop(record, {"tea": 10, "cup": 2})
    with pytest.raises(StockExhaustedError) as refused:
        await Gatherer(record, CELL).place("k1", order({"tea": 1, "cup": 3}))
    assert refused.value.facts == {"sku": "cup", "wanted": 3, "left": 2}
    assert await left(record, "tea") == 10
    assert await ledger(record) == {}


async def test_a_refused_order_leaves_its_neighbours_be_and_its_key_free(record: Record) -> None:
    variants = await open_shop(record, {"tea": 5})
    asked = [("a", order({"tea": 3}), None), ("b", order({"tea": 3}), None), ("c", order({"tea": 2}), None)]
    first, second, third = await place_orders(record, CELL, asked)
    assert isinstance(first, Placed)
    assert isinstance(second, StockExhaustedError)
    assert isinstance(third, Placed)
    async with record.transaction(CELL) as tx:
        await receive_stock(tx, [Change(variant_id=variants["tea"], warehouse="main", delta=3)])
    [again] = await place_orders(record, CELL, [asked[1]])
    assert isinstance(again, Placed)
    assert not again.repeated


async def test_the_same_key_gets_the_first_answer_and_takes_nothing_more(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    gatherer = Gatherer(record, CELL)
    first = await gatherer.place("k1", order({"tea": 3}))
    second = await gatherer.place("k1", order({"tea": 3}))
    assert second.repeated
    assert (second.order_id, second.total_minor, second.token) == (first.order_id, first.total_minor, first.token)
    assert await left(record, "tea") == 7


async def test_the_same_key_with_another_body_is_refused(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    gatherer = Gatherer(record, CELL)
    await gatherer.place("k1", order({"tea": 3}))
    with pytest.raises(KeyReusedError):
        await gatherer.place("k1", order({"tea": 4}))
    assert await left(record, "tea") == 7


async def test_fifty_requests_with_one_key_make_one_order(record: Record) -> None:
    await open_shop(record, {"tea": 100})
    doors = [Gatherer(record, CELL), Gatherer(record, CELL)]  # two processes, as far as the database can tell
    answers = await asyncio.gather(*[doors[n % 2].place("k1", order({"tea": 1})) for n in range(50)])
    assert len({answer.order_id for answer in answers}) == 1
    assert await left(record, "tea") == 99


async def test_three_hundred_buyers_for_a_hundred_pieces_buy_exactly_a_hundred(record: Record) -> None:
    await open_shop(record, {"tea": 100})
    doors = [Gatherer(record, CELL), Gatherer(record, CELL)]
    buyers = [doors[n % 2].place(f"k{n}", order({"tea": 1})) for n in range(300)]
    answers = await asyncio.gather(*buyers, return_exceptions=True)
    assert sum(isinstance(answer, Placed) for answer in answers) == 100
    assert sum(isinstance(answer, StockExhaustedError) for answer in answers) == 200
    assert await left(record, "tea") == 0


async def test_crossing_orders_of_two_articles_never_wait_for_each_other_for_ever(record: Record) -> None:
    await open_shop(record, {"tea": 1000, "cup": 1000})
    doors = [Gatherer(record, CELL) for _ in range(4)]
    wanted = [{"tea": 1, "cup": 2}, {"cup": 2, "tea": 1}]
    await asyncio.gather(*[doors[n % 4].place(f"k{n}", order(wanted[n % 2])) for n in range(200)])
    assert (await left(record, "tea"), await left(record, "cup")) == (800, 600)


async def test_an_order_goes_to_the_warehouse_that_has_enough(record: Record) -> None:
    variants = await open_shop(record, {"tea": 2})
    async with record.transaction(CELL) as tx:
        await receive_stock(tx, [Change(variant_id=variants["tea"], warehouse="spare", delta=9)])
    await Gatherer(record, CELL).place("k1", order({"tea": 5}))
    assert await left(record, "tea") == 6


async def test_an_agreed_price_counts_instead_of_the_list_price(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    line = LineRequest(sku="tea", quantity=3, amount_minor=1000)
    request = OrderRequest(market="uk", country="GB", currency="GBP", lines=[line])
    assert (await Gatherer(record, CELL).place("k1", request)).total_minor == 1000


async def test_a_discount_is_booked_against_the_receivable(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    request = OrderRequest(
        market="uk",
        country="GB",
        currency="GBP",
        lines=[LineRequest(sku="tea", quantity=1)],
        charges=[ChargeRequest(kind="discount", amount_minor=-100)],
    )
    await Gatherer(record, CELL).place("k1", request)
    assert await ledger(record) == {"receivable": 400, "sales": -500, "discounts": 100}


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (order({"tea": 0}), "0 pieces of tea"),
        (order({"tea": -1}), "-1 pieces of tea"),
        (order({}), "has no lines"),
        (order({"tea": 1}, country="Britain"), "'Britain' is no country code"),
        (
            OrderRequest(market="uk", country="GB", currency="GBX", lines=[LineRequest(sku="tea", quantity=1)]),
            "'GBX' is no ISO",
        ),
        (OrderRequest(market="uk", country="GB", currency="EUR", lines=[LineRequest(sku="tea", quantity=1)]), "not in EUR"),
    ],
)
async def test_an_order_that_cannot_be_meant_gets_a_sentence(record: Record, request_: OrderRequest, says: str) -> None:
    await open_shop(record, {"tea": 10})
    with pytest.raises(BadInputError, match=says):
        await Gatherer(record, CELL).place("k1", request_)


async def test_an_unknown_article_is_named(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    with pytest.raises(NotFoundError, match="'coffee'"):
        await Gatherer(record, CELL).place("k1", order({"tea": 1, "coffee": 1}))
    assert await left(record, "tea") == 10


async def test_an_order_of_a_request_is_placed_with_its_entry_and_its_event_names_the_request(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    cause = Cause(record.ids.fresh(), actor="anonymous", network="203.0.113.0/24", agent="browser", why="ticket/1")
    placed = await Gatherer(record, CELL).place("k1", order({"tea": 1}), cause)
    async with record.committing() as connection:
        entry = await connection.fetchrow("SELECT * FROM audit.every_entry WHERE id = $1", cause.id)
        told = await connection.fetchval("SELECT key FROM log.event WHERE cause = $1 AND actor = 'anonymous'", cause.id)
    assert cause.noted
    assert entry is not None
    assert (entry["object"], entry["network"], entry["why"]) == (str(placed.order_id), cause.network, "ticket/1")
    assert told == f"order/{placed.order_id}"


async def test_who_was_told_meanwhile_that_it_takes_too_long_keeps_that_entry_and_others_leave_theirs(record: Record) -> None:
    await open_shop(record, {"tea": 10})
    causes = [Cause(record.ids.fresh(), actor="anonymous") for _ in range(3)]
    slow = Entry(id=causes[1].id, at=1, kind="command", actor="anonymous", action="POST /v1/orders", status=504)
    async with record.committing() as connection:
        await put_entries(connection, CELL, [slow])
    answers = await place_orders(record, CELL, [(f"k{n}", order({"tea": 1}), cause) for n, cause in enumerate(causes)])
    assert all(isinstance(answer, Placed) for answer in answers)
    assert await statuses(record, "every_entry", causes) == [201, 504, 201]
    await link_new(record, CELL)
    assert await statuses(record, "entry", causes) == [201, 504, 201]


async def test_entries_of_a_call_are_there_at_once_and_get_rows_of_their_own_that_say_the_same(record: Record) -> None:
    await open_shop(record, {"tea": 3})
    causes = [Cause(record.ids.fresh(), actor=f"person/{n}", network="203.0.113.0/24", why=f"ticket/{n}") for n in range(5)]
    asked: list[Asked] = [(f"k{n}", order({"tea": 1}), cause) for n, cause in enumerate(causes)]
    answers = await place_orders(record, CELL, [*asked, ("of no request", order({"tea": 1}), None)])
    assert [isinstance(answer, Placed) for answer in answers] == [True] * 3 + [False] * 3
    at_once = await every_entry(record)
    assert await statuses(record, "entry", causes) == []
    assert [entry["why"] for entry in at_once] == ["ticket/0", "ticket/1", "ticket/2"]
    async with record.committing() as connection:
        assert await without_entry(connection, CELL, 0, record.clock.tick(), 10) == []
    await link_new(record, CELL)
    assert await every_entry(record) == at_once
    assert await statuses(record, "entry", causes) == [201] * 3


async def test_a_batch_of_entries_is_taken_away_by_nobody_but_who_writes_it_out(record: Record) -> None:
    await open_shop(record, {"tea": 3})
    await place_orders(record, CELL, [("k", order({"tea": 1}), Cause(record.ids.fresh(), actor="anonymous"))])
    for change in ("DELETE FROM audit.entry_batch", "UPDATE audit.entry_batch SET why = '{}'", "TRUNCATE audit.entry_batch"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with record.committing() as connection:
                await connection.execute(change)
    assert len(await every_entry(record)) == 1


async def every_entry(record: Record) -> list[asyncpg.Record]:
    async with record.committing() as connection:
        return await connection.fetch("SELECT * FROM audit.every_entry ORDER BY id")


async def statuses(record: Record, relation: str, causes: Sequence[Cause]) -> list[int]:
    async with record.committing() as connection:
        rows = await connection.fetch(
            f"SELECT status FROM audit.{relation} WHERE id = ANY ($1) ORDER BY id", [cause.id for cause in causes]
        )
    return [row["status"] for row in rows]

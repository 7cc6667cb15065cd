"""Sellers and suppliers on the real gateway and a real PostgreSQL: their orders, their money, what they tell us they have."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from entrepot.base.errors import ConflictError, EngineAwayError, NotFoundError
from entrepot.commerce.aftersale import commands as aftersale
from entrepot.commerce.aftersale.requests import Cancellation
from entrepot.commerce.marketplace import commands, query
from entrepot.commerce.marketplace.query import SellerOrderDetail
from entrepot.commerce.marketplace.rules import SellerDraft, SellerUnknownError, StaleFeedError
from entrepot.commerce.stock.allocate import Routing
from entrepot.commerce.stock.commands import save_routing
from entrepot.partners.payout.own import OwnBank
from entrepot.partners.payout.port import Paid, PayOrder, Refused
from entrepot.record.transaction import Record
from tests.sellers import Market, lost_dispute, open_market
from tests.trade import CELL, ledger, left


class ForgetfulBank(OwnBank):
    """A bank that pays, and whose answer is lost."""

    async def pay(self, order: PayOrder) -> Paid | Refused:
        """Pay, and say nothing."""
        await super().pay(order)
        raise EngineAwayError("payouts", "the line went dead")


class StrictBank:
    """A bank that knows nobody."""

    async def pay(self, order: PayOrder) -> Paid | Refused:
        """Refuse."""
        return Refused(f"{order.payee} has no account")


@pytest.fixture
async def market(record: Record, gateway_url: str) -> AsyncIterator[Market]:
    async with open_market(record, gateway_url) as opened:
        yield opened


async def seen(market: Market, seller: UUID, order_id: UUID) -> SellerOrderDetail:
    async with market.record.reading() as connection:
        return await query.order(connection, CELL, seller, order_id, market.record.sealing)


def paid(folder: Path) -> list[int]:
    return [msgspec.json.decode(path.read_bytes())["amount_minor"] for path in sorted(folder.glob("*-*-*.json"))]


async def test_a_seller_sees_its_own_lines_and_whom_to_send_them_to_until_they_are_sent(market: Market) -> None:
    order_id = await market.buy({"tea": 1, "lamp": 2})
    order = await seen(market, market.seller, order_id)
    assert [(line.sku, line.quantity, line.amount_minor, line.commission_minor) for line in order.lines] == [
        ("lamp", 2, 2_000, 300)
    ]
    assert [(one.state, one.quantities) for one in order.shipments] == [("planned", [2])]
    assert order.send_to is not None
    assert b"example.org" not in msgspec.json.encode(order)  # no email address
    await market.deliver(order_id)
    order = await seen(market, market.seller, order_id)
    assert (order.state, order.send_to) == ("delivered", None)
    with pytest.raises(NotFoundError):
        await seen(market, market.supplier, order_id)


async def test_money_is_held_back_until_it_was_delivered_long_enough_ago_and_then_paid_once(
    market: Market, tmp_path: Path
) -> None:
    order_id = await market.buy({"lamp": 2})
    await market.deliver(order_id)
    assert await market.money(market.seller) == (1_700, 1_700, 0)
    assert await market.pay(OwnBank(tmp_path)) == 0
    market.later(15)
    await asyncio.gather(*[market.pay(OwnBank(tmp_path)) for _ in range(4)])
    assert (paid(tmp_path), await market.money(market.seller)) == ([1_700], (0, 0, 0))
    assert (await ledger(market.record))["bank"] == -1_700


async def test_what_comes_back_after_it_was_paid_is_carried_over(market: Market, tmp_path: Path) -> None:
    first = await market.buy({"lamp": 2}, "first")
    await market.deliver(first)
    market.later(15)
    await market.pay(OwnBank(tmp_path))
    await market.take_back(first, 1, 1)
    assert await market.money(market.seller) == (-850, 0, 0)
    await market.deliver(await market.buy({"lamp": 3}, "second"))
    market.later(15)
    await market.pay(OwnBank(tmp_path))
    assert sorted(paid(tmp_path)) == [1_700, 1_700]  # 2,550 less the 850
    assert await market.money(market.seller) == (0, 0, 0)


async def test_a_payout_whose_answer_was_lost_is_asked_again_and_paid_once(market: Market, tmp_path: Path) -> None:
    await market.deliver(await market.buy({"lamp": 1}))
    market.later(15)
    assert await market.pay(ForgetfulBank(tmp_path)) == 0
    assert (await market.money(market.seller))[0] == 850  # booked when it is known
    assert await market.pay(OwnBank(tmp_path)) == 1
    assert (paid(tmp_path), await market.money(market.seller)) == ([850], (0, 0, 0))


async def test_a_payout_that_the_bank_refused_is_asked_anew_at_the_next_turn(market: Market, tmp_path: Path) -> None:
    await market.deliver(await market.buy({"lamp": 1}))
    market.later(15)
    assert await market.pay(StrictBank()) == 1
    assert await market.pay(OwnBank(tmp_path)) == 0
    market.later(8)
    assert await market.pay(OwnBank(tmp_path)) == 1
    async with market.record.reading() as connection:
        payouts = await query.payouts(connection, CELL, market.seller, None, 10)
    assert [(one.state, bool(one.reason)) for one in payouts] == [("done", False), ("failed", True)]


async def test_a_statement_is_the_ledgers_transfers_and_nothing_else(market: Market, tmp_path: Path) -> None:
    order_id = await market.buy({"lamp": 3})
    await market.deliver(order_id)
    await market.take_back(order_id, 1, 1)
    market.later(15)
    await market.pay(OwnBank(tmp_path))
    statement = await market.statement(market.seller)
    assert statement.sums == {"sale": 3_000, "commission": -450, "return": -1_000, "commission_back": 150, "payout": -1_700}
    assert (statement.opening_minor, statement.closing_minor) == (0, 0)
    assert statement.closing_minor == (await market.money(market.seller))[0]


async def test_a_lost_dispute_takes_the_sellers_share_back(market: Market) -> None:
    order_id = await market.buy({"tea": 1, "lamp": 1})
    await market.deliver(order_id)
    async with market.record.reading() as connection:
        total = await connection.fetchval("SELECT total_minor FROM ordering.orders WHERE id = $1", order_id)
    async with market.record.transaction(CELL) as tx:
        await commands.charge_back(tx, lost_dispute(order_id, total))
    statement = await market.statement(market.seller)
    assert statement.sums == {"sale": 1_000, "commission": -150, "dispute": -850}
    books = await ledger(market.record)
    assert (books.get("commission", 0), books["disputes"]) == (0, -1_000)  # of what the gateway took, all that was the lamp's
    assert sum(books.values()) == 0


async def test_a_seller_who_bears_all_of_a_dispute_leaves_us_our_commission(market: Market) -> None:
    order_id = await market.buy({"lamp": 1})
    await market.deliver(order_id)
    async with market.record.transaction(CELL) as tx:
        known = await commands.locked_seller(tx, market.seller)
        draft = SellerDraft(
            name=known.name, country=known.country, kind=known.kind, commission_permille=known.commission_permille,
            holdback_days=known.holdback_days, payout_days=known.payout_days, disputes="gross",
        )  # fmt: skip
        await commands.save_seller(tx, known.code, draft)
        await commands.charge_back(tx, lost_dispute(order_id, 10_000))
    statement, books = await market.statement(market.seller), await ledger(market.record)
    assert statement.sums == {"sale": 1_000, "commission": -150, "dispute": -1_000}
    assert (books["commission"], books["disputes"]) == (-150, -1_000)


async def test_the_cheapest_supplier_ships_where_the_market_says_so(market: Market) -> None:
    await market.feed("far", 1, {"cup": 10}, cost_minor=1)
    await market.feed("near", 1, {"cup": 10})
    async with market.record.transaction(CELL) as tx:
        assert await save_routing(tx, "uk", Routing(supplying="cheapest")) is not None
        assert await save_routing(tx, "uk", Routing(supplying="cheapest")) is None
    order = await seen(market, market.supplier, await market.buy({"cup": 2}))
    assert {line.warehouse for line in order.lines} == {"far"}


async def test_the_nearest_supplier_that_has_it_ships_and_is_owed_its_cost(market: Market) -> None:
    await market.feed("far", 1, {"cup": 10})
    await market.feed("near", 1, {"cup": 5})
    order_id = await market.buy({"cup": 2, "tea": 1})
    order = await seen(market, market.supplier, order_id)
    assert [(line.sku, line.warehouse, line.amount_minor) for line in order.lines] == [("cup", "near", 1_200)]
    assert await market.money(market.supplier) == (1_200, 1_200, 0)
    big = await market.buy({"cup": 8}, "big")
    assert {line.warehouse for line in (await seen(market, market.supplier, big)).lines} == {"far"}


async def test_a_cancelled_dropship_order_owes_the_supplier_nothing(market: Market) -> None:
    await market.feed("near", 1, {"cup": 5})
    order_id = await market.buy({"cup": 2})
    async with market.record.transaction(CELL) as tx:
        await aftersale.cancel(tx, order_id, Cancellation(reason="changed my mind"))
    await market.follow()
    assert (await market.money(market.supplier))[0] == 0
    assert ((await seen(market, market.supplier, order_id)).state, await left(market.record, "cup")) == ("cancelled", 5)


async def test_a_feed_leaves_what_is_sold_and_not_yet_sent_alone_and_an_older_one_is_refused(market: Market) -> None:
    await market.feed("near", 1, {"cup": 5})
    order_id = await market.buy({"cup": 2})
    await market.feed("near", 2, {"cup": 5, "unheard-of": 9})  # the two lie there still
    assert await left(market.record, "cup") == 3
    with pytest.raises(StaleFeedError):
        await market.feed("near", 2, {"cup": 50})
    await market.deliver(order_id)
    fed = await market.feed("near", 3, {"cup": 3, "unheard-of": 9})
    assert (await left(market.record, "cup"), fed.changed, fed.unknown) == (3, 0, ["unheard-of"])


async def test_what_a_seller_may_not_be_is_refused_in_a_sentence(market: Market) -> None:
    async with market.record.transaction(CELL) as tx:
        await commands.set_seller_state(tx, market.seller, "closed")
    with pytest.raises(ConflictError, match="lamps is closed"):
        async with market.record.transaction(CELL) as tx:
            await commands.set_seller_state(tx, market.seller, "active")
    with pytest.raises(SellerUnknownError):
        async with market.record.transaction(CELL) as tx:
            await commands.save_warehouse(tx, UUID(int=1), "x", "GB", 1, 0)
    with pytest.raises(ConflictError, match="another seller's"):
        async with market.record.transaction(CELL) as tx:
            await commands.save_warehouse(tx, market.seller, "near", "GB", 1, 0)

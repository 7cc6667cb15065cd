"""Subscriptions on the real gateway and a real PostgreSQL: what is charged when, and that nothing is charged twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from entrepot.base import limits
from entrepot.base.errors import ChargeUnderWayError
from entrepot.base.time import utc
from entrepot.commerce.subscription import commands
from entrepot.commerce.subscription.renewing import request_of
from entrepot.commerce.subscription.store import known_plan, payer, subscription
from entrepot.jobs.renewals import announce_coming
from entrepot.record.transaction import Record
from tests.subscribers import Subscribers, open_subscribers
from tests.till import check_whole
from tests.trade import CELL, ledger


@pytest.fixture
async def shop(record: Record, gateway_url: str) -> AsyncIterator[Subscribers]:
    async with open_subscribers(record, gateway_url) as opened:
        yield opened


async def kinds(shop: Subscribers, subscription_id: UUID) -> list[str]:
    """Return what the log tells of a subscription, in order."""
    async with shop.record.reading() as connection:
        rows = await connection.fetch(
            "SELECT kind, version FROM log.event WHERE key = $1 ORDER BY version", f"subscription/{subscription_id}"
        )
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["kind"].split(".")[1] for row in rows]


async def test_a_subscription_is_charged_at_the_beginning_of_each_period(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    assert [await shop.renew(days) for days in (0, 0, 31, 31)] == [1, 0, 1, 1]
    assert await shop.charged(begun) == [1000, 1000, 1000]
    assert await kinds(shop, begun.id) == ["started", "renewed", "renewed", "renewed"]
    assert sum((await ledger(shop.record)).values()) == 0
    await check_whole(shop.record)


async def test_two_runs_at_once_charge_once(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    await asyncio.gather(*[shop.renew() for _ in range(4)])
    assert await shop.charged(begun) == [1000]
    assert (await shop.read(begun.id)).subscription.state == "active"


async def test_whoever_takes_over_after_the_charge_finds_the_order_and_charges_nothing(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    async with shop.record.transaction(CELL) as tx:
        charge = await commands.ask_charge(tx, begun.id, utc(shop.clock.millis()))
    assert charge is not None
    async with shop.record.reading() as connection:
        pays = await payer(connection, CELL, begun.id, shop.record.sealing)
        assert pays is not None
        started = await subscription(connection, CELL, begun.id)
        request = request_of(charge, started, await known_plan(connection, "news"), pays)
    placed = await shop.checkouts.begin(charge.key, request)  # and here the job dies
    assert (await shop.read(begun.id)).charging
    assert await shop.renew() == 1
    detail = await shop.read(begun.id)
    assert (detail.subscription.state, detail.charges[0].order_id) == ("active", placed.order_id)
    assert await shop.charged(begun) == [1000]


async def test_nothing_can_be_changed_while_a_charge_is_under_way(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    async with shop.record.transaction(CELL) as tx:
        await commands.ask_charge(tx, begun.id, utc(shop.clock.millis()))
    with pytest.raises(ChargeUnderWayError):
        async with shop.record.transaction(CELL) as tx:
            await commands.change_plan(tx, begun.id, "more", utc(shop.clock.millis()))


async def test_dunning_that_succeeds_on_the_third_try_goes_on_with_the_period(shop: Subscribers) -> None:
    begun = await shop.subscribe("tried", "tok_stored_declined_twice")
    assert await shop.renew(14) == 1
    assert (await shop.read(begun.id)).subscription.state == "past_due"
    assert [await shop.renew(1), await shop.renew(1), await shop.renew(1)] == [1, 0, 1]
    detail = await shop.read(begun.id)
    assert (detail.subscription.state, detail.subscription.period) == ("active", 1)
    assert [charge.state for charge in detail.charges] == ["paid", "declined", "declined"]
    assert await shop.charged(begun) == [1000]


async def test_dunning_that_never_succeeds_ends_the_subscription(shop: Subscribers) -> None:
    begun = await shop.subscribe("tried", "tok_stored_declined")
    await shop.renew(14)
    for _ in range(max(limits.DUNNING_DAYS)):
        await shop.renew(1)
    detail = await shop.read(begun.id)
    assert (detail.subscription.state, detail.subscription.why) == ("ended", "insufficient_funds")
    assert len(detail.charges) == 1 + len(limits.DUNNING_DAYS)
    assert await shop.charged(begun) == []
    await check_whole(shop.record)


async def test_a_change_of_plan_charges_the_new_price_less_what_is_unused(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    await shop.renew()
    was = (await shop.read(begun.id)).subscription
    days = (was.period_end.date() - was.period_start.date()).days
    shop.after(10)
    async with shop.record.transaction(CELL) as tx:
        changed = (await commands.change_plan(tx, begun.id, "more", utc(shop.clock.millis()))).subscription
    assert abs(changed.credit_minor - 1000 * (days - 10) / days) < 1
    assert await shop.renew() == 1
    assert await shop.charged(begun) == [1000, 2500 - changed.credit_minor]
    assert (await shop.read(begun.id)).subscription.credit_minor == 0


async def test_credit_that_covers_a_period_makes_an_order_that_costs_nothing(shop: Subscribers) -> None:
    begun = await shop.subscribe("more", quantity=2)
    await shop.renew()
    async with shop.record.transaction(CELL) as tx:
        await commands.change_plan(tx, begun.id, "news", utc(shop.clock.millis()))
    assert await shop.renew() == 1
    detail = await shop.read(begun.id)
    assert (detail.subscription.credit_minor, detail.charges[0].amount_minor) == (3000, 0)
    assert detail.charges[0].order_id is not None
    assert await shop.charged(begun) == [5000]


async def test_a_paused_subscription_is_not_charged_until_it_goes_on(shop: Subscribers) -> None:
    begun = await shop.subscribe("crate")
    await shop.renew()
    async with shop.record.transaction(CELL) as tx:
        await commands.pause(tx, begun.id, utc(shop.clock.millis()))
    assert await shop.renew(100) == 0
    async with shop.record.transaction(CELL) as tx:
        await commands.resume(tx, begun.id, utc(shop.clock.millis()))
    assert [await shop.renew(), await shop.renew(31)] == [0, 1]
    assert len(await shop.charged(begun)) == 2


async def test_a_cancelled_subscription_ends_when_its_time_is_over(shop: Subscribers) -> None:
    begun = await shop.subscribe("news")
    await shop.renew()
    async with shop.record.transaction(CELL) as tx:
        await commands.cancel(tx, begun.id, at_once=False, why="too dear")
    await shop.renew(31)
    assert (await shop.read(begun.id)).subscription.state == "ended"
    assert await kinds(shop, begun.id) == ["started", "renewed", "cancelled", "ended"]
    assert await shop.charged(begun) == [1000]


async def test_a_renewal_that_is_near_is_told_once(shop: Subscribers) -> None:
    begun = await shop.subscribe("tried")
    shop.clock.now += int(timedelta(days=12).total_seconds() * 1000)
    assert [await announce_coming(shop.record, CELL, shop.clock) for _ in range(2)] == [1, 0]
    assert await kinds(shop, begun.id) == ["started", "renewal_upcoming"]


async def test_another_method_pays_what_is_past_due_at_once(shop: Subscribers) -> None:
    begun = await shop.subscribe("tried", "tok_stored_declined")
    await shop.renew(14)
    _, good = await shop.kept(customer=begun.customer_id)
    async with shop.record.transaction(CELL) as tx:
        await commands.change_method(tx, begun.id, good, utc(shop.clock.millis()))
    assert await shop.renew() == 1
    assert (await shop.read(begun.id)).subscription.state == "active"

"""Money that takes two people: a payout waits for a word and is paid once, and a refund beyond its limit goes the same way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.ids import IdSource
from entrepot.commerce.aftersale import commands as aftersale
from entrepot.commerce.aftersale.requests import Cancellation, Moved
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.approval import query
from entrepot.commerce.approval.events import ApprovalState
from entrepot.commerce.approval.rules import Approval, ApprovalNeededError, Limit
from entrepot.commerce.payment import commands as payments
from entrepot.commerce.payment.operations import finish_operations
from entrepot.partners.payout.own import OwnBank
from entrepot.record.transaction import Record
from tests.sellers import Market, open_market
from tests.trade import CELL, ledger

IDS = IdSource()
ANN = f"person/{IDS.fresh()}"


@pytest.fixture
async def market(record: Record, gateway_url: str) -> AsyncIterator[Market]:
    """Return a market where a payout or refund of more than ten pounds takes two people."""
    async with open_market(record, gateway_url) as opened:
        async with record.transaction(CELL) as tx:
            await approvals.set_limit(tx, Limit(kind="payout", scope="GBP", above=1_000))
            await approvals.set_limit(tx, Limit(kind="refund", scope="GBP", above=1_000))
        yield opened


async def owed(market: Market) -> None:
    """Let the seller be owed 17 pounds."""
    await market.deliver(await market.buy({"lamp": 2}))
    market.later(15)


async def waiting(market: Market) -> Approval:
    async with market.record.reading() as connection:
        [one] = await query.approvals(connection, CELL, "requested", None, 9)
    return one


async def decide(market: Market, to: ApprovalState) -> None:
    one = await waiting(market)
    async with market.record.transaction(CELL) as tx:
        await approvals.decide(tx, one.id, to, IDS.fresh(), "looked at")


async def test_a_large_payout_waits_for_a_word_and_is_then_paid_once(market: Market, tmp_path: Path) -> None:
    await owed(market)
    bank = OwnBank(tmp_path)
    assert [await market.pay(bank) for _ in range(2)] == [0, 0]
    assert (await waiting(market)).asked_by is None
    assert "bank" not in await ledger(market.record)
    await decide(market, "approved")
    assert [await market.pay(bank) for _ in range(2)] == [1, 0]
    assert (await ledger(market.record))["bank"] == -1_700
    async with market.record.reading() as connection:
        [used] = await query.approvals(connection, CELL, "", None, 9)
    assert used.state == "applied"


async def test_a_payout_that_was_refused_is_not_paid_and_stays_owed(market: Market, tmp_path: Path) -> None:
    await owed(market)
    await market.pay(OwnBank(tmp_path))
    await decide(market, "refused")
    assert await market.pay(OwnBank(tmp_path)) == 0
    assert await market.money(market.seller) == (1_700, 0, 1_700)


async def test_a_cancellation_that_gives_back_what_was_captured_is_held_like_any_refund(market: Market) -> None:
    order = await market.buy({"lamp": 3})
    async with market.record.transaction(CELL) as tx:
        await payments.ask(tx, order, "capture")
    await finish_operations(market.record, market.gateway, CELL, patience_seconds=0)

    async def cancel() -> Moved:
        async with market.record.transaction(CELL, ANN) as tx:
            return await aftersale.cancel(tx, order, Cancellation(reason="not needed"))

    with pytest.raises(ApprovalNeededError) as needed:
        await cancel()
    async with market.record.transaction(CELL, ANN) as tx:
        await approvals.ask(tx, needed.value.deed, IDS.fresh())
    await decide(market, "approved")
    assert (await cancel()).amount_minor == needed.value.deed.amount


async def test_a_cancellation_of_what_was_never_captured_is_no_refund_and_never_held(market: Market) -> None:
    order = await market.buy({"lamp": 3})
    async with market.record.transaction(CELL, ANN) as tx:
        moved = await aftersale.cancel(tx, order, Cancellation(reason="not needed"))
    assert (moved.state, moved.amount_minor) == ("cancelled", 0)


async def test_refunds_of_one_payment_count_together_until_somebody_else_says_yes(market: Market) -> None:
    order = await market.buy({"tea": 3})
    await market.deliver(order)

    async def refund(amount_minor: int) -> None:
        async with market.record.transaction(CELL, ANN) as tx:
            await aftersale.refund(tx, order, amount_minor, "sorry")

    await refund(700)
    with pytest.raises(ApprovalNeededError) as needed:
        await refund(700)
    async with market.record.transaction(CELL, ANN) as tx:
        await approvals.ask(tx, needed.value.deed, IDS.fresh())
    await decide(market, "approved")
    await refund(700)
    with pytest.raises(ApprovalNeededError):
        await refund(700)

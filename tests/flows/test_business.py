"""Buying on net terms: limits, approvals, negotiated prices, invoices and the money that settles them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from entrepot.base.errors import (
    ConflictError,
    CreditExhaustedError,
    NegotiationExpiredError,
    OwnApprovalError,
    SpendingLimitError,
)
from entrepot.commerce.aftersale.commands import cancel
from entrepot.commerce.aftersale.requests import Cancellation, LinePieces
from entrepot.commerce.business import billing, commands, negotiating
from entrepot.commerce.business.events import Document, NegotiationChanged
from entrepot.commerce.business.negotiating import NegotiationDraft
from entrepot.commerce.business.negotiation import WantedPieces
from entrepot.jobs.invoicing import expire_negotiations, mark_overdue
from entrepot.record.transaction import Record, Transaction
from tests.account import CREDIT_MINOR, Account, open_account
from tests.trade import CELL, ledger

SMALL, LARGE = {"tea": 4}, {"tea": 20}


@pytest.fixture
async def account(record: Record, gateway_url: str) -> AsyncIterator[Account]:
    async with open_account(record, gateway_url) as opened:
        yield opened


async def agree(account: Account, unit_minor: int) -> NegotiationChanged:
    """Negotiate a price for fifty cups, countered once, and accepted."""
    asked = NegotiationDraft(buyer_id=account.bea, market="uk", lines=[WantedPieces(sku="cup", quantity=50)])
    begun = await account.do(lambda tx: negotiating.request_prices(tx, account.company, asked, account.now))
    one, until = begun.negotiation.id, account.now + timedelta(days=7)
    await account.do(lambda tx: negotiating.offer(tx, one, {"cup": unit_minor + 50}, until, "", account.now))
    await account.do(lambda tx: negotiating.counter(tx, one, {"cup": unit_minor}, "at most", account.now))
    return (await account.do(lambda tx: negotiating.accept(tx, one, "merchant", "", account.now))).negotiation


async def test_a_purchase_within_the_limits_is_ordered_and_owed(account: Account) -> None:
    bought = await account.buy(account.ann, SMALL)
    assert (bought.state, bought.order_id is not None) == ("ordered", True)
    [invoice] = await account.invoice_all()
    assert invoice.total_minor == bought.total_minor == await account.credit_used() == await account.owed()
    assert sum((await ledger(account.record)).values()) == 0


async def test_above_the_limit_it_waits_for_another_who_may_decide_as_much(account: Account) -> None:
    asked = await account.ask(account.ann, LARGE)
    assert (asked.state, "in one order" in asked.why) == ("pending", True)
    with pytest.raises(SpendingLimitError):
        await account.do(lambda tx: commands.approve_purchase(tx, asked.id, account.cem, account.now))
    await account.do(lambda tx: commands.approve_purchase(tx, asked.id, account.bea, account.now))
    bought = await account.purchasing.order(asked.id)
    assert (bought.state, bought.decided_by) == ("ordered", account.bea)


async def test_nobody_approves_their_own(account: Account) -> None:
    asked = await account.ask(account.cem, LARGE)
    with pytest.raises(OwnApprovalError):
        await account.do(lambda tx: commands.approve_purchase(tx, asked.id, account.cem, account.now))


async def test_the_limit_of_a_month_holds_whoever_asks_at_once(account: Account) -> None:
    asked = await asyncio.gather(*[account.ask(account.ann, SMALL) for _ in range(6)])
    alone = [one for one in asked if one.state == "approved"]
    assert 0 < len(alone) < len(asked)
    assert all("in a month" in one.why for one in asked if one.state == "pending")
    account.clock.now += 32 * 86_400_000
    assert (await account.ask(account.ann, SMALL)).state == "approved"


async def test_credit_is_never_exceeded_and_the_refusal_says_what_is_left(account: Account) -> None:
    asked = [await account.ask(account.bea, {"tea": 90}) for _ in range(5)]
    done = await asyncio.gather(*[account.purchasing.order(one.id) for one in asked])
    assert [one.state for one in done].count("ordered") == CREDIT_MINOR // asked[0].total_minor
    assert all("credit left" in one.why for one in done if one.state == "refused")
    with pytest.raises(CreditExhaustedError) as refused:
        await account.ask(account.bea, {"tea": 90})
    assert refused.value.facts["left_minor"] == CREDIT_MINOR - await account.credit_used()


async def test_an_invoice_is_paid_in_parts_and_gives_its_credit_back(account: Account) -> None:
    await account.buy(account.ann, SMALL)
    [invoice] = await account.invoice_all()
    await account.receive(500, f"part of {invoice.number}", named=False)
    assert await account.credit_used() == invoice.total_minor - 500 == await account.owed()
    matched = await account.receive(invoice.total_minor - 500, invoice.number.lower(), named=False)
    assert [one.state for one in matched.invoices] == ["paid"]
    assert (await account.credit_used(), await account.owed()) == (0, 0)


async def test_the_same_transfer_counts_once_and_another_under_its_reference_is_refused(account: Account) -> None:
    await account.buy(account.ann, SMALL)
    [invoice] = await account.invoice_all()
    for _ in range(2):
        await account.receive(500, invoice.number, reference="stmt-1")
    assert await account.credit_used() == invoice.total_minor - 500
    with pytest.raises(ConflictError, match="another transfer"):
        await account.receive(501, invoice.number, reference="stmt-1")


async def test_money_of_nobody_known_waits_until_somebody_says_whose_it_is(account: Account) -> None:
    bought = await account.buy(account.ann, SMALL)
    await account.invoice_all()
    waiting = await account.receive(bought.total_minor, "thank you", named=False)
    assert (waiting.receipt.company_id, waiting.invoices, await account.owed()) == (None, [], bought.total_minor)
    found = await account.do(lambda tx: billing.assign_receipt(tx, waiting.receipt.id, account.company, account.now))
    assert [one.state for one in found.invoices] == ["paid"]
    assert (await account.owed(), sum((await ledger(account.record)).values())) == (0, 0)


async def test_an_invoice_that_is_not_paid_in_time_is_overdue(account: Account) -> None:
    await account.buy(account.ann, SMALL)
    await account.invoice_all()
    assert await mark_overdue(account.record, CELL, account.clock) == 0
    account.clock.now += 31 * 86_400_000
    assert await mark_overdue(account.record, CELL, account.clock) == 1
    assert [one.state for one in await account.invoice_all()] == ["overdue"]


async def test_an_order_that_is_cancelled_is_credited_and_its_credit_is_free_again(account: Account) -> None:
    bought = await account.buy(account.ann, SMALL)
    assert bought.order_id is not None
    order_id = bought.order_id
    await account.invoice_all()
    await account.do(lambda tx: cancel(tx, order_id, Cancellation(reason="too late")))
    [invoice] = await account.invoice_all()
    assert (invoice.state, await account.credit_used(), await account.owed()) == ("credited", 0, 0)


async def test_the_taxes_of_credit_notes_for_parts_sum_to_those_of_the_invoice(account: Account) -> None:
    bought = await account.buy(account.ann, {"tea": 3})
    assert bought.order_id is not None
    order_id = bought.order_id
    for pieces in (1, 2):
        part = Cancellation(reason="too many", lines=[LinePieces(line=1, quantity=pieces)])
        await account.do(lambda tx, part=part: cancel(tx, order_id, part))  # type: ignore[misc]  # bound at once
    await account.invoice_all()
    async with account.record.reading() as connection:
        invoiced = await connection.fetchval("SELECT body FROM business.invoice")
        credited = await connection.fetch("SELECT body FROM business.credit_note")
    wanted = msgspec.json.decode(invoiced, type=Document)
    notes = [msgspec.json.decode(row["body"], type=Document) for row in credited]
    assert wanted.tax_minor > 0
    assert [len(notes), sum(note.tax_minor for note in notes)] == [2, wanted.tax_minor]
    assert sum(tax.base_minor for note in notes for tax in note.taxes) == sum(tax.base_minor for tax in wanted.taxes)


async def test_invoices_are_numbered_without_gaps_whatever_is_rolled_back(account: Account) -> None:
    for _ in range(3):
        await account.buy(account.bea, {"cup": 1})

    async def die(tx: Transaction) -> None:
        await billing._number(tx, "INV", account.now)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await account.do(die)
    numbers = [one.number for one in await account.invoice_all()]
    assert [number.rpartition("-")[2] for number in numbers] == ["000001", "000002", "000003"]


async def test_what_was_negotiated_is_ordered_once_at_its_prices(account: Account) -> None:
    agreed = await agree(account, 350)
    bought = await account.buy(account.bea, {}, negotiation=agreed.id)
    [invoice] = await account.invoice_all()
    assert (bought.state, invoice.total_minor) == ("ordered", bought.total_minor)
    async with account.record.reading() as connection:
        goods = await connection.fetchval("SELECT goods_minor FROM ordering.orders WHERE id = $1", bought.order_id)
        number = await connection.fetchval("SELECT body ->> 'purchase_order' FROM business.invoice")
    assert (goods, number) == (50 * 350, "PO-7")
    with pytest.raises(ConflictError):
        await account.ask(account.bea, {}, negotiation=agreed.id)


async def test_nobody_accepts_their_own_proposal_nor_what_has_expired(account: Account) -> None:
    asked = NegotiationDraft(buyer_id=account.bea, market="uk", lines=[WantedPieces(sku="cup", quantity=5)])
    one = (await account.do(lambda tx: negotiating.request_prices(tx, account.company, asked, account.now))).negotiation.id
    until = account.now + timedelta(days=1)
    await account.do(lambda tx: negotiating.offer(tx, one, {"cup": 400}, until, "", account.now))
    with pytest.raises(ConflictError, match="other side"):
        await account.do(lambda tx: negotiating.accept(tx, one, "merchant", "", account.now))
    account.clock.now += 2 * 86_400_000
    with pytest.raises(NegotiationExpiredError):
        await account.do(lambda tx: negotiating.accept(tx, one, "company", "", account.now))
    assert await expire_negotiations(account.record, CELL, account.clock) == 1


async def test_an_approved_purchase_that_was_left_behind_is_ordered_by_the_job_once(account: Account) -> None:
    asked = await account.ask(account.ann, SMALL)
    assert [await account.purchasing.order_waiting() for _ in range(2)] == [1, 0]
    assert (await account.purchasing.order(asked.id)).state == "ordered"
    assert await account.credit_used() == asked.total_minor

"""Whatever is bought, paid, cancelled and settled in whatever order: so much of a credit is used as is open of its invoices."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base.errors import EntrepotError
from entrepot.commerce.aftersale.commands import cancel
from entrepot.commerce.aftersale.requests import Cancellation, LinePieces
from entrepot.commerce.business import billing
from entrepot.commerce.business.invoicing import Invoice
from entrepot.record.transaction import Record
from tests.account import CREDIT_MINOR, Account, open_account
from tests.trade import ledger

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "pay", "pay", "cancel", "part", "note"]), st.integers(0, 4), st.integers(1, 30_000)
    ),
    max_size=10,
)


@pytest.fixture
async def account(record: Record, gateway_url: str) -> AsyncIterator[Account]:
    async with open_account(record, gateway_url) as opened:
        yield opened


async def take(account: Account, step: tuple[str, int, int]) -> None:
    """Do one thing; what is refused changes nothing."""
    kind, which, amount = step
    invoices = await account.invoice_all()
    try:
        if kind == "buy":
            await account.buy(account.bea, {"tea": amount % 40 + 1, "cup": which + 1})
        elif which < len(invoices):
            await settle(account, kind, invoices[which], amount)
    except EntrepotError:
        return


async def settle(account: Account, kind: str, invoice: Invoice, amount: int) -> None:
    """Pay an invoice, cancel its order or a piece of it, or use a credit note for it."""
    if kind == "pay":
        await account.receive(amount, invoice.number if amount % 2 else "")
    elif kind == "note":
        async with account.record.reading() as connection:
            note = await connection.fetchval("SELECT id FROM business.credit_note WHERE used_minor < total_minor LIMIT 1")
        if note is not None:
            await account.do(lambda tx: billing.settle_by_credit_note(tx, invoice.id, note, None, account.now))
    else:
        lines = [LinePieces(line=1, quantity=1)] if kind == "part" else None
        await account.do(lambda tx: cancel(tx, invoice.order_id, Cancellation(reason="no need", lines=lines)))


async def moved(account: Account, table: str, column: str) -> int:
    """Return the sum of a column of this account's company."""
    async with account.record.reading() as connection:
        found = await connection.fetchval(
            f"SELECT coalesce(sum({column}), 0) FROM business.{table} WHERE company_id = $1", account.company
        )
    return int(found)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_credit_ledger_and_invoices_say_the_same(account: Account, steps: list[tuple[str, int, int]]) -> None:
    for step in steps:
        await take(account, step)
    invoices = await account.invoice_all()
    still_open = sum(invoice.open_minor for invoice in invoices)
    assert await account.credit_used() == still_open <= CREDIT_MINOR
    settled = await moved(account, "receipt", "used_minor") + await moved(account, "credit_note", "used_minor")
    assert settled == sum(invoice.paid_minor + invoice.credited_minor for invoice in invoices)
    received = await moved(account, "receipt", "amount_minor") + await moved(account, "credit_note", "total_minor")
    assert await account.owed() == sum(invoice.total_minor for invoice in invoices) - received
    assert sum((await ledger(account.record)).values()) == 0

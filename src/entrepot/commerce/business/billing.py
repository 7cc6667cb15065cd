"""The commands on invoices, credit notes and money that comes in. Time comes in as ``now``.

Locks are taken in one order: the company, then its invoices by id, then what settles them; allowances last of all, by
``give_back``, since the hot path locks several of them at once.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Token
from entrepot.commerce.business import billing_store as store
from entrepot.commerce.business import invoicing as rules
from entrepot.commerce.business.events import (
    CREDIT_NOTE_ISSUED,
    INVOICE_ISSUED,
    INVOICE_OVERDUE,
    INVOICE_SETTLED,
    RECEIPT_NOTED,
    InvoiceChanged,
    Party,
    ReceiptNoted,
)
from entrepot.commerce.business.invoicing import Invoice, Means, Receipt, ReceiptDraft
from entrepot.commerce.business.store import give_credit_back, known_company
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced, TaxLine
from entrepot.commerce.ordering.store import book
from entrepot.record.transaction import Fact, Transaction


class Matched(Struct, frozen=True, kw_only=True):
    """A receipt, the invoices it settled (as they now are), and the position of the change."""

    receipt: ReceiptNoted
    invoices: list[InvoiceChanged]
    position: str | None = None


class Freed:
    """How much of whose credit was given back in a transaction."""

    def __init__(self) -> None:
        self.by_company: Counter[UUID] = Counter()


async def give_back(tx: Transaction, freed: Freed) -> None:
    """Give credit back, the last thing in a transaction; in the order in which the hot path locks allowances."""
    for company_id, amount in sorted(freed.by_company.items(), key=lambda one: str(one[0])):
        await give_credit_back(tx.connection, tx.cell, await known_company(tx.connection, tx.cell, company_id), amount)


async def invoice_order(tx: Transaction, order: OrderPlaced, now: datetime) -> None:
    """Issue the invoice of an order on terms; an order that has one is left alone."""
    assert order.company_id is not None
    company = await known_company(tx.connection, tx.cell, order.company_id, for_update=True)
    if await store.invoice_of_order(tx.connection, tx.cell, order.id) is not None:
        return
    number = await _number(tx, rules.INVOICES, now)
    titles = await store.titles(tx.connection, [line.product_id for line in order.lines])
    document = rules.document(
        number,
        await store.issuer(tx.connection, tx.cell),
        company,
        order,
        await store.purchase_order(tx.connection, tx.cell, company.id, order.id),
        {line.sku: titles.get(line.product_id, "") for line in order.lines},
    )
    invoice = rules.bill(tx.ids.fresh(), number, order, company, now)
    await store.put_invoice(tx.connection, tx.cell, invoice, document)
    await tx.append([Fact(INVOICE_ISSUED, f"invoice/{invoice.id}", 1, invoice.told())])


async def credit_order(
    tx: Transaction, freed: Freed, order_id: UUID, about_id: UUID, reason: str, now: datetime, *,
    lines: Sequence[Line], charges: Sequence[Charge], taxes: Sequence[TaxLine], total_minor: int,
) -> None:  # fmt: skip
    """Issue the credit note of something that is owed back of an order, and settle its invoice with it as far as that is open.

    An order without an invoice, and a cause that has its note, are left alone.
    """
    found = await store.invoice_of_order(tx.connection, tx.cell, order_id)
    if found is None or total_minor <= 0:
        return
    await known_company(tx.connection, tx.cell, found[0].company_id, for_update=True)
    if await store.is_credited(tx.connection, tx.cell, about_id):
        return
    invoice = await store.locked_invoice(tx.connection, tx.cell, found[0].id)
    number = await _number(tx, rules.CREDIT_NOTES, now)
    document = rules.credit_document(number, found[1], reason, lines, charges, taxes, total_minor)
    note = rules.credit_note(tx.ids.fresh(), number, invoice, about_id, total_minor, now)
    await store.put_credit_note(tx.connection, tx.cell, note, document)
    await tx.append([Fact(CREDIT_NOTE_ISSUED, f"credit_note/{note.id}", 1, note)])
    part = min(total_minor, invoice.open_minor)
    if part:
        await store.use_credit_note(tx.connection, tx.cell, note.id, part)
        await _settle(tx, freed, invoice, part, "credited", now, note_id=note.id)


async def note_receipt(tx: Transaction, draft: ReceiptDraft, now: datetime) -> Matched:
    """Note money that came to the bank, and settle what it is for; the same transfer again changes nothing."""
    fresh = rules.receipt(tx.ids.fresh(), draft)
    named = await store.invoices_numbered(tx.connection, tx.cell, rules.named_in(draft.remittance))
    owner = rules.owner(draft.company_id, named)
    money = rules.owned_by(fresh, owner)
    if owner is not None:
        await known_company(tx.connection, tx.cell, owner, for_update=True)
    if not await store.put_receipt(tx.connection, tx.cell, money):
        known = await store.receipt_of(tx.connection, tx.cell, draft.bank_reference)
        rules.check_same_transfer(known, draft)
        return Matched(receipt=known.told(), invoices=[])
    await book(tx.connection, tx.cell, money.id, money.currency, now, "received", rules.book_receipt(money))
    return await _match(tx, money, named, now)


async def assign_receipt(tx: Transaction, receipt_id: UUID, company_id: UUID, now: datetime) -> Matched:
    """Say whose money a receipt is, and settle that company's invoices with it."""
    await known_company(tx.connection, tx.cell, company_id, for_update=True)
    waiting = await store.locked_receipt(tx.connection, tx.cell, receipt_id)
    money = rules.assign(waiting, company_id)
    found = rules.book_owner_found(money, company_id)
    await book(tx.connection, tx.cell, money.id, money.currency, now, "assigned", found)
    return await _match(tx, money, [], now)


async def settle_by_receipt(
    tx: Transaction, invoice_id: UUID, receipt_id: UUID, amount_minor: int | None, now: datetime
) -> InvoiceChanged:
    """Settle an invoice with what is left of its company's money; None: as much as it can."""
    freed, invoice = Freed(), await _locked(tx, invoice_id)
    money = await store.locked_receipt(tx.connection, tx.cell, receipt_id)
    rules.check_same_owner(invoice, money.company_id, money.currency)
    part = rules.part_of(invoice, money.left_minor, amount_minor)
    settled = await _settle(tx, freed, invoice, part, "paid", now, receipt_id=receipt_id)
    await _tell_receipt(tx, rules.use(money, part, more=1))
    await give_back(tx, freed)
    return settled.told()


async def settle_by_credit_note(
    tx: Transaction, invoice_id: UUID, note_id: UUID, amount_minor: int | None, now: datetime
) -> InvoiceChanged:
    """Settle an invoice with what is left of a credit note of its company; None: as much as it can."""
    freed, invoice = Freed(), await _locked(tx, invoice_id)
    note = await store.locked_credit_note(tx.connection, tx.cell, note_id)
    rules.check_same_owner(invoice, note.company_id, note.currency)
    part = rules.part_of(invoice, note.left_minor, amount_minor)
    await store.use_credit_note(tx.connection, tx.cell, note_id, part)
    settled = await _settle(tx, freed, invoice, part, "credited", now, note_id=note_id)
    await give_back(tx, freed)
    return settled.told()


async def mark_overdue(tx: Transaction, now: datetime, limit: int) -> int:
    """Tell of invoices that were not settled in time; returns how many."""
    due = await store.invoices_to_become_overdue(tx.connection, tx.cell, now.date(), limit)
    for invoice_id in due:
        invoice = rules.fall_due(await store.locked_invoice(tx.connection, tx.cell, invoice_id))
        await store.change_invoice(tx.connection, tx.cell, invoice)
        await tx.append([Fact(INVOICE_OVERDUE, f"invoice/{invoice.id}", invoice.version, invoice.told())])
    return len(due)


async def save_issuer(tx: Transaction, party: Party) -> None:
    """Say who writes the invoices of this cell; those already sent stay as they are."""
    await store.put_issuer(tx.connection, tx.cell, party)


async def _match(tx: Transaction, money: Receipt, named: Sequence[Invoice], now: datetime) -> Matched:
    """Settle what money is for, as far as its owner is known, and tell of it."""
    freed, settled = Freed(), []
    opened = await store.open_invoices(tx.connection, tx.cell, money.company_id) if money.company_id else []
    parts = rules.match(money, named, opened)
    for invoice, part in parts:
        settled.append(await _settle(tx, freed, invoice, part, "paid", now, receipt_id=money.id))
    money = rules.use(money, sum(part for _, part in parts))
    token = await _tell_receipt(tx, money)
    await give_back(tx, freed)
    return Matched(receipt=money.told(), invoices=[one.told() for one in settled], position=str(token))


async def _settle(
    tx: Transaction, freed: Freed, invoice: Invoice, amount_minor: int, means: Means, now: datetime, *,
    receipt_id: UUID | None = None, note_id: UUID | None = None,
) -> Invoice:  # fmt: skip
    settled = rules.settle(invoice, amount_minor, means)
    await store.change_invoice(tx.connection, tx.cell, settled)
    await store.put_settlement(tx.connection, tx.cell, tx.ids.fresh(), invoice.id, receipt_id, note_id, amount_minor, now)
    await tx.append([Fact(INVOICE_SETTLED, f"invoice/{invoice.id}", settled.version, settled.told())])
    freed.by_company[invoice.company_id] += amount_minor
    return settled


async def _tell_receipt(tx: Transaction, money: Receipt) -> Token:
    await store.change_receipt(tx.connection, tx.cell, money)
    return await tx.append([Fact(RECEIPT_NOTED, f"receipt/{money.id}", money.version, money.told())])


async def _locked(tx: Transaction, invoice_id: UUID) -> Invoice:
    """Lock an invoice, after its company."""
    company_id = await store.company_of_invoice(tx.connection, tx.cell, invoice_id)
    await known_company(tx.connection, tx.cell, company_id, for_update=True)
    return await store.locked_invoice(tx.connection, tx.cell, invoice_id)


async def _number(tx: Transaction, series: str, now: datetime) -> str:
    """Take the next number of a series; the transaction that takes it must write the document."""
    return rules.number(series, tx.cell, now.year, await store.take_number(tx.connection, tx.cell, series, now.year))

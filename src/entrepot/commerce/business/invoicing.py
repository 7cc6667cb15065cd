"""Pure decisions about what companies owe: the invoice of an order, its credit notes, and which money settles which invoice.

Of a company's credit so much is used as is open of its invoices (and of its orders that have no invoice yet): whatever settles
an invoice, money or a credit note, gives as much credit back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.base.money import currency
from entrepot.commerce.business.events import (
    CompanySaved,
    CreditNoteIssued,
    Document,
    InvoiceChanged,
    InvoiceState,
    Party,
    ReceiptNoted,
)
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced, TaxLine
from entrepot.commerce.ordering.rules import Transfer

INVOICE = Machine(
    "invoice",
    {
        "open": ("part_paid", "overdue", "paid", "credited"),
        "part_paid": ("overdue", "paid", "credited"),
        "overdue": ("paid", "credited"),
        "paid": (),
        "credited": (),
    },
)
INVOICES, CREDIT_NOTES = "INV", "CRN"
UNMATCHED = "unmatched"
Means = Literal["paid", "credited"]


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice's row, but for the document."""

    id: UUID
    number: str
    state: InvoiceState
    company_id: UUID
    order_id: UUID
    issued_at: datetime
    due_on: date
    currency: str
    total_minor: int
    paid_minor: int
    credited_minor: int
    version: int

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        return self.total_minor - self.paid_minor - self.credited_minor

    def told(self) -> InvoiceChanged:
        """Return what an event says of it."""
        return InvoiceChanged(**{name: getattr(self, name) for name in InvoiceChanged.__struct_fields__})


class Receipt(Struct, frozen=True, kw_only=True):
    """A receipt's row."""

    id: UUID
    bank_reference: str
    company_id: UUID | None
    remittance: str
    received_on: date
    currency: str
    amount_minor: int
    used_minor: int
    version: int

    @property
    def left_minor(self) -> int:
        """What has settled no invoice yet."""
        return self.amount_minor - self.used_minor

    def told(self) -> ReceiptNoted:
        """Return what an event says of it; the text of the transfer may name a person, and stays here."""
        return ReceiptNoted(**{name: getattr(self, name) for name in ReceiptNoted.__struct_fields__})


class CreditLeft(Struct, frozen=True, kw_only=True):
    """Whose a credit note is, and what of it has settled no invoice yet."""

    company_id: UUID
    currency: str
    left_minor: int


class ReceiptDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank transfer as the statement shows it; without a ``company_id`` the remittance text must name its invoices."""

    bank_reference: str
    received_on: date
    currency: str
    amount_minor: int
    remittance: str = ""
    company_id: UUID | None = None


def number(series: str, cell: int, year: int, count: int) -> str:
    """Return a document's number. Each cell counts by itself, since nothing counts without gaps across cells."""
    return f"{series}{cell}-{year}-{count:06}"


def bill(invoice_id: UUID, document: str, order: OrderPlaced, company: CompanySaved, now: datetime) -> Invoice:
    """Return the invoice of an order on terms: all of it, due after the company's days."""
    return Invoice(
        id=invoice_id,
        number=document,
        state="open" if order.total_minor else "paid",
        company_id=company.id,
        order_id=order.id,
        issued_at=now,
        due_on=now.astimezone(UTC).date() + timedelta(days=company.terms_days),
        currency=order.currency,
        total_minor=order.total_minor,
        paid_minor=0,
        credited_minor=0,
        version=1,
    )


def document(
    document_number: str,
    issuer: Party,
    company: CompanySaved,
    order: OrderPlaced,
    purchase_order: str,
    titles: Mapping[str, str],
) -> Document:
    """Return an order as the invoice shows it; its sums are the order's."""
    shown = Document(
        number=document_number,
        issuer=issuer,
        company=party_of(company),
        order_id=order.id,
        currency=order.currency,
        lines=order.lines,
        charges=order.charges,
        taxes=order.taxes,
        titles=dict(titles),
        purchase_order=purchase_order,
        goods_minor=order.goods_minor,
        charges_minor=order.charges_minor,
        tax_minor=order.tax_minor,
        total_minor=order.total_minor,
    )
    assert sum(line.amount_minor for line in shown.lines) == shown.goods_minor, order.id
    assert shown.goods_minor + sum(charge.amount_minor for charge in shown.charges) == shown.total_minor, order.id
    return shown


def credit_document(
    note_number: str,
    invoiced: Document,
    reason: str,
    lines: Sequence[Line],
    charges: Sequence[Charge],
    taxes: Sequence[TaxLine],
    total_minor: int,
) -> Document:
    """Return what is credited of an invoice, for the reason."""
    return msgspec.structs.replace(
        invoiced,
        number=note_number,
        of_invoice=invoiced.number,
        reason=reason,
        lines=list(lines),
        charges=list(charges),
        taxes=list(taxes),
        goods_minor=sum(line.amount_minor for line in lines),
        charges_minor=sum(charge.amount_minor for charge in charges),
        tax_minor=sum(tax.tax_minor for tax in taxes),
        total_minor=total_minor,
    )


def party_of(company: CompanySaved) -> Party:
    """Return a company as a document names it."""
    return Party(name=company.name, address=company.address, country=company.country, vat_id=company.vat_id)


def settle(invoice: Invoice, amount_minor: int, means: Means) -> Invoice:
    """Return the invoice after so much of it was paid or credited; never more than is open."""
    if not 0 < amount_minor <= invoice.open_minor:
        raise ConflictError(
            f"{amount_minor} minor units cannot settle the invoice {invoice.number}, of which {invoice.open_minor} are open.",
            invoice=invoice.number,
            open_minor=invoice.open_minor,
        )
    paid = invoice.paid_minor + (amount_minor if means == "paid" else 0)
    credited = invoice.credited_minor + (amount_minor if means == "credited" else 0)
    if paid + credited == invoice.total_minor:
        state: InvoiceState = "paid" if paid else "credited"
    else:
        state = "overdue" if invoice.state == "overdue" else "part_paid"
    if state != invoice.state:
        INVOICE.check(invoice.number, invoice.state, state)
    return msgspec.structs.replace(invoice, state=state, paid_minor=paid, credited_minor=credited, version=invoice.version + 1)


def fall_due(invoice: Invoice) -> Invoice:
    """Return an invoice that was not settled in time."""
    INVOICE.check(invoice.number, invoice.state, "overdue")
    return msgspec.structs.replace(invoice, state="overdue", version=invoice.version + 1)


def receipt(receipt_id: UUID, draft: ReceiptDraft) -> Receipt:
    """Return the receipt that a transfer makes, or refuse it by name."""
    if not 1 <= draft.amount_minor <= limits.MINOR_MAX:
        raise BadInputError(f"A transfer of {draft.amount_minor} minor units is out of range: 1 to {limits.MINOR_MAX}.")
    if not (1 <= len(draft.bank_reference) <= limits.COMPANY_TEXT_CHARS_MAX and draft.bank_reference.isprintable()):
        raise BadInputError("The bank's reference of a transfer is what makes it known again: give it as the statement has it.")
    if len(draft.remittance) > limits.REMITTANCE_CHARS_MAX:
        raise BadInputError(f"The remittance text has more than {limits.REMITTANCE_CHARS_MAX} characters: shorten it.")
    return Receipt(
        id=receipt_id,
        bank_reference=draft.bank_reference,
        company_id=draft.company_id,
        remittance=draft.remittance,
        received_on=draft.received_on,
        currency=currency(draft.currency),
        amount_minor=draft.amount_minor,
        used_minor=0,
        version=1,
    )


def named_in(remittance: str) -> list[str]:
    """Return the words of a remittance text that may be numbers of invoices, as we write them."""
    words = "".join(c if c.isalnum() or c == "-" else " " for c in remittance.upper()).split()
    return list(dict.fromkeys(word for word in words if word.startswith(INVOICES)))


def owner(given: UUID | None, named: Sequence[Invoice]) -> UUID | None:
    """Return whose money it is: the company given, else the one whose invoices are named; None when that is not one company."""
    companies = {invoice.company_id for invoice in named} if given is None else {given}
    return companies.pop() if len(companies) == 1 else None


def match(money: Receipt, named: Sequence[Invoice], opened: Sequence[Invoice]) -> list[tuple[Invoice, int]]:
    """Return which invoices a receipt settles, and by how much: those it names, else the one of its amount, else the oldest.

    What it does not settle stays on the company's account.
    """
    fitting = [invoice for invoice in opened if invoice.currency == money.currency and invoice.open_minor]
    wanted = {invoice.id for invoice in named}
    chosen = [invoice for invoice in fitting if invoice.id in wanted]
    if not wanted:
        exact = [invoice for invoice in fitting if invoice.open_minor == money.left_minor]
        chosen = exact[:1] or fitting
    left, parts = money.left_minor, []
    for invoice in sorted(chosen, key=lambda one: (one.due_on, one.number)):
        part = min(left, invoice.open_minor)
        if part:
            parts.append((invoice, part))
            left -= part
    return parts


def use(money: Receipt, amount_minor: int, *, more: int = 0) -> Receipt:
    """Return the receipt of which so much has settled an invoice, so many versions on (0: the change is told with another)."""
    return msgspec.structs.replace(money, used_minor=money.used_minor + amount_minor, version=money.version + more)


def owned_by(money: Receipt, company_id: UUID | None) -> Receipt:
    """Return a new receipt with its owner, as far as that is known."""
    return msgspec.structs.replace(money, company_id=company_id)


def assign(money: Receipt, company_id: UUID) -> Receipt:
    """Return a receipt that waited for its owner, with that owner."""
    if money.company_id is not None:
        raise ConflictError(f"The receipt {money.id} is the company {money.company_id}'s already.", receipt_id=str(money.id))
    return msgspec.structs.replace(money, company_id=company_id, version=money.version + 1)


def check_same_transfer(known: Receipt, draft: ReceiptDraft) -> None:
    """Refuse another transfer under a bank's reference that was noted before."""
    if (known.amount_minor, known.currency, known.received_on) != (draft.amount_minor, draft.currency, draft.received_on):
        raise ConflictError(
            f"The bank's reference {known.bank_reference!r} is of another transfer, noted before: check the statement.",
            receipt_id=str(known.id),
        )


def part_of(invoice: Invoice, left_minor: int, asked_minor: int | None) -> int:
    """Return how much of an invoice money or a credit note settles: as asked, else all it can; more than is left is refused."""
    amount = min(left_minor, invoice.open_minor) if asked_minor is None else asked_minor
    if not 0 < amount <= left_minor:
        raise ConflictError(
            f"{amount} minor units cannot be taken where {left_minor} are left: ask for less.", left_minor=left_minor
        )
    return amount


def check_same_owner(invoice: Invoice, company_id: UUID | None, of: str) -> None:
    """Refuse to settle an invoice with another company's money or in another currency."""
    if company_id != invoice.company_id:
        raise ConflictError(f"The money is not (yet) of the company whose invoice {invoice.number} is: assign it first.")
    if of != invoice.currency:
        raise ConflictError(f"The invoice {invoice.number} is in {invoice.currency}, the money in {of}: choose another.")


def book_receipt(money: Receipt) -> list[Transfer]:
    """Return what money at the bank books: the company owes less, or nobody knows yet who does."""
    return [Transfer("bank", "receivable", money.amount_minor, "", str(money.company_id or UNMATCHED))]


def book_owner_found(money: Receipt, company_id: UUID) -> list[Transfer]:
    """Return what it books to learn whose money it was."""
    return [Transfer("receivable", "receivable", money.amount_minor, UNMATCHED, str(company_id))]


def credit_note(
    note_id: UUID, note_number: str, invoice: Invoice, about_id: UUID, total_minor: int, now: datetime
) -> CreditNoteIssued:
    """Return the credit note of an invoice."""
    return CreditNoteIssued(
        id=note_id,
        number=note_number,
        company_id=invoice.company_id,
        invoice_id=invoice.id,
        about_id=about_id,
        issued_at=now,
        currency=invoice.currency,
        total_minor=total_minor,
    )

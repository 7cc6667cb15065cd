"""What can have happened to companies, their purchases, negotiations and invoices.

Keys: ``company/<id>``, ``buyer/<id>``, ``purchase/<id>``, ``negotiation/<id>``, ``invoice/<id>``, ``credit_note/<id>``,
``receipt/<id>``. Every event carries the thing whole, as it then was; its kind says what happened. Buyers are named by id only.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from entrepot.commerce.ordering.events import Charge, Line, TaxLine

COMPANY_SAVED = "business.company_saved.v1"
BUYER_SAVED = "business.buyer_saved.v1"
PURCHASE_REQUESTED = "business.purchase_requested.v1"
PURCHASE_APPROVED = "business.purchase_approved.v1"
PURCHASE_REJECTED = "business.purchase_rejected.v1"
PURCHASE_WITHDRAWN = "business.purchase_withdrawn.v1"
PURCHASE_ORDERED = "business.purchase_ordered.v1"
PURCHASE_REFUSED = "business.purchase_refused.v1"
NEGOTIATION_REQUESTED = "business.negotiation_requested.v1"
NEGOTIATION_OFFERED = "business.negotiation_offered.v1"
NEGOTIATION_COUNTERED = "business.negotiation_countered.v1"
NEGOTIATION_ACCEPTED = "business.negotiation_accepted.v1"
NEGOTIATION_DECLINED = "business.negotiation_declined.v1"
NEGOTIATION_EXPIRED = "business.negotiation_expired.v1"
NEGOTIATION_ORDERED = "business.negotiation_ordered.v1"
INVOICE_ISSUED = "business.invoice_issued.v1"
INVOICE_SETTLED = "business.invoice_settled.v1"
INVOICE_OVERDUE = "business.invoice_overdue.v1"
CREDIT_NOTE_ISSUED = "business.credit_note_issued.v1"
RECEIPT_NOTED = "business.receipt_noted.v1"

Role = Literal["buyer", "approver"]
PurchaseState = Literal["pending", "approved", "ordered", "refused", "rejected", "withdrawn"]
NegotiationState = Literal["requested", "offered", "countered", "accepted", "ordered", "declined", "expired"]
InvoiceState = Literal["open", "part_paid", "overdue", "paid", "credited"]
Side = Literal["company", "merchant"]


class CompanySaved(Struct, frozen=True, kw_only=True):
    """A company as it now is. ``credit_limit_minor`` is in its currency; an order is due ``terms_days`` after its invoice."""

    id: UUID
    name: str
    country: str
    currency: str
    credit_limit_minor: int
    terms_days: int
    vat_id: str = ""
    address: str = ""
    state: Literal["active", "blocked"] = "active"


class BuyerSaved(Struct, frozen=True, kw_only=True):
    """Who may buy for a company, and up to how much alone; None is without limit."""

    id: UUID
    company_id: UUID
    role: Role
    order_limit_minor: int | None
    month_limit_minor: int | None
    state: Literal["active", "left"] = "active"


class PurchaseChanged(Struct, frozen=True, kw_only=True):
    """A purchase as it now is. ``why`` says in a sentence why it waits, or was refused or rejected."""

    id: UUID
    company_id: UUID
    buyer_id: UUID
    state: PurchaseState
    currency: str
    total_minor: int
    purchase_order: str = ""
    negotiation_id: UUID | None = None
    decided_by: UUID | None = None
    order_id: UUID | None = None
    why: str = ""


class NegotiationChanged(Struct, frozen=True, kw_only=True):
    """A negotiation as it now is: the last proposal, a price per piece for each article, and until when it holds."""

    id: UUID
    company_id: UUID
    buyer_id: UUID
    state: NegotiationState
    market: str
    currency: str
    skus: list[str]
    quantities: list[int]
    units_minor: list[int]
    proposed_by: Side
    valid_until: datetime | None = None


class Party(Struct, frozen=True, kw_only=True):
    """Who writes an invoice, or who it is for."""

    name: str
    address: str = ""
    country: str = ""
    vat_id: str = ""
    bank_account: str = ""


class Document(Struct, frozen=True, kw_only=True):
    """An invoice or a credit note as it was sent: parties, what was sold (or taken back), charges and taxes."""

    number: str
    issuer: Party
    company: Party
    order_id: UUID
    currency: str
    lines: list[Line]
    charges: list[Charge] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    purchase_order: str = ""
    reason: str = ""
    of_invoice: str = ""
    goods_minor: int = 0
    charges_minor: int = 0
    tax_minor: int = 0
    total_minor: int = 0


class InvoiceChanged(Struct, frozen=True, kw_only=True):
    """An invoice as it now is; what is open is the total less what was paid and credited."""

    id: UUID
    number: str
    state: InvoiceState
    company_id: UUID
    order_id: UUID
    issued_at: datetime
    due_on: date
    currency: str
    total_minor: int
    paid_minor: int = 0
    credited_minor: int = 0


class CreditNoteIssued(Struct, frozen=True, kw_only=True):
    """What a company is owed of an invoice: for an order that was cancelled, or goods that came back (``about_id``)."""

    id: UUID
    number: str
    company_id: UUID
    invoice_id: UUID
    about_id: UUID
    issued_at: datetime
    currency: str
    total_minor: int


class ReceiptNoted(Struct, frozen=True, kw_only=True):
    """Money that came to the bank, and how much of it has settled invoices. Without a company it waits for its owner's name."""

    id: UUID
    bank_reference: str
    company_id: UUID | None
    received_on: date
    currency: str
    amount_minor: int
    used_minor: int = 0

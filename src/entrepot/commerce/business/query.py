"""What other rooms ask of companies, purchases, negotiations and invoices, from the truth; reads only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.seals import Seals
from entrepot.commerce.business.events import (
    CompanySaved,
    Document,
    InvoiceChanged,
    NegotiationChanged,
    PurchaseChanged,
    ReceiptNoted,
    Role,
)
from entrepot.commerce.business.negotiation import Round
from entrepot.commerce.business.rules import month_of
from entrepot.commerce.business.store import BUYER_EMAIL, BUYER_NAME
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")


class CompanyView(Struct, frozen=True, kw_only=True):
    """A company with its credit: what is used of it, by open invoices and orders that have none yet, and what is left."""

    company: CompanySaved
    credit_used_minor: int
    credit_left_minor: int


class BuyerView(Struct, frozen=True, kw_only=True):
    """Who may buy for a company, and what they have spent this month (UTC)."""

    id: UUID
    name: str
    email: str
    role: Role
    order_limit_minor: int | None
    month_limit_minor: int | None
    state: str
    month_minor: int


class NegotiationView(Struct, frozen=True, kw_only=True):
    """A negotiation with its history."""

    negotiation: NegotiationChanged
    rounds: Sequence[Round]


class Settlement(Struct, frozen=True):
    """What has settled a part of an invoice."""

    receipt_id: UUID | None
    credit_note_id: UUID | None
    amount_minor: int
    at: datetime


class InvoiceView(Struct, frozen=True, kw_only=True):
    """An invoice as it stands, the document as it was sent, and what has settled it."""

    invoice: InvoiceChanged
    open_minor: int
    document: Document
    settlements: Sequence[Settlement] = ()


class CreditNote(Struct, frozen=True, kw_only=True):
    """A credit note, and how much of it has settled invoices."""

    id: UUID
    number: str
    company_id: UUID
    invoice_id: UUID
    about_id: UUID
    issued_at: datetime
    currency: str
    total_minor: int
    used_minor: int


class CreditNoteView(Struct, frozen=True, kw_only=True):
    """A credit note and its document."""

    credit_note: CreditNote
    document: Document


async def companies(connection: Connection, cell: int, before: UUID | None, limit: int) -> list[CompanyView]:
    """Return companies before an id, newest first."""
    return [_company(row) for row in await connection.fetch(SQL["companies"], cell, before, limit)]


async def company(connection: Connection, cell: int, company_id: UUID) -> CompanyView:
    """Return a company with its credit, or say that there is none."""
    return _company(_there(await connection.fetchrow(SQL["company"], cell, company_id), "company", company_id))


async def buyers(connection: Connection, cell: int, company_id: UUID, now: datetime, seals: Seals) -> list[BuyerView]:
    """Return who may buy for a company; one who was forgotten has neither name nor email."""
    rows = await connection.fetch(SQL["buyers"], cell, company_id, month_of(now))
    sealed = [
        (row["id"], {BUYER_NAME: row["name_sealed"], BUYER_EMAIL: row["email_sealed"]}) for row in rows if row["name_sealed"]
    ]
    opened = dict(zip((who for who, _ in sealed), await seals.unseal_many(sealed), strict=True))
    return [_buyer(row, opened.get(row["id"], {})) for row in rows]


async def purchases(
    connection: Connection, cell: int, company_id: UUID | None, state: str, before: UUID | None, limit: int
) -> list[PurchaseChanged]:
    """Return purchases before an id, newest first."""
    rows = await connection.fetch(SQL["purchases"], cell, company_id, state, before, limit)
    return [PurchaseChanged(**dict(row)) for row in rows]


async def purchase(connection: Connection, cell: int, purchase_id: UUID) -> PurchaseChanged:
    """Return a purchase, or say that there is none."""
    row = _there(await connection.fetchrow(SQL["purchase"], cell, purchase_id), "purchase", purchase_id)
    return PurchaseChanged(**dict(row))


async def negotiations(
    connection: Connection, cell: int, company_id: UUID | None, before: UUID | None, limit: int
) -> list[NegotiationChanged]:
    """Return negotiations before an id, newest first."""
    rows = await connection.fetch(SQL["negotiations"], cell, company_id, before, limit)
    return [NegotiationChanged(**dict(row)) for row in rows]


async def negotiation(connection: Connection, cell: int, negotiation_id: UUID) -> NegotiationView:
    """Return a negotiation with its history, or say that there is none."""
    row = _there(await connection.fetchrow(SQL["negotiation"], cell, negotiation_id), "negotiation", negotiation_id)
    rounds = [Round(**dict(one)) for one in await connection.fetch(SQL["rounds"], cell, negotiation_id)]
    return NegotiationView(negotiation=NegotiationChanged(**dict(row)), rounds=rounds)


async def invoices(
    connection: Connection, cell: int, company_id: UUID | None, state: str, before: UUID | None, limit: int
) -> list[InvoiceChanged]:
    """Return invoices before an id, newest first."""
    rows = await connection.fetch(SQL["invoices"], cell, company_id, state, before, limit)
    return [InvoiceChanged(**dict(row)) for row in rows]


async def invoice_of_order(connection: Connection, cell: int, order_id: UUID) -> InvoiceChanged | None:
    """Return the invoice of an order, or None: one that was paid by card has none."""
    row = await connection.fetchrow(SQL["invoice_of_order"], cell, order_id)
    return None if row is None else InvoiceChanged(**dict(row))


async def invoice(connection: Connection, cell: int, invoice_id: UUID) -> InvoiceView:
    """Return an invoice with its document and what has settled it, or say that there is none."""
    columns = dict(_there(await connection.fetchrow(SQL["invoice"], cell, invoice_id), "invoice", invoice_id))
    document = msgspec.json.decode(columns.pop("body"), type=Document)
    found = InvoiceChanged(**columns)
    settled = [Settlement(*row) for row in await connection.fetch(SQL["settlements"], cell, invoice_id)]
    left = found.total_minor - found.paid_minor - found.credited_minor
    return InvoiceView(invoice=found, open_minor=left, document=document, settlements=settled)


async def credit_notes(
    connection: Connection, cell: int, company_id: UUID | None, before: UUID | None, limit: int
) -> list[CreditNote]:
    """Return credit notes before an id, newest first."""
    return [CreditNote(**dict(row)) for row in await connection.fetch(SQL["credit_notes"], cell, company_id, before, limit)]


async def credit_note(connection: Connection, cell: int, note_id: UUID) -> CreditNoteView:
    """Return a credit note with its document, or say that there is none."""
    columns = dict(_there(await connection.fetchrow(SQL["credit_note"], cell, note_id), "credit note", note_id))
    document = msgspec.json.decode(columns.pop("body"), type=Document)
    return CreditNoteView(credit_note=CreditNote(**columns), document=document)


async def receipts(connection: Connection, cell: int, before: UUID | None, limit: int, *, unused: bool) -> list[ReceiptNoted]:
    """Return money that came in before an id, newest first; ``unused``: only what has settled nothing yet, or not all of it."""
    return [ReceiptNoted(**dict(row)) for row in await connection.fetch(SQL["receipts"], cell, unused, before, limit)]


def _there(row: asyncpg.Record | None, what: str, of: UUID) -> asyncpg.Record:
    if row is None:
        raise NotFoundError(f"There is no {what} {of}.", id=str(of))
    return row


def _buyer(row: asyncpg.Record, opened: Mapping[str, str | None]) -> BuyerView:
    columns = {name: value for name, value in row.items() if name not in {"name_sealed", "email_sealed"}}
    columns["name"] = opened.get(BUYER_NAME) or row["name"] or ""  # plain where it is not sealed yet
    columns["email"] = opened.get(BUYER_EMAIL) or row["email"] or ""
    return BuyerView(**columns)


def _company(row: asyncpg.Record) -> CompanyView:
    columns = dict(row)
    used = columns.pop("credit_used_minor")
    found = CompanySaved(**columns)
    return CompanyView(company=found, credit_used_minor=used, credit_left_minor=max(found.credit_limit_minor - used, 0))

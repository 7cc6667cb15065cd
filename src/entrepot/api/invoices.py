"""Invoices, credit notes, and the money that settles them: as JSON, and as a page to be printed."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.business import NO_STORE, OfCompany, asked, parse_company
from entrepot.api.catalogue import Done
from entrepot.api.headers import AtLeast, RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.time import utc
from entrepot.commerce.business import billing, query
from entrepot.commerce.business.billing import Matched
from entrepot.commerce.business.events import InvoiceChanged, Party, ReceiptNoted
from entrepot.commerce.business.invoicing import ReceiptDraft
from entrepot.commerce.business.query import CreditNote, CreditNoteView, InvoiceView
from entrepot.console.render import page as rendered
from entrepot.record.transaction import Transaction

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
OnlyState: TypeAlias = Annotated[
    Literal["", "open", "part_paid", "overdue", "paid", "credited"],
    QueryParameter(name="state", description="Only those that stand so."),
]
Unused: TypeAlias = Annotated[bool, QueryParameter(description="Only money of which something has settled no invoice yet.")]


class IssuerDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who writes the invoices: what the law wants on each of them, and where to pay."""

    name: str
    address: str
    vat_id: str = ""
    bank_account: str = ""


class SettlementDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What settles an invoice: what is left of a receipt or of a credit note, all it can or so much."""

    receipt_id: UUID | None = None
    credit_note_id: UUID | None = None
    amount_minor: int | None = None


class OwnerDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose money it is."""

    company_id: UUID


class Invoices(Struct, frozen=True, kw_only=True):
    """Invoices, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[InvoiceChanged]
    cursor: str


class CreditNotes(Struct, frozen=True, kw_only=True):
    """Credit notes, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[CreditNote]
    cursor: str


class Receipts(Struct, frozen=True, kw_only=True):
    """Money that came in, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[ReceiptNoted]
    cursor: str


@put("/v1/invoice-issuer", tags=["Invoices"], summary="Say who writes the invoices", opt={"permission": "invoices.write"})
async def save_issuer(parts: NamedDependency[Parts], data: JSONBody[IssuerDraft]) -> Done:
    """Say who writes the invoices from now on; those already sent stay as they are."""

    async def act(tx: Transaction) -> Done:
        party = Party(name=data.name, address=data.address, vat_id=data.vat_id, bank_account=data.bank_account)
        await billing.save_issuer(tx, party)
        return Done(changed=True)

    return await parts.run(act, Done)


@get("/v1/invoices", tags=["Invoices"], summary="List invoices", opt={"permission": "invoices.read"})
async def list_invoices(
    parts: NamedDependency[Parts],
    at_least: AtLeast,
    of_company: OfCompany = "",
    only: OnlyState = "",
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[Invoices]:
    """List invoices, newest first; ``state=overdue`` are those that were not paid in time."""
    company_id, after = parse_company(of_company), parse_cursor(cursor)
    items = await parts.recent(
        lambda connection: query.invoices(connection, parts.cell, company_id, only, after, limit), at_least
    )
    page = Invoices(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    more = next_link("/v1/invoices", page.cursor, limit, company=of_company, state=only)
    return Response(page, headers={**NO_STORE, **more})


@get("/v1/invoices/{invoice_id:uuid}", tags=["Invoices"], summary="One invoice", opt={"permission": "invoices.read"})
async def read_invoice(parts: NamedDependency[Parts], invoice_id: FromPath[UUID]) -> Response[InvoiceView]:
    """Read an invoice as it stands, as it was sent, and what has settled it."""
    async with parts.record.reading() as connection:
        return Response(await query.invoice(connection, parts.cell, invoice_id), headers=NO_STORE)


@get(
    "/v1/invoices/{invoice_id:uuid}/page",
    tags=["Invoices"],
    summary="An invoice to be printed",
    media_type="text/html",
    opt={"permission": "invoices.read"},
)
async def print_invoice(parts: NamedDependency[Parts], invoice_id: FromPath[UUID]) -> Response[str]:
    """Show an invoice as a page that prints on paper."""
    async with parts.record.reading() as connection:
        found = await query.invoice(connection, parts.cell, invoice_id)
    told = {"what": "Invoice", "document": found.document, "issued_at": found.invoice.issued_at, "invoice": found}
    return rendered("invoice.html", "", told, clock=parts.clock)


@post(
    "/v1/invoices/{invoice_id:uuid}/settlements",
    tags=["Invoices"],
    summary="Settle an invoice by hand",
    opt={"permission": "invoices.write"},
)
async def settle(
    parts: NamedDependency[Parts],
    invoice_id: FromPath[UUID],
    data: JSONBody[SettlementDraft],
    idempotency_key: RequiredKey = "",
) -> Response[InvoiceChanged]:
    """Settle an invoice with what is left of a receipt, or of a credit note, of the same company."""

    async def act(tx: Transaction) -> InvoiceChanged:
        now = utc(parts.clock.millis())
        if data.receipt_id is not None and data.credit_note_id is None:
            return await billing.settle_by_receipt(tx, invoice_id, data.receipt_id, data.amount_minor, now)
        if data.credit_note_id is not None and data.receipt_id is None:
            return await billing.settle_by_credit_note(tx, invoice_id, data.credit_note_id, data.amount_minor, now)
        raise BadInputError("An invoice is settled by a receipt or by a credit note: give one of the two.", field="receipt_id")

    settled = await parts.run(act, InvoiceChanged, required(idempotency_key), asked(f"settle {invoice_id}", data))
    return Response(settled, status_code=201)


@get("/v1/credit-notes", tags=["Invoices"], summary="List credit notes", opt={"permission": "invoices.read"})
async def list_credit_notes(
    parts: NamedDependency[Parts], at_least: AtLeast, of_company: OfCompany = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[CreditNotes]:
    """List credit notes, newest first, with what of each has settled invoices."""
    company_id, after = parse_company(of_company), parse_cursor(cursor)
    items = await parts.recent(
        lambda connection: query.credit_notes(connection, parts.cell, company_id, after, limit), at_least
    )
    page = CreditNotes(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link("/v1/credit-notes", page.cursor, limit, company=of_company)})


@get("/v1/credit-notes/{note_id:uuid}", tags=["Invoices"], summary="One credit note", opt={"permission": "invoices.read"})
async def read_credit_note(parts: NamedDependency[Parts], note_id: FromPath[UUID]) -> Response[CreditNoteView]:
    """Read a credit note as it stands and as it was sent."""
    async with parts.record.reading() as connection:
        return Response(await query.credit_note(connection, parts.cell, note_id), headers=NO_STORE)


@get(
    "/v1/credit-notes/{note_id:uuid}/page",
    tags=["Invoices"],
    summary="A credit note to be printed",
    media_type="text/html",
    opt={"permission": "invoices.read"},
)
async def print_credit_note(parts: NamedDependency[Parts], note_id: FromPath[UUID]) -> Response[str]:
    """Show a credit note as a page that prints on paper."""
    async with parts.record.reading() as connection:
        found = await query.credit_note(connection, parts.cell, note_id)
    told = {"what": "Credit note", "document": found.document, "issued_at": found.credit_note.issued_at, "invoice": None}
    return rendered("invoice.html", "", told, clock=parts.clock)


@post("/v1/receipts", tags=["Invoices"], summary="Note a bank transfer", opt={"permission": "invoices.write"})
async def note_receipt(
    parts: NamedDependency[Parts], data: JSONBody[ReceiptDraft], idempotency_key: RequiredKey = ""
) -> Response[Matched]:
    """Note money that came to the bank, and settle the invoices it names, or the company's oldest; once per bank reference."""

    async def act(tx: Transaction) -> Matched:
        return await billing.note_receipt(tx, data, utc(parts.clock.millis()))

    return _matched(await parts.run(act, Matched, required(idempotency_key), data))


@post(
    "/v1/receipts/{receipt_id:uuid}/owner",
    tags=["Invoices"],
    summary="Say whose money it is",
    opt={"permission": "invoices.write"},
)
async def assign_receipt(
    parts: NamedDependency[Parts], receipt_id: FromPath[UUID], data: JSONBody[OwnerDraft], idempotency_key: RequiredKey = ""
) -> Response[Matched]:
    """Say whose money a receipt is that named no invoice, and settle that company's oldest invoices with it."""

    async def act(tx: Transaction) -> Matched:
        return await billing.assign_receipt(tx, receipt_id, data.company_id, utc(parts.clock.millis()))

    return _matched(await parts.run(act, Matched, required(idempotency_key), asked(f"owner of {receipt_id}", data)))


@get("/v1/receipts", tags=["Invoices"], summary="List money that came in", opt={"permission": "invoices.read"})
async def list_receipts(
    parts: NamedDependency[Parts], unused: Unused = False, cursor: Cursor = "", limit: Limit = 20
) -> Response[Receipts]:
    """List receipts, newest first."""
    async with parts.record.reading() as connection:
        items = await query.receipts(connection, parts.cell, parse_cursor(cursor), limit, unused=unused)
    page = Receipts(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    more = next_link("/v1/receipts", page.cursor, limit, unused=str(unused).lower())
    return Response(page, headers={**NO_STORE, **more})


HANDLERS = [
    save_issuer, list_invoices, read_invoice, print_invoice, settle, list_credit_notes, read_credit_note, print_credit_note,
    note_receipt, assign_receipt, list_receipts,
]  # fmt: skip


def _matched(matched: Matched) -> Response[Matched]:
    return Response(matched, status_code=201, headers=moved(matched.position))

"""The queries of invoices, credit notes and receipts, typed; nothing else."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from entrepot.base.errors import NotFoundError
from entrepot.commerce.business.events import CreditNoteIssued, Document, Party
from entrepot.commerce.business.invoicing import CreditLeft, Invoice, Receipt
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "billing.sql")


async def issuer(connection: Connection, cell: int) -> Party:
    """Return who writes the invoices of a cell; nobody, until somebody is named."""
    row = await connection.fetchrow(SQL["issuer"], cell)
    return Party(**dict(row)) if row else Party(name="")


async def put_issuer(connection: Connection, cell: int, party: Party) -> None:
    """Say who writes the invoices of a cell."""
    await connection.execute(SQL["put_issuer"], cell, party.name, party.address, party.vat_id, party.bank_account)


async def take_number(connection: Connection, cell: int, series: str, year: int) -> int:
    """Take the next number of a series and year."""
    taken: int = await connection.fetchval(SQL["take_number"], cell, series, year)
    return taken


async def put_invoice(connection: Connection, cell: int, one: Invoice, document: Document) -> None:
    """Write an invoice that is issued, with its document."""
    columns = (getattr(one, name) for name in Invoice.__struct_fields__)
    await connection.execute(SQL["put_invoice"], cell, *columns, msgspec.json.encode(document).decode())


async def change_invoice(connection: Connection, cell: int, one: Invoice) -> None:
    """Write what became of an invoice."""
    await connection.execute(SQL["change_invoice"], cell, one.id, one.state, one.paid_minor, one.credited_minor, one.version)


async def invoice_of_order(connection: Connection, cell: int, order_id: UUID) -> tuple[Invoice, Document] | None:
    """Return the invoice of an order and its document, or None."""
    row = await connection.fetchrow(SQL["invoice_of_order"], cell, order_id)
    if row is None:
        return None
    columns = dict(row)
    document = msgspec.json.decode(columns.pop("body"), type=Document)
    return Invoice(**columns), document


async def locked_invoice(connection: Connection, cell: int, invoice_id: UUID) -> Invoice:
    """Lock an invoice and return it, or say that there is none."""
    row = await connection.fetchrow(SQL["invoice_for_update"], cell, invoice_id)
    if row is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.", invoice_id=str(invoice_id))
    return Invoice(**dict(row))


async def company_of_invoice(connection: Connection, cell: int, invoice_id: UUID) -> UUID:
    """Return whose an invoice is, or say that there is none."""
    found: UUID | None = await connection.fetchval(SQL["company_of_invoice"], cell, invoice_id)
    if found is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.", invoice_id=str(invoice_id))
    return found


async def open_invoices(connection: Connection, cell: int, company_id: UUID) -> list[Invoice]:
    """Lock and return what a company owes."""
    return [Invoice(**dict(row)) for row in await connection.fetch(SQL["open_invoices"], cell, company_id)]


async def invoices_numbered(connection: Connection, cell: int, numbers: Sequence[str]) -> list[Invoice]:
    """Return the invoices of these numbers."""
    return [Invoice(**dict(row)) for row in await connection.fetch(SQL["invoices_numbered"], cell, numbers)]


async def invoices_to_become_overdue(connection: Connection, cell: int, today: date, limit: int) -> list[UUID]:
    """Return invoices that were due before a day and are not settled."""
    return [row["id"] for row in await connection.fetch(SQL["invoices_to_become_overdue"], cell, today, limit)]


async def put_credit_note(connection: Connection, cell: int, note: CreditNoteIssued, document: Document) -> None:
    """Write a credit note with its document."""
    await connection.execute(
        SQL["put_credit_note"], cell, note.id, note.number, note.company_id, note.invoice_id, note.about_id, note.issued_at,
        note.currency, note.total_minor, msgspec.json.encode(document).decode(),
    )  # fmt: skip


async def is_credited(connection: Connection, cell: int, about_id: UUID) -> bool:
    """Say whether a cause has its credit note."""
    return bool(await connection.fetchval(SQL["is_credited"], cell, about_id))


async def locked_credit_note(connection: Connection, cell: int, note_id: UUID) -> CreditLeft:
    """Lock a credit note and return what is left of it, or say that there is none."""
    row = await connection.fetchrow(SQL["credit_note_for_update"], cell, note_id)
    if row is None:
        raise NotFoundError(f"There is no credit note {note_id}.", credit_note_id=str(note_id))
    return CreditLeft(**dict(row))


async def use_credit_note(connection: Connection, cell: int, note_id: UUID, amount_minor: int) -> None:
    """Count so much of a credit note as used."""
    await connection.execute(SQL["use_credit_note"], cell, note_id, amount_minor)


async def put_receipt(connection: Connection, cell: int, one: Receipt) -> bool:
    """Write a receipt, and say whether its transfer was new."""
    columns = (getattr(one, name) for name in Receipt.__struct_fields__)
    return bool(await connection.fetchval(SQL["put_receipt"], cell, *columns))


async def receipt_of(connection: Connection, cell: int, bank_reference: str) -> Receipt:
    """Return the receipt of a transfer that is there."""
    row = await connection.fetchrow(SQL["receipt_of"], cell, bank_reference)
    assert row is not None
    return Receipt(**dict(row))


async def locked_receipt(connection: Connection, cell: int, receipt_id: UUID) -> Receipt:
    """Lock a receipt and return it, or say that there is none."""
    row = await connection.fetchrow(SQL["receipt_for_update"], cell, receipt_id)
    if row is None:
        raise NotFoundError(f"There is no receipt {receipt_id}.", receipt_id=str(receipt_id))
    return Receipt(**dict(row))


async def change_receipt(connection: Connection, cell: int, one: Receipt) -> None:
    """Write what became of a receipt."""
    await connection.execute(SQL["change_receipt"], cell, one.id, one.company_id, one.used_minor, one.version)


async def put_settlement(
    connection: Connection, cell: int, settlement_id: UUID, invoice_id: UUID, receipt_id: UUID | None, note_id: UUID | None,
    amount_minor: int, at: datetime,
) -> None:  # fmt: skip
    """Write that so much of an invoice was settled by a receipt or a credit note."""
    await connection.execute(SQL["put_settlement"], cell, settlement_id, invoice_id, receipt_id, note_id, amount_minor, at)


async def purchase_order(connection: Connection, cell: int, company_id: UUID, order_id: UUID) -> str:
    """Return the purchase-order number of a company's order; empty where there is none."""
    found: str | None = await connection.fetchval(SQL["purchase_order"], cell, company_id, order_id)
    return found or ""


async def titles(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return what products are called."""
    return {row["product_id"]: row["title"] for row in await connection.fetch(SQL["titles"], product_ids)}

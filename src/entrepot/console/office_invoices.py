"""Invoices in the back office, and the bank transfers that settle them: noted once, matched by what they name, or by hand."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.invoices import OnlyState
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.money import currency as currency_of
from entrepot.base.time import utc
from entrepot.commerce.business import billing, query
from entrepot.commerce.business.billing import Matched
from entrepot.commerce.business.invoicing import ReceiptDraft
from entrepot.console.forms import Form, day, key_of, money, text
from entrepot.console.office import LIMIT, office_page
from entrepot.console.office_business import names_of
from entrepot.record.transaction import Transaction

STATES = ("", "open", "part_paid", "overdue", "paid", "credited")


@get("/office/invoices", include_in_schema=False, opt={"permission": "invoices.read"})
async def list_invoices(parts: NamedDependency[Parts], only: OnlyState = "", done: FromQuery[str] = "") -> Response[str]:
    """Show invoices, newest first, and money that came in and has settled nothing yet."""
    said = {
        "none": "The transfer is noted; it settles no invoice yet.",
        "some": "The transfer is noted, and has settled what it is for.",
    }
    return await _invoices_page(parts, only, done=said.get(done, ""))


@post("/office/receipts", include_in_schema=False, opt={"permission": "invoices.write"})
async def note_receipt(parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Note a bank transfer, and settle the invoices that it names; the same one again changes nothing."""
    try:
        currency = currency_of(text(data, "currency"))
        draft = ReceiptDraft(
            bank_reference=text(data, "bank_reference"),
            received_on=day(data, "received_on"),
            currency=currency,
            amount_minor=money(data, "amount", currency),
            remittance=text(data, "remittance"),
        )

        async def act(tx: Transaction) -> Matched:
            return await billing.note_receipt(tx, draft, utc(parts.clock.millis()))

        matched = await parts.run(act, Matched, key_of(data, parts), draft)
    except EntrepotError as error:
        return await _invoices_page(parts, "", wrong=str(error), typed=data, status=error.status)
    return Redirect(f"/office/invoices?done={'some' if matched.invoices else 'none'}", status_code=303)


@post("/office/receipts/{receipt_id:uuid}/owner", include_in_schema=False, opt={"permission": "invoices.write"})
async def assign_receipt(parts: NamedDependency[Parts], receipt_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Say whose money a transfer is that named no invoice of ours, and settle that company's oldest with it."""
    try:
        owner = _company(text(data, "company"))

        async def act(tx: Transaction) -> Matched:
            return await billing.assign_receipt(tx, receipt_id, owner, utc(parts.clock.millis()))

        matched = await parts.run(act, Matched, key_of(data, parts), f"owner of {receipt_id} {owner}".encode())
    except EntrepotError as error:
        return await _invoices_page(parts, "", wrong=str(error), status=error.status)
    return Redirect(f"/office/invoices?done={'some' if matched.invoices else 'none'}", status_code=303)


HANDLERS = [list_invoices, note_receipt, assign_receipt]


def _company(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError as error:
        raise BadInputError("Say whose money it is: choose a company.", field="company") from error


async def _invoices_page(
    parts: Parts, only: str, *, done: str = "", wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await query.invoices(connection, parts.cell, None, only, None, LIMIT)
        unused = await query.receipts(connection, parts.cell, None, LIMIT, unused=True)
        companies = await query.companies(connection, parts.cell, None, LIMIT)
        names = await names_of(connection, parts.cell, [one.company_id for one in items])
    context = {
        "items": items,
        "only": only,
        "states": STATES,
        "unused": unused,
        "companies": companies,
        "names": names,
        "today": utc(parts.clock.millis()).date(),
        "done": done,
        "wrong": wrong,
        "typed": typed or {},
        "fresh": parts.record.ids.fresh,
    }
    return office_page("invoices.html", "invoices", context, status=status)

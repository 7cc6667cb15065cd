"""Companies in the back office: their credit and terms, who buys for them and up to how much, and all that they have going."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.business import Made
from entrepot.api.catalogue import Done, done
from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.money import currency as currency_of
from entrepot.commerce.business import commands, query
from entrepot.commerce.business.rules import BuyerDraft, CompanyDraft
from entrepot.console.checkout import countries
from entrepot.console.company import company_shown
from entrepot.console.forms import Form, key_of, money, money_or_none, text, whole_number
from entrepot.console.office import LIMIT, office_page
from entrepot.record.transaction import Transaction

_DONE = {"company": "The company is saved.", "buyer": "The buyer is saved.", "made": "Now say who may buy for it."}


@get("/office/companies", include_in_schema=False, opt={"permission": "companies.read"})
async def list_companies(parts: NamedDependency[Parts], cursor: FromQuery[str] = "") -> Response[str]:
    """Show who buys on terms, newest first, and how much of its credit each has used."""
    return await _companies_page(parts, cursor)


@post("/office/companies", include_in_schema=False, opt={"permission": "companies.write"})
async def make_company(parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Make a company, or say beside the form why not."""
    try:
        draft = _company(data)

        async def act(tx: Transaction) -> Made:
            company_id = tx.ids.fresh()
            return Made(id=company_id, position=str(await commands.save_company(tx, company_id, draft)))

        made = await parts.run(act, Made, key_of(data, parts), draft)
    except EntrepotError as error:
        return await _companies_page(parts, "", wrong=str(error), typed=data, status=error.status)
    return Redirect(f"/office/companies/{made.id}?done=made", status_code=303)


@get("/office/companies/{company_id:uuid}", include_in_schema=False, opt={"permission": "companies.read"})
async def show_company(parts: NamedDependency[Parts], company_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
    """Show a company: credit, buyers with their limits, and what it has bought, asked for and owes."""
    return await _company_page(parts, company_id, done=_DONE.get(done, ""))


@post("/office/companies/{company_id:uuid}", include_in_schema=False, opt={"permission": "companies.write"})
async def save_company(parts: NamedDependency[Parts], company_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Change a company's name, address, credit limit and terms, or block it."""

    async def act(tx: Transaction) -> Done:
        before = await query.company(tx.connection, tx.cell, company_id)
        draft = _company({**data, "currency": before.company.currency})
        return Done(changed=await commands.save_company(tx, company_id, draft) is not None)

    try:
        await parts.run(act, Done)
    except EntrepotError as error:
        return await _company_page(parts, company_id, wrong=str(error), at="company", typed=data, status=error.status)
    return Redirect(f"/office/companies/{company_id}?done=company", status_code=303)


@post("/office/companies/{company_id:uuid}/buyers", include_in_schema=False, opt={"permission": "companies.staff"})
async def save_buyer(parts: NamedDependency[Parts], company_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Make a buyer, or change one: role and limits, or that they have left."""
    known = text(data, "buyer")

    async def act(tx: Transaction) -> Done:
        company = await query.company(tx.connection, tx.cell, company_id)
        buyer_id = _id(known) if known else tx.ids.fresh()
        return done(await commands.save_buyer(tx, company_id, buyer_id, _buyer(data, company.company.currency)))

    try:
        await parts.run(act, Done, key_of(data, parts), f"buyer {company_id} {sorted(data.items())}".encode())
    except EntrepotError as error:
        at = f"buyer-{known}"
        return await _company_page(parts, company_id, wrong=str(error), at=at, typed=data, status=error.status)
    return Redirect(f"/office/companies/{company_id}?done=buyer", status_code=303)


HANDLERS = [list_companies, make_company, show_company, save_company, save_buyer]


def _company(data: dict[str, str]) -> CompanyDraft:
    currency = currency_of(text(data, "currency"))
    return CompanyDraft(
        name=text(data, "name"),
        country=text(data, "country"),
        currency=currency,
        address=text(data, "address"),
        vat_id=text(data, "vat_id").replace(" ", ""),
        credit_limit_minor=money(data, "credit_limit", currency),
        terms_days=whole_number(data, "terms_days"),
        state="blocked" if text(data, "state") == "blocked" else "active",
    )


def _buyer(data: dict[str, str], currency: str) -> BuyerDraft:
    return BuyerDraft(
        name=text(data, "name"),
        email=text(data, "email"),
        role="approver" if text(data, "role") == "approver" else "buyer",
        order_limit_minor=money_or_none(data, "order_limit", currency),
        month_limit_minor=money_or_none(data, "month_limit", currency),
        state="left" if text(data, "state") == "left" else "active",
    )


def _id(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError as error:
        raise BadInputError("The form names no buyer: open the page again.", field="buyer") from error


async def _companies_page(
    parts: Parts, cursor: str, *, wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await query.companies(connection, parts.cell, parse_cursor(cursor), LIMIT)
    context = {
        "items": items,
        "more": str(items[-1].company.id) if len(items) == LIMIT else "",
        "countries": countries(),
        "wrong": wrong,
        "typed": typed or {},
        "key": parts.record.ids.fresh(),
    }
    return office_page("companies.html", "companies", context, status=status)


async def _company_page(
    parts: Parts,
    company_id: UUID,
    *,
    done: str = "",
    wrong: str = "",
    at: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with parts.record.reading() as connection:
        context = await company_shown(parts, connection, company_id)
    context |= {
        "countries": countries(),
        "done": done,
        "wrong": wrong,
        "at": at,
        "typed": typed or {},
        "fresh": parts.record.ids.fresh,
    }
    return office_page("company.html", "companies", context, status=status)

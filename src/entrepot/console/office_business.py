"""Companies in the back office: quotes to answer, and purchases to approve."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.time import utc
from entrepot.commerce.business import commands, negotiating, query
from entrepot.commerce.business.commands import Bought
from entrepot.commerce.business.events import NegotiationChanged, PurchaseChanged
from entrepot.commerce.business.negotiating import Negotiated
from entrepot.commerce.business.purchasing import Purchasing
from entrepot.commerce.business.query import BuyerView, CompanyView
from entrepot.console.cart import titles_of_skus
from entrepot.console.forms import Form, key_of, money, text
from entrepot.console.office import LIMIT, office_page
from entrepot.record.transaction import Connection, Transaction

OFFER_DAYS = 14


@get("/office/quotes", include_in_schema=False, opt={"permission": "purchases.read"})
async def list_quotes(parts: NamedDependency[Parts]) -> Response[str]:
    """Show negotiations, newest first."""
    async with parts.record.committing() as connection:
        items = await query.negotiations(connection, parts.cell, None, None, LIMIT)
        names = await names_of(connection, parts.cell, [one.company_id for one in items])
    return office_page("quotes.html", "quotes", {"items": items, "names": names})


@get("/office/quotes/{negotiation_id:uuid}", include_in_schema=False, opt={"permission": "purchases.read"})
async def show_quote(parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
    """Show a negotiation with every round of it, and what we can answer."""
    return await _quote_page(parts, negotiation_id, done="Answered." if done else "")


@post("/office/quotes/{negotiation_id:uuid}", include_in_schema=False, opt={"permission": "negotiations.offer"})
async def answer_quote(parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Offer prices, accept what the company proposed, or decline."""
    do, note = text(data, "do"), text(data, "note")
    try:
        async with parts.record.reading() as connection:
            seen = (await query.negotiation(connection, parts.cell, negotiation_id)).negotiation
        units = _units(seen, data) if do == "offer" else {}

        async def act(tx: Transaction) -> Negotiated:
            now = utc(parts.clock.millis())
            if do == "offer":
                return await negotiating.offer(tx, negotiation_id, units, _until(data, now), note, now)
            if do == "accept":
                return await negotiating.accept(tx, negotiation_id, "merchant", note, now)
            return await negotiating.decline(tx, negotiation_id, "merchant", note, now)

        await parts.run(act, Negotiated, key_of(data, parts), f"{do} {negotiation_id} {units} {note}".encode())
    except EntrepotError as error:
        return await _quote_page(parts, negotiation_id, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"/office/quotes/{negotiation_id}?done=yes", status_code=303)


@get("/office/purchases", include_in_schema=False, opt={"permission": "purchases.read"})
async def list_purchases(parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show purchases that wait, and those decided lately."""
    return await _purchases_page(parts, done="The decision is noted." if done else "")


@post("/office/purchases/{purchase_id:uuid}", include_in_schema=False, opt={"permission": "purchases.decide"})
async def decide_purchase(parts: NamedDependency[Parts], purchase_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Approve or reject a purchase in the name of one who may, and order what was approved."""
    do, why = text(data, "do"), text(data, "why")

    async def act(tx: Transaction) -> Bought:
        by = _buyer(text(data, "buyer"))
        if do == "approve":
            return await commands.approve_purchase(tx, purchase_id, by, utc(parts.clock.millis()))
        return await commands.reject_purchase(tx, purchase_id, by, why, utc(parts.clock.millis()))

    try:
        bought = await parts.run(act, Bought, key_of(data, parts), f"{do} {purchase_id} {text(data, 'buyer')} {why}".encode())
        if bought.purchase.state == "approved":
            await Purchasing(parts.platform, parts.cell, parts.checkouts).order(purchase_id)
    except EntrepotError as error:
        return await _purchases_page(parts, wrong=str(error), status=error.status)
    return Redirect("/office/purchases?done=yes", status_code=303)


HANDLERS = [list_quotes, show_quote, answer_quote, list_purchases, decide_purchase]


async def names_of(connection: Connection, cell: int, ids: list[UUID]) -> dict[UUID, CompanyView]:
    """Return the companies with these ids."""
    return {one: await query.company(connection, cell, one) for one in dict.fromkeys(ids)}


def _units(one: NegotiationChanged, data: dict[str, str]) -> dict[str, int]:
    """Return the price of a piece of each article, as it was typed in whole units of the currency."""
    return {sku: money(data, f"unit-{place}", one.currency) for place, sku in enumerate(one.skus)}


def _until(data: dict[str, str], now: datetime) -> datetime:
    """Return the end of the day that an offer is valid until; nothing typed means two weeks."""
    typed = text(data, "until")
    if not typed:
        return now + timedelta(days=OFFER_DAYS)
    try:
        return datetime.fromisoformat(f"{typed}T23:59:59").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInputError(f"{typed!r} is no day: write year-month-day.", field="until") from error


def _buyer(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError as error:
        raise BadInputError("Say in whose name: choose somebody of the company who may approve.", field="buyer") from error


async def _quote_page(
    parts: Parts,
    negotiation_id: UUID,
    *,
    done: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with parts.record.reading() as connection:
        found = await query.negotiation(connection, parts.cell, negotiation_id)
        company = await query.company(connection, parts.cell, found.negotiation.company_id)
        titles = await titles_of_skus(parts, connection, found.negotiation.skus)
    context = {
        "one": found.negotiation,
        "titles": titles,
        "rounds": found.rounds,
        "company": company,
        "until": utc(parts.clock.millis()) + timedelta(days=OFFER_DAYS),
        "typed": typed or {},
        "done": done,
        "wrong": wrong,
        "key": parts.record.ids.fresh(),
    }
    return office_page("quote.html", "quotes", context, status=status)


async def _purchases_page(parts: Parts, *, done: str = "", wrong: str = "", status: int = 200) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await query.purchases(connection, parts.cell, None, "", None, LIMIT)
        names = await names_of(connection, parts.cell, [one.company_id for one in items])
        buyers = await _buyers(parts, connection, items)
    context = {
        "items": items,
        "names": names,
        "buyers": buyers,
        "done": done,
        "wrong": wrong,
        "fresh": parts.record.ids.fresh,
    }
    return office_page("purchases.html", "purchases", context, status=status)


async def _buyers(parts: Parts, connection: Connection, items: list[PurchaseChanged]) -> dict[UUID, list[BuyerView]]:
    now = utc(parts.clock.millis())
    return {
        one: await query.buyers(connection, parts.cell, one, now, parts.record.sealing)
        for one in dict.fromkeys(each.company_id for each in items)
    }

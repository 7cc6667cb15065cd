"""What a company's buyer sees and does: credit, purchases that wait, invoices; buying what lies in the cart.

A browser buys for whom a cookie says, which only who was that buyer when it was made can use; the guard asks anew each time.
"""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, ConflictError, EntrepotError, NotFoundError
from entrepot.base.time import utc
from entrepot.commerce.business import commands, query
from entrepot.commerce.business.commands import Bought, PurchaseDraft, PurchaseLine
from entrepot.commerce.business.events import PurchaseChanged
from entrepot.commerce.business.purchasing import Purchasing
from entrepot.commerce.business.query import BuyerView
from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.checkout.carted import look
from entrepot.console.cart import titles_in
from entrepot.console.checkout import countries
from entrepot.console.company import company_shown
from entrepot.console.forms import Form, key_of, text
from entrepot.console.language import locale_of
from entrepot.console.render import page
from entrepot.console.visitor import BUYER, CART, Buying, buying_for, cart_of, forget, pieces, remember_buyer
from entrepot.record.transaction import Connection, Transaction

HERE = "/account/company"
DONE = {
    "ordered": "It is ordered, and the invoice is on its way.",
    "pending": "It is more than you may decide alone: somebody of your company must approve it.",
    "approve": "Approved and ordered.",
    "reject": "Rejected.",
    "withdraw": "Withdrawn.",
    "asked": "Asked for. The answer appears under Quotes.",
    "answered": "Answered.",
}


@get(HERE, include_in_schema=False, opt={"permission": "purchases.read"})
async def show_company(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], done: FromQuery[str] = ""
) -> Response[Any]:
    """Show the company that the visitor buys for."""
    buying = buying_for(request, parts)
    if buying is None:
        return Redirect("/account", status_code=303)
    return await company_page(request, parts, buying, done=DONE.get(done, ""))


@post(HERE, include_in_schema=False, opt={"permission": "purchases.ask"})
async def enter_company(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Redirect:
    """Buy for a company from now on, as one of its buyers; without one, for nobody any more."""
    if not text(data, "buyer"):
        return Redirect("/account", status_code=303, cookies=[forget(request, BUYER)])
    try:
        buying = Buying(UUID(text(data, "company")), UUID(text(data, "buyer")))
    except ValueError as error:
        raise BadInputError("The form names no company and buyer: open the company's page again.", field="buyer") from error
    async with parts.record.reading() as connection:
        await me(parts, connection, buying)
    return Redirect(HERE, status_code=303, cookies=[remember_buyer(request, parts, buying)])


@post(f"{HERE}/purchases", include_in_schema=False, opt={"permission": "purchases.ask"})
async def buy(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Buy on the company's terms what lies in the cart: ordered at once within one's limits, else it waits."""
    buying, kept = buying_of(request, parts), await cart_of(parts, request)
    if kept is None:  # sent twice: it was ordered, or waits
        return Redirect(HERE, status_code=303)
    try:
        lines = [PurchaseLine(sku=sku, quantity=count) for sku, count in kept.cart.lines.counts().items()]
        draft = PurchaseDraft(
            buyer_id=buying.buyer_id,
            market=kept.cart.market,
            contact=await contact_of(parts, buying, data),
            lines=lines,
            purchase_order=text(data, "purchase_order"),
        )
        state = await purchase(parts, buying, draft, key_of(data, parts))
        await parts.carts.close(kept, "ordered")
    except EntrepotError as error:
        return await company_page(request, parts, buying, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"{HERE}?done={state}", status_code=303, cookies=[forget(request, CART)])


@post(f"{HERE}/purchases/{{purchase_id:uuid}}", include_in_schema=False, opt={"permission": "purchases.ask"})
async def decide(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], purchase_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Approve or reject what another buyer asks for, or withdraw what one asked for oneself."""
    buying, do, why = buying_of(request, parts), text(data, "do"), text(data, "why")

    async def act(tx: Transaction) -> Bought:
        if do == "approve":
            return await commands.approve_purchase(tx, purchase_id, buying.buyer_id, utc(parts.clock.millis()))
        if do == "reject":
            return await commands.reject_purchase(tx, purchase_id, buying.buyer_id, why, utc(parts.clock.millis()))
        return await commands.withdraw_purchase(tx, purchase_id, buying.buyer_id)

    try:
        await parts.run(act, Bought, key_of(data, parts), f"{do} {purchase_id} {buying.buyer_id} {why}".encode())
        after = await Purchasing(parts.record, parts.cell, parts.checkouts).order(purchase_id)
        check_placed(after)
    except EntrepotError as error:
        return await company_page(request, parts, buying, wrong=str(error), status=error.status)
    return Redirect(f"{HERE}?done={do}", status_code=303)


HANDLERS = [show_company, enter_company, buy, decide]


def buying_of(request: Request[Any, Any, Any], parts: Parts) -> Buying:
    """Return for which company the visitor buys, or refuse one who buys for none."""
    buying = buying_for(request, parts)
    if buying is None:
        raise NotFoundError("You buy for no company in this browser: begin on the company's page in the office.")
    return buying


async def me(parts: Parts, connection: Connection, buying: Buying) -> BuyerView:
    """Return as whom the visitor buys; somebody of another company, or who has left, is refused."""
    people = await query.buyers(connection, parts.cell, buying.company_id, utc(parts.clock.millis()), parts.record.sealing)
    found = next((one for one in people if one.id == buying.buyer_id and one.state == "active"), None)
    if found is None:
        raise NotFoundError(f"{buying.buyer_id} does not buy for the company {buying.company_id} (any more).")
    return found


async def contact_of(parts: Parts, buying: Buying, data: dict[str, str]) -> Contact:
    """Return who buys, as the company knows them, and where it goes, as it was typed."""
    async with parts.record.reading() as connection:
        buyer = await me(parts, connection, buying)
    address = Address(
        line1=text(data, "line1"), city=text(data, "city"), postcode=text(data, "postcode"), country=text(data, "country")
    )
    return Contact(email=buyer.email, name=buyer.name, address=address)


async def purchase(parts: Parts, buying: Buying, draft: PurchaseDraft, key: str) -> str:
    """Ask for a purchase and order it where it is approved; returns what became of it, or says why it cannot be had."""

    async def act(tx: Transaction) -> Bought:
        return await commands.request_purchase(tx, parts.quoting, buying.company_id, draft, utc(parts.clock.millis()))

    bought = await parts.run(act, Bought, key, draft)
    after = await Purchasing(parts.record, parts.cell, parts.checkouts).order(bought.purchase.id)
    check_placed(after)
    return after.state


def check_placed(after: PurchaseChanged) -> None:
    """Refuse to call a purchase ordered that the checkout could not place."""
    if after.state == "refused":
        raise ConflictError(f"It could not be ordered: {after.why}", purchase_id=str(after.id))


async def company_page(
    request: Request[Any, Any, Any],
    parts: Parts,
    buying: Buying,
    *,
    done: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    """Return the company's page as one of its buyers sees it."""
    kept = await cart_of(parts, request)
    async with parts.record.reading() as connection:
        buyer = await me(parts, connection, buying)
        context = await company_shown(parts, connection, buying.company_id)
        view = await look(connection, parts.cell, parts.quoting, kept.id, kept.cart) if kept else None
    context |= {
        "view": view,
        "titles": await titles_in(parts, view, locale_of(request)) if view else {},
        "me": buyer,
        "countries": countries(),
        "done": done,
        "wrong": wrong,
        "typed": typed or {"country": context["one"].company.country},
        "fresh": parts.record.ids.fresh,
    }
    return page("account_company.html", "account", context, status=status, pieces=await pieces(parts, request))

"""A company's quotes from its side: asked for by what lies in the cart, answered, and ordered once both sides agree."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.base.time import utc
from entrepot.commerce.business import negotiating, query
from entrepot.commerce.business.commands import PurchaseDraft
from entrepot.commerce.business.events import NegotiationChanged
from entrepot.commerce.business.negotiating import Negotiated, NegotiationDraft
from entrepot.commerce.business.negotiation import WantedPieces
from entrepot.commerce.business.query import NegotiationView
from entrepot.console.account_company import DONE, HERE, buying_of, company_page, contact_of, me, purchase
from entrepot.console.cart import titles_of_skus
from entrepot.console.checkout import countries
from entrepot.console.forms import Form, key_of, money, text
from entrepot.console.language import locale_of
from entrepot.console.render import page
from entrepot.console.visitor import Buying, cart_of, pieces
from entrepot.record.transaction import Connection, Transaction


@post(f"{HERE}/quotes", include_in_schema=False, opt={"permission": "negotiations.ask"})
async def ask_for_prices(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Ask what the articles in the cart would cost the company; the cart stays as it is."""
    buying, kept = buying_of(request, parts), await cart_of(parts, request)
    try:
        if kept is None:
            raise BadInputError("Your cart is empty: put in what you want prices for.", field="lines")
        lines = [WantedPieces(sku=sku, quantity=count) for sku, count in kept.cart.lines.counts().items()]
        draft = NegotiationDraft(buyer_id=buying.buyer_id, market=kept.cart.market, lines=lines, note=text(data, "note"))

        async def act(tx: Transaction) -> Negotiated:
            return await negotiating.request_prices(tx, buying.company_id, draft, utc(parts.clock.millis()))

        await parts.run(act, Negotiated, key_of(data, parts), draft)
    except EntrepotError as error:
        return await company_page(request, parts, buying, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"{HERE}?done=asked", status_code=303)


@get(f"{HERE}/quotes/{{negotiation_id:uuid}}", include_in_schema=False, opt={"permission": "purchases.read"})
async def show_quote(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Response[str]:
    """Show a quote with every round of it, and what the company can answer."""
    return await _quote_page(request, parts, negotiation_id, done=DONE.get(done, ""))


@post(f"{HERE}/quotes/{{negotiation_id:uuid}}", include_in_schema=False, opt={"permission": "negotiations.ask"})
async def answer_quote(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Accept an offer, propose other prices, decline, or order what was agreed on."""
    buying = buying_of(request, parts)
    try:
        async with parts.record.reading() as connection:
            seen = (await _own(parts, connection, buying, negotiation_id)).negotiation
        if text(data, "do") == "order":
            # A purchase is quoted from what is everybody's.
            state = await _order(parts.for_platform(), buying, seen, data)
            return Redirect(f"{HERE}?done={state}", status_code=303)
        await _answer(parts, seen, data)
    except EntrepotError as error:
        return await _quote_page(request, parts, negotiation_id, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"{HERE}/quotes/{negotiation_id}?done=answered", status_code=303)


HANDLERS = [ask_for_prices, show_quote, answer_quote]


async def _order(parts: Parts, buying: Buying, seen: NegotiationChanged, data: dict[str, str]) -> str:
    draft = PurchaseDraft(
        buyer_id=buying.buyer_id,
        market=seen.market,
        contact=await contact_of(parts, buying, data),
        negotiation_id=seen.id,
        purchase_order=text(data, "purchase_order"),
    )
    return await purchase(parts, buying, draft, key_of(data, parts))


async def _answer(parts: Parts, seen: NegotiationChanged, data: dict[str, str]) -> None:
    do, note = text(data, "do"), text(data, "note")
    units = {sku: money(data, f"unit-{at}", seen.currency) for at, sku in enumerate(seen.skus)} if do == "counter" else {}

    async def act(tx: Transaction) -> Negotiated:
        now = utc(parts.clock.millis())
        if do == "counter":
            return await negotiating.counter(tx, seen.id, units, note, now)
        if do == "accept":
            return await negotiating.accept(tx, seen.id, "company", note, now)
        return await negotiating.decline(tx, seen.id, "company", note, now)

    await parts.run(act, Negotiated, key_of(data, parts), f"{do} {seen.id} {units} {note}".encode())


async def _own(parts: Parts, connection: Connection, buying: Buying, negotiation_id: UUID) -> NegotiationView:
    """Return one of the company's own quotes; another's is not told of."""
    await me(parts, connection, buying)
    found = await query.negotiation(connection, parts.cell, negotiation_id)
    if found.negotiation.company_id != buying.company_id:
        raise NotFoundError(f"There is no negotiation {negotiation_id}.", id=str(negotiation_id))
    return found


async def _quote_page(
    request: Request[Any, Any, Any],
    parts: Parts,
    negotiation_id: UUID,
    *,
    done: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    buying = buying_of(request, parts)
    async with parts.record.reading() as connection:
        found = await _own(parts, connection, buying, negotiation_id)
        company = await query.company(connection, parts.cell, buying.company_id)
        titles = await titles_of_skus(parts, connection, found.negotiation.skus, locale_of(request))
    context = {
        "one": found.negotiation,
        "titles": titles,
        "rounds": found.rounds,
        "company": company,
        "countries": countries(),
        "typed": typed or {"country": company.company.country},
        "done": done,
        "wrong": wrong,
        "key": parts.record.ids.fresh(),
    }
    return page("account_quote.html", "account", context, status=status, pieces=await pieces(parts, request))

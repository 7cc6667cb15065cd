"""A visitor's account: what they have ordered and subscribed to; the plans, and how one subscribes.

Who has not signed in sees what was bought in this browser.
"""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.principal import principal_of
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.base.time import utc
from entrepot.commerce.business import query as business
from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.ordering.query import orders_of_customer
from entrepot.commerce.payment.query import methods
from entrepot.commerce.people import query as people
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.commands import Changed, SubscriptionDraft
from entrepot.commerce.subscription.plans import price_in
from entrepot.console.checkout import countries
from entrepot.console.forms import Form, key_of, text, whole_number
from entrepot.console.render import page
from entrepot.console.store import place
from entrepot.console.subscribing import MINE, change, charge, subscription_page
from entrepot.console.visitor import buying_for, cart_of, customer_of, pieces
from entrepot.record.cause import about
from entrepot.record.transaction import Transaction
from entrepot.sealing.blind import email_normal

LIMIT = 20


@get("/account", include_in_schema=False, opt={"permission": "catalogue.read"})
async def show_account(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[str]:
    """Show what a visitor has ordered and subscribed to, and for which company they buy."""
    customer_id, buying = customer_of(request, parts), buying_for(request, parts)
    about(principal_of(request).id, customer_id)
    async with parts.record.reading() as connection:
        plans = await query.plans(connection)
        subscriptions = await query.subscriptions(connection, parts.cell, customer_id, None, LIMIT) if customer_id else []
        orders = await orders_of_customer(connection, parts.cell, customer_id, None, LIMIT) if customer_id else []
        cards = await methods(connection, parts.cell, customer_id) if customer_id else []
        company = await business.company(connection, parts.cell, buying.company_id) if buying else None
    profile, yours = await _signed_in(request, parts)
    context = {
        "email": profile,
        "yours": yours,
        "plans": plans,
        "named": {one.code: one for one in plans},
        "subscriptions": subscriptions,
        "orders": orders,
        "cards": cards,
        "company": company,
    }
    return page("account.html", "account", context, pieces=await pieces(parts, request))


@get("/plans", include_in_schema=False, opt={"permission": "catalogue.read"})
async def list_plans(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], market: FromQuery[str] = ""
) -> Response[str]:
    """Show what can be subscribed to in a market."""
    here = await place(parts, market)
    async with parts.record.reading() as connection:
        plans = await query.plans(connection)
    offers = [(plan, price) for plan in plans if plan.offered for price in plan.prices if price.market == here.market]
    context = {"here": here, "offers": offers}
    return page("plans.html", "account", context, pieces=await pieces(parts, request))


@get("/plans/{code:str}", include_in_schema=False, opt={"permission": "catalogue.read"})
async def show_plan(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], code: FromPath[str], market: FromQuery[str] = ""
) -> Response[str]:
    """Show one plan, and the form that subscribes to it."""
    return await _plan_page(request, parts, code, {"market": market})


@post("/plans/{code:str}", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def subscribe(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], code: FromPath[str], data: Form
) -> Response[Any]:
    """Subscribe by a card that was kept: on trial, or charged at once; or say on the page why not."""
    try:
        draft = _draft(customer_of(request, parts), code, data)

        async def act(tx: Transaction) -> Changed:
            return await commands.start(tx, draft, utc(parts.clock.millis()))

        begun = await parts.run(act, Changed, key_of(data, parts), draft)
        await charge(parts, begun.subscription.id)
    except EntrepotError as error:
        return await _plan_page(request, parts, code, data, wrong=str(error), status=error.status)
    return Redirect(f"/account/subscriptions/{begun.subscription.id}?done=begun", status_code=303)


@get("/account/subscriptions/{subscription_id:uuid}", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def show_subscription(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], subscription_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Response[str]:
    """Show one of the visitor's own subscriptions."""
    await _check_own(request, parts, subscription_id)
    return await subscription_page(parts, subscription_id, MINE, done=done)


@post("/account/subscriptions/{subscription_id:uuid}", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def change_subscription(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], subscription_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Pause, resume, change or give up one of the visitor's own subscriptions."""
    await _check_own(request, parts, subscription_id)
    try:
        did = await change(parts, subscription_id, data)
    except EntrepotError as error:
        return await subscription_page(parts, subscription_id, MINE, wrong=str(error), status=error.status)
    return Redirect(f"/account/subscriptions/{subscription_id}?done={did}", status_code=303)


HANDLERS = [show_account, list_plans, show_plan, subscribe, show_subscription, change_subscription]


class _Yours(Struct, frozen=True):
    """A buyer that somebody is, by the address that both have."""

    id: UUID
    company_id: UUID
    company: str


async def _signed_in(request: Request[Any, Any, Any], parts: Parts) -> tuple[str, list[_Yours]]:
    """Return by which address somebody has signed in, and which buyers they are."""
    who, now = principal_of(request), utc(parts.clock.millis())
    if who.kind != "person" or who.id is None:
        return "", []
    found: list[_Yours] = []
    async with parts.record.reading() as connection:
        profile = await people.profile(connection, parts.people.sealing, who.id)
        email = profile.email if profile else ""
        for text_ in sorted(who.companies):
            one = await business.company(connection, parts.cell, UUID(text_))
            buyers = await business.buyers(connection, parts.cell, UUID(text_), now, parts.people.sealing)
            same = [buyer.id for buyer in buyers if email_normal(buyer.email) == email_normal(email)]
            found += [_Yours(id_, UUID(text_), one.company.name) for id_ in same]
    return email, found


async def _check_own(request: Request[Any, Any, Any], parts: Parts, subscription_id: UUID) -> None:
    """Refuse to tell of another customer's subscription even that it is there."""
    async with parts.record.reading() as connection:
        found = await query.subscription(connection, parts.cell, subscription_id)
    if found.subscription.customer_id != customer_of(request, parts):
        raise NotFoundError(f"There is no subscription {subscription_id}.", id=str(subscription_id))


def _draft(customer_id: UUID | None, code: str, data: dict[str, str]) -> SubscriptionDraft:
    try:
        method_id = UUID(text(data, "method"))
    except ValueError as error:
        raise BadInputError("Choose a card to pay with.", field="method") from error
    if customer_id is None:
        raise BadInputError("No card is kept in this browser: buy something first, and have the card kept.", field="method")
    address = Address(
        line1=text(data, "line1"), city=text(data, "city"), postcode=text(data, "postcode"), country=text(data, "country")
    )
    return SubscriptionDraft(
        customer_id=customer_id,
        plan=code,
        market=text(data, "market"),
        contact=Contact(email=text(data, "email"), name=text(data, "name"), address=address),
        method_id=method_id,
        quantity=whole_number(data, "quantity"),
    )


async def _plan_page(
    request: Request[Any, Any, Any], parts: Parts, code: str, typed: dict[str, str], *, wrong: str = "", status: int = 200
) -> Response[str]:
    customer_id = customer_of(request, parts)
    async with parts.record.reading() as connection:
        plan = await query.plan(connection, code)
        cards = await methods(connection, parts.cell, customer_id) if customer_id else []
    here = await place(parts, text(typed, "market"))
    if here.market not in {price.market for price in plan.prices}:
        here = await place(parts, plan.prices[0].market)
    kept = await cart_of(parts, request)
    contact = kept.cart.contact.value if kept else None
    context = {
        "here": here,
        "plan": plan,
        "price": price_in(plan, here.market),
        "cards": cards,
        "contact": contact,
        "typed": typed,
        "countries": countries(),
        "country": text(typed, "country") or (contact.address.country if contact else "GB"),
        "wrong": wrong,
        "key": parts.record.ids.fresh(),
    }
    return page("plan.html", "account", context, status=status, pieces=await pieces(parts, request))

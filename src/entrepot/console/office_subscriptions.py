"""Plans and subscriptions in the back office: what can be subscribed to, who is, and whose charge has failed."""

from typing import Annotated, Any, Literal, TypeAlias, cast
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from entrepot.api.catalogue import Done, done
from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.money import currency as currency_of
from entrepot.commerce.pricing.query import markets
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.events import PlanPrice, Unit
from entrepot.commerce.subscription.plans import PlanDraft
from entrepot.console.forms import Form, key_of, money, text, whole_number
from entrepot.console.office import LIMIT, office_page
from entrepot.console.subscribing import OFFICE, change, subscription_page
from entrepot.record.transaction import Transaction

STATES = ("", "trialing", "active", "paused", "past_due", "cancelled", "ended")
UNITS = ("day", "week", "month", "year")

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
OnlyState: TypeAlias = Annotated[
    Literal["", "trialing", "active", "paused", "past_due", "cancelled", "ended"],
    QueryParameter(name="state", description="Only those that stand so."),
]


@get("/office/subscriptions", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def list_subscriptions(
    parts: NamedDependency[Parts], only: OnlyState = "", cursor: FromQuery[str] = "", done: FromQuery[str] = ""
) -> Response[str]:
    """Show plans, and subscriptions, newest first: all, or those of one state."""
    return await _list_page(parts, only, cursor, done="The plan is saved." if done else "")


@post("/office/plans", include_in_schema=False, opt={"permission": "plans.write"})
async def save_plan(parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Make a plan, or change one; what subscriptions cost that have begun stays."""
    try:

        async def act(tx: Transaction) -> Done:
            return done(await commands.save_plan(tx, text(data, "code"), await _plan(tx, data)))

        await parts.run(act, Done, key_of(data, parts), f"plan {sorted(data.items())}".encode())
    except EntrepotError as error:
        return await _list_page(parts, "", "", wrong=str(error), typed=data, status=error.status)
    return Redirect("/office/subscriptions?done=plan", status_code=303)


@get("/office/subscriptions/{subscription_id:uuid}", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def show_subscription(
    parts: NamedDependency[Parts], subscription_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Response[str]:
    """Show one subscription with every charge, and what can be done about it."""
    return await subscription_page(parts, subscription_id, OFFICE, done=done)


@post("/office/subscriptions/{subscription_id:uuid}", include_in_schema=False, opt={"permission": "subscriptions.use"})
async def change_subscription(parts: NamedDependency[Parts], subscription_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Do with a subscription what its customer asks for."""
    try:
        did = await change(parts, subscription_id, data)
    except EntrepotError as error:
        return await subscription_page(parts, subscription_id, OFFICE, wrong=str(error), status=error.status)
    return Redirect(f"/office/subscriptions/{subscription_id}?done={did}", status_code=303)


HANDLERS = [list_subscriptions, save_plan, show_subscription, change_subscription]


async def _plan(tx: Transaction, data: dict[str, str]) -> PlanDraft:
    """Return the plan that a form describes; the prices that it has in other markets stay."""
    unit, market, code = text(data, "unit"), text(data, "market"), text(data, "code")
    if unit not in UNITS:
        raise BadInputError(f"{unit[:20]!r} is no interval: {', '.join(UNITS)}.", field="unit")
    known = await markets(tx.connection)
    if market not in known:
        raise BadInputError(f"There is no market {market[:40]!r}: {', '.join(sorted(known))}.", field="market")
    currency = currency_of(known[market])
    before = next((one for one in await query.plans(tx.connection) if one.code == code), None)
    others = [price for price in before.prices if price.market != market] if before else []
    return PlanDraft(
        title=text(data, "title"),
        sku=text(data, "sku"),
        unit=cast("Unit", unit),
        units=whole_number(data, "units"),
        trial_days=whole_number(data, "trial_days"),
        prices=[*others, PlanPrice(market=market, currency=currency, amount_minor=money(data, "amount", currency))],
        offered=text(data, "offered") != "no",
    )


async def _list_page(
    parts: Parts,
    only: str,
    cursor: str,
    *,
    done: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with parts.record.committing() as connection:
        plans = await query.plans(connection)
        items = await query.subscriptions(connection, parts.cell, None, parse_cursor(cursor), LIMIT, only)
        known = await markets(connection)
    context = {
        "plans": plans,
        "named": {one.code: one for one in plans},
        "items": items,
        "only": only,
        "states": STATES,
        "units": UNITS,
        "markets": known,
        "more": str(items[-1].id) if len(items) == LIMIT else "",
        "done": done,
        "wrong": wrong,
        "typed": typed or {},
        "fresh": parts.record.ids.fresh,
    }
    return office_page("office_subscriptions.html", "subscriptions", context, status=status)

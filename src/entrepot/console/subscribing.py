"""What is done with a subscription from a page, whoever's page it is: pause, go on, change, give up, pay otherwise."""

from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from litestar import Response
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base import limits
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.time import utc
from entrepot.commerce.payment.query import methods
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.commands import Changed
from entrepot.commerce.subscription.events import PlanSaved, SubscriptionChanged
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.console.cards import why_declined
from entrepot.console.forms import key_of, text
from entrepot.console.office import TABS
from entrepot.console.render import page, short
from entrepot.record.transaction import Transaction

log = structlog.get_logger()

DONE: Final = {
    "begun": "You are subscribed.",
    "pause": "It rests: nothing is charged until it is resumed.",
    "resume": "It goes on.",
    "cancel": "It ends when what is paid is over.",
    "end": "It has ended.",
    "plan": "The plan is changed.",
    "method": "It is paid by the other card from now on.",
}
CHARGES_AT_ONCE = {"plan", "method"}


class Shown(Struct, frozen=True, kw_only=True):
    """How one page of a subscription differs from another: whose it is, where it leads back to and sends its forms."""

    room: str
    base: str
    up: tuple[str, str]


MINE = Shown(room="account", base="/account/subscriptions", up=("/account", "Account"))
OFFICE = Shown(room="office", base="/office/subscriptions", up=("/office/subscriptions", "Subscriptions"))


async def change(parts: Parts, subscription_id: UUID, data: dict[str, str]) -> str:
    """Do with a subscription what a form says, charge what is due at once, and return the word for what was done."""
    do = text(data, "do")

    async def act(tx: Transaction) -> Changed:
        return await _act(tx, subscription_id, do, data, utc(parts.clock.millis()))

    asked = f"{do} {subscription_id} {text(data, 'plan')} {text(data, 'method')} {text(data, 'why')}"
    await parts.run(act, Changed, key_of(data, parts), asked.encode())
    if do in CHARGES_AT_ONCE:
        await charge(parts, subscription_id)
    return do


async def charge(parts: Parts, subscription_id: UUID) -> None:
    """Charge what is due at once; what cannot be charged now is the job's."""
    try:
        await Renewals(parts.record, parts.cell, parts.checkouts).renew(subscription_id, utc(parts.clock.millis()))
    except EntrepotError as error:
        log.warning("subscription.waits", subscription_id=str(subscription_id), why=str(error))


async def subscription_page(
    parts: Parts, subscription_id: UUID, of: Shown, *, done: str = "", wrong: str = "", status: int = 200
) -> Response[str]:
    """Return the page of a subscription: how it stands, what comes next, every charge, and what can be done about it."""
    async with parts.record.reading() as connection:
        found = await query.subscription(connection, parts.cell, subscription_id)
        plans = {one.code: one for one in await query.plans(connection)}
        cards = await methods(connection, parts.cell, found.subscription.customer_id)
    one = found.subscription
    context = {
        "one": one,
        "charging": found.charging,
        "charges": found.charges,
        "plan": plans[one.plan],
        "following": plans.get(one.next_plan),
        "others": [each for each in plans.values() if changeable(one, each)],
        "cards": cards,
        "why": why_declined(one.why) if one.attempt else one.why,
        "tries_left": len(limits.DUNNING_DAYS) - one.attempt + 1,
        "of": of,
        "tabs": TABS,
        "tab": "subscriptions",
        "done": DONE.get(done, ""),
        "wrong": wrong,
        "fresh": parts.record.ids.fresh,
    }
    return page("subscription.html", of.room, context, status=status)


def changeable(one: SubscriptionChanged, plan: PlanSaved) -> bool:
    """Say whether a plan is one that a subscription could change to: offered, elsewhere than where it is, in its currency."""
    prices = [price for price in plan.prices if price.market == one.market and price.currency == one.currency]
    return plan.offered and bool(prices) and plan.code not in {one.plan, one.next_plan}


async def _act(tx: Transaction, subscription_id: UUID, do: str, data: dict[str, str], now: datetime) -> Changed:
    if do == "pause":
        return await commands.pause(tx, subscription_id, now)
    if do == "resume":
        return await commands.resume(tx, subscription_id, now)
    if do == "cancel":
        return await commands.cancel(tx, subscription_id, at_once=False, why=text(data, "why"))
    if do == "end":
        if text(data, "confirm") != short(subscription_id):
            raise BadInputError(f"It was not ended: type {short(subscription_id)} to confirm.", field="confirm")
        return await commands.cancel(tx, subscription_id, at_once=True, why=text(data, "why"))
    if do == "plan":
        return await commands.change_plan(tx, subscription_id, text(data, "plan"), now)
    if do == "method":
        try:
            method_id = UUID(text(data, "method"))
        except ValueError as error:
            raise BadInputError("Choose a card to pay with.", field="method") from error
        return await commands.change_method(tx, subscription_id, method_id, now)
    raise BadInputError(f"{do[:20]!r} cannot be done with a subscription.", field="do")

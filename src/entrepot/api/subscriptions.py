"""Plans and subscriptions: what can be subscribed to, and what its customer can do with a subscription.

There are no logins yet: ``customer_id`` comes in the body, and whoever knows a subscription's id may change it.
"""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import structlog
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.business import NO_STORE, asked
from entrepot.api.catalogue import Done, done
from entrepot.api.headers import OptionalKey, RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.time import utc
from entrepot.commerce.payment.query import methods
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.commands import Changed, SubscriptionDraft
from entrepot.commerce.subscription.events import PlanSaved, SubscriptionChanged
from entrepot.commerce.subscription.plans import PlanDraft
from entrepot.commerce.subscription.query import SubscriptionDetail
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.record.transaction import Transaction

log = structlog.get_logger()

OfCustomer: TypeAlias = Annotated[str, QueryParameter(name="customer", description="Only those of this customer (an id).")]


class KeptMethod(Struct, frozen=True, kw_only=True):
    """A payment method that a customer has kept, by which they can be charged without being there."""

    id: UUID
    gateway: str
    label: str
    kept_at: datetime


class KeptMethods(Struct, frozen=True, kw_only=True):
    """A customer's kept methods."""

    items: list[KeptMethod]


class Plans(Struct, frozen=True, kw_only=True):
    """Every plan, offered or not."""

    items: list[PlanSaved]


class Subscriptions(Struct, frozen=True, kw_only=True):
    """Subscriptions, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[SubscriptionChanged]
    cursor: str


class Nothing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing has to be said: ``{}``."""


class GivenUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a subscription ends at once, or at the end of what is paid; and why."""

    at_once: bool = False
    why: str = ""


class PlanChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan that a subscription is to be on."""

    plan: str


class MethodChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kept payment method of the customer's."""

    method_id: UUID


@get(
    "/v1/customers/{customer_id:uuid}/payment-methods",
    tags=["Subscriptions"],
    summary="A customer's kept payment methods",
    opt={"permission": "subscriptions.use"},
)
async def list_methods(parts: NamedDependency[Parts], customer_id: FromPath[UUID]) -> Response[KeptMethods]:
    """List the methods that a customer has kept (``keep`` at a checkout), newest first; never their tokens."""
    async with parts.record.reading() as connection:
        kept = await methods(connection, parts.cell, customer_id)
    items = [KeptMethod(id=one.id, gateway=one.gateway, label=one.label, kept_at=one.kept_at) for one in kept]
    return Response(KeptMethods(items=items), headers=NO_STORE)


@put("/v1/plans/{code:str}", tags=["Subscriptions"], summary="Make or change a plan", opt={"permission": "plans.write"})
async def save_plan(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[PlanDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a plan what the body says; a new price is for whoever subscribes, or changes to it, from now on."""

    async def act(tx: Transaction) -> Done:
        return done(await commands.save_plan(tx, code, data))

    answer = await parts.run(act, Done, idempotency_key, asked(f"plan {code}", data))
    return Response(answer, headers=moved(answer.position))


@get("/v1/plans", tags=["Subscriptions"], summary="List plans", opt={"permission": "catalogue.read"})
async def list_plans(parts: NamedDependency[Parts]) -> Response[Plans]:
    """List every plan."""
    async with parts.record.reading() as connection:
        return Response(Plans(items=await query.plans(connection)), headers=NO_STORE)


@post("/v1/subscriptions", tags=["Subscriptions"], summary="Subscribe", opt={"permission": "subscriptions.use"})
async def subscribe(
    parts: NamedDependency[Parts], data: JSONBody[SubscriptionDraft], idempotency_key: RequiredKey = ""
) -> Response[SubscriptionDetail]:
    """Subscribe to a plan by a kept payment method: on trial, or charged at once.

    ``ended`` says that not even the first charge succeeded, and ``why``.
    """

    async def act(tx: Transaction) -> Changed:
        return await commands.start(tx, data, utc(parts.clock.millis()))

    begun = await parts.run(act, Changed, required(idempotency_key), data)
    return await _renewed(parts, begun)


@get("/v1/subscriptions", tags=["Subscriptions"], summary="List subscriptions", opt={"permission": "subscriptions.use"})
async def list_subscriptions(
    parts: NamedDependency[Parts], of_customer: OfCustomer = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[Subscriptions]:
    """List subscriptions, newest first."""
    try:
        customer_id = UUID(of_customer) if of_customer else None
    except ValueError as error:
        raise BadInputError(f"{of_customer!r} is no customer id: use a UUID.", field="customer", value=of_customer) from error
    async with parts.record.reading() as connection:
        items = await query.subscriptions(connection, parts.cell, customer_id, parse_cursor(cursor), limit)
    page = Subscriptions(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link("/v1/subscriptions", page.cursor, limit, customer=of_customer)})


@get(
    "/v1/subscriptions/{subscription_id:uuid}",
    tags=["Subscriptions"],
    summary="One subscription and its charges",
    opt={"permission": "subscriptions.use"},
)
async def read_subscription(parts: NamedDependency[Parts], subscription_id: FromPath[UUID]) -> Response[SubscriptionDetail]:
    """Read a subscription with every attempt to charge it, from the truth."""
    async with parts.record.reading() as connection:
        return Response(await query.subscription(connection, parts.cell, subscription_id), headers=NO_STORE)


@post(
    "/v1/subscriptions/{subscription_id:uuid}/pause",
    tags=["Subscriptions"],
    summary="Let a subscription rest",
    opt={"permission": "subscriptions.use"},
)
async def pause(
    parts: NamedDependency[Parts], subscription_id: FromPath[UUID], data: JSONBody[Nothing], idempotency_key: RequiredKey = ""
) -> Response[SubscriptionChanged]:
    """Charge nothing until it is resumed; what is left of the period is kept."""

    async def act(tx: Transaction) -> Changed:
        return await commands.pause(tx, subscription_id, utc(parts.clock.millis()))

    return _answer(await parts.run(act, Changed, required(idempotency_key), asked(f"pause {subscription_id}", data)))


@post(
    "/v1/subscriptions/{subscription_id:uuid}/resumption",
    tags=["Subscriptions"],
    summary="Go on with a subscription",
    opt={"permission": "subscriptions.use"},
)
async def resume(
    parts: NamedDependency[Parts], subscription_id: FromPath[UUID], data: JSONBody[Nothing], idempotency_key: RequiredKey = ""
) -> Response[SubscriptionChanged]:
    """Go on with a subscription that was paused, or cancelled and has not ended."""

    async def act(tx: Transaction) -> Changed:
        return await commands.resume(tx, subscription_id, utc(parts.clock.millis()))

    return _answer(await parts.run(act, Changed, required(idempotency_key), asked(f"resume {subscription_id}", data)))


@post(
    "/v1/subscriptions/{subscription_id:uuid}/cancellation",
    tags=["Subscriptions"],
    summary="Give a subscription up",
    opt={"permission": "subscriptions.use"},
)
async def cancel(
    parts: NamedDependency[Parts], subscription_id: FromPath[UUID], data: JSONBody[GivenUp], idempotency_key: RequiredKey = ""
) -> Response[SubscriptionChanged]:
    """End a subscription when what is paid is over, or at once."""

    async def act(tx: Transaction) -> Changed:
        return await commands.cancel(tx, subscription_id, at_once=data.at_once, why=data.why)

    return _answer(await parts.run(act, Changed, required(idempotency_key), asked(f"cancel {subscription_id}", data)))


@post(
    "/v1/subscriptions/{subscription_id:uuid}/plan",
    tags=["Subscriptions"],
    summary="Change the plan",
    opt={"permission": "subscriptions.use"},
)
async def change_plan(
    parts: NamedDependency[Parts],
    subscription_id: FromPath[UUID],
    data: JSONBody[PlanChoice],
    idempotency_key: RequiredKey = "",
) -> Response[SubscriptionDetail]:
    """Change the plan at once, unused days of the old one being credit; a plan of goods changes with the next period."""

    async def act(tx: Transaction) -> Changed:
        return await commands.change_plan(tx, subscription_id, data.plan, utc(parts.clock.millis()))

    changed = await parts.run(act, Changed, required(idempotency_key), asked(f"plan of {subscription_id}", data))
    return await _renewed(parts, changed)


@post(
    "/v1/subscriptions/{subscription_id:uuid}/payment-method",
    tags=["Subscriptions"],
    summary="Pay otherwise",
    opt={"permission": "subscriptions.use"},
)
async def change_method(
    parts: NamedDependency[Parts],
    subscription_id: FromPath[UUID],
    data: JSONBody[MethodChoice],
    idempotency_key: RequiredKey = "",
) -> Response[SubscriptionDetail]:
    """Pay by another kept method from now on; what is past due is tried again at once."""

    async def act(tx: Transaction) -> Changed:
        return await commands.change_method(tx, subscription_id, data.method_id, utc(parts.clock.millis()))

    changed = await parts.run(act, Changed, required(idempotency_key), asked(f"method of {subscription_id}", data))
    return await _renewed(parts, changed)


HANDLERS = [
    list_methods, save_plan, list_plans, subscribe, list_subscriptions, read_subscription, pause, resume, cancel,
    change_plan, change_method,
]  # fmt: skip


def _answer(changed: Changed) -> Response[SubscriptionChanged]:
    return Response(changed.subscription, status_code=201, headers=moved(changed.position))


async def _renewed(parts: Parts, changed: Changed) -> Response[SubscriptionDetail]:
    """Charge what is due at once, and answer how the subscription stands; what cannot be charged now is the job's."""
    subscription_id = changed.subscription.id
    try:
        await Renewals(parts.record, parts.cell, parts.checkouts).renew(subscription_id, utc(parts.clock.millis()))
    except EntrepotError as error:
        log.warning("subscription.waits", subscription_id=str(subscription_id), why=str(error))
    async with parts.record.reading() as connection:
        detail = await query.subscription(connection, parts.cell, subscription_id)
    return Response(detail, status_code=201, headers=moved(changed.position))

"""The queries of subscriptions, typed; nothing else."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.seals import Seals
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.subscription.events import PlanPrice, PlanSaved
from entrepot.commerce.subscription.rules import Charge, Subscription
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

# What the contact of a subscription is sealed as.
CONTACT = "subscription.contact.sealed"


class Payer(Struct, frozen=True):
    """To whom a subscription goes, and the kept payment method (a token) that pays for it."""

    contact: Contact
    method: str


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt to charge a period, and how it went."""

    period: int
    attempt: int
    state: str
    plan: str
    amount_minor: int
    credit_used_minor: int
    currency: str
    period_start: datetime
    period_end: datetime
    asked_at: datetime
    order_id: UUID | None
    why: str


async def delivery(connection: Connection, sku: str) -> str:
    """Return how an article is delivered, or say that there is none."""
    found: str | None = await connection.fetchval(SQL["article"], sku)
    if found is None:
        raise NotFoundError(f"There is no SKU {sku!r}: make its product first.", sku=sku)
    return found


async def plan(connection: Connection, code: str, *, for_update: bool = False) -> tuple[PlanSaved, int] | None:
    """Return a plan and its version, or None."""
    row = await connection.fetchrow(SQL["plan_for_update" if for_update else "plan"], code)
    return None if row is None else (_plan(dict(row)), row["version"])


async def plans(connection: Connection) -> list[PlanSaved]:
    """Return every plan."""
    return [_plan(dict(row)) for row in await connection.fetch(SQL["plans"])]


async def known_plan(connection: Connection, code: str) -> PlanSaved:
    """Return a plan, or say that there is none."""
    found = await plan(connection, code)
    if found is None:
        raise NotFoundError(f"There is no plan {code!r}: make it first.", plan=code)
    return found[0]


async def put_plan(connection: Connection, saved: PlanSaved, version: int) -> None:
    """Write a plan as it now is."""
    await connection.execute(
        SQL["put_plan"], saved.code, saved.title, saved.sku, saved.delivery, saved.unit, saved.units, saved.trial_days,
        [p.market for p in saved.prices], [p.currency for p in saved.prices], [p.amount_minor for p in saved.prices],
        saved.offered, version,
    )  # fmt: skip


async def locked(connection: Connection, cell: int, subscription_id: UUID) -> Subscription:
    """Lock a subscription and return it, or say that there is none."""
    row = await connection.fetchrow(SQL["subscription_for_update"], cell, subscription_id)
    if row is None:
        raise NotFoundError(f"There is no subscription {subscription_id}.", subscription_id=str(subscription_id))
    return Subscription(**dict(row))


async def subscription(connection: Connection, cell: int, subscription_id: UUID) -> Subscription:
    """Return a subscription, or say that there is none."""
    row = await connection.fetchrow(SQL["subscription"], cell, subscription_id)
    if row is None:
        raise NotFoundError(f"There is no subscription {subscription_id}.", subscription_id=str(subscription_id))
    return Subscription(**dict(row))


async def subscriptions(
    connection: Connection, cell: int, customer_id: UUID | None, before: UUID | None, limit: int, state: str = ""
) -> list[Subscription]:
    """Return a customer's subscriptions (None: everybody's) in a state (none given: in any) before an id, newest first."""
    rows = await connection.fetch(SQL["subscriptions"], cell, customer_id, before, limit, state)
    return [Subscription(**dict(row)) for row in rows]


async def charges(connection: Connection, cell: int, subscription_id: UUID) -> list[Attempt]:
    """Return every attempt to charge a subscription, newest first."""
    return [Attempt(**dict(row)) for row in await connection.fetch(SQL["charges"], cell, subscription_id)]


async def put(connection: Connection, cell: int, subscription: Subscription) -> None:
    """Write a subscription as it now is."""
    await connection.execute(
        SQL["put_subscription"], cell, *(getattr(subscription, name) for name in Subscription.__struct_fields__)
    )


async def put_contact(
    connection: Connection, cell: int, subscription_id: UUID, customer_id: UUID, payer: Payer, seals: Seals
) -> None:
    """Write to whom a subscription goes, sealed, and what pays for it."""
    sealed = await seals.seal(customer_id, {CONTACT: msgspec.json.encode(payer.contact).decode()})
    await connection.execute(SQL["put_contact"], cell, subscription_id, customer_id, sealed[CONTACT], payer.method)


async def put_method(connection: Connection, cell: int, subscription_id: UUID, method: str) -> None:
    """Change what pays for a subscription."""
    await connection.execute(SQL["put_method"], cell, subscription_id, method)


async def payer(connection: Connection, cell: int, subscription_id: UUID, seals: Seals) -> Payer | None:
    """Return to whom a subscription goes and what pays for it; None when the customer was forgotten."""
    row = await connection.fetchrow(SQL["contact"], cell, subscription_id)
    assert row is not None  # written with the subscription
    text: str | None = row["contact"]  # plain where it was written before it was sealed
    if row["sealed"] is not None:
        text = (await seals.unseal(row["subject"], {CONTACT: row["sealed"]}))[CONTACT]
    return None if text is None else Payer(msgspec.json.decode(text, type=Contact), row["method"])


async def put_charge(connection: Connection, cell: int, charge: Charge, at: datetime) -> None:
    """Write down an attempt to charge, before it is asked for."""
    await connection.execute(
        SQL["put_charge"], cell, charge.subscription_id, charge.period, charge.attempt, charge.plan, charge.price_minor,
        charge.credit_used_minor, charge.amount_minor, charge.currency, charge.period_start, charge.period_end, at,
    )  # fmt: skip


async def asked_charge(connection: Connection, cell: int, subscription_id: UUID) -> Charge:
    """Return the attempt whose outcome is not known yet."""
    row = await connection.fetchrow(SQL["asked_charge"], cell, subscription_id)
    assert row is not None  # there is one while the subscription is `charging`
    return Charge(**dict(row))


async def close_charge(connection: Connection, cell: int, charge: Charge, state: str, order_id: UUID | None, why: str) -> bool:
    """Note the outcome of an attempt, and say whether it was still open."""
    closed = await connection.fetchval(
        SQL["close_charge"], cell, charge.subscription_id, charge.period, charge.attempt, state, order_id, why
    )
    return bool(closed)


async def due(connection: Connection, cell: int, now: datetime, limit: int) -> list[UUID]:
    """Return the subscriptions that must be acted on, the longest due first."""
    return [row["id"] for row in await connection.fetch(SQL["due"], cell, now, limit)]


async def coming(connection: Connection, cell: int, after: datetime, until: datetime, limit: int) -> list[UUID]:
    """Return the subscriptions whose renewal comes between two moments and has not been announced."""
    return [row["id"] for row in await connection.fetch(SQL["coming"], cell, after, until, limit)]


def _plan(row: dict[str, object]) -> PlanSaved:
    columns = [row.pop(name) for name in ("markets", "currencies", "amounts_minor")]
    row.pop("version")
    prices = [PlanPrice(market=m, currency=c, amount_minor=a) for m, c, a in zip(*columns, strict=True)]
    return msgspec.convert({**row, "prices": prices}, PlanSaved)

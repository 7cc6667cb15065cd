"""What other rooms ask of plans and subscriptions, from the truth; reads only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.subscription import store
from entrepot.commerce.subscription.events import PlanSaved, SubscriptionChanged
from entrepot.commerce.subscription.store import Attempt
from entrepot.record.transaction import Connection


class SubscriptionDetail(Struct, frozen=True, kw_only=True):
    """A subscription as it stands, with every attempt to charge it."""

    subscription: SubscriptionChanged
    charging: bool
    charges: Sequence[Attempt]


async def plans(connection: Connection) -> list[PlanSaved]:
    """Return every plan."""
    return await store.plans(connection)


async def plan(connection: Connection, code: str) -> PlanSaved:
    """Return a plan, or say that there is none."""
    return await store.known_plan(connection, code)


async def subscriptions(
    connection: Connection, cell: int, customer_id: UUID | None, before: UUID | None, limit: int, state: str = ""
) -> list[SubscriptionChanged]:
    """Return a customer's subscriptions (None: everybody's) in a state (none given: in any) before an id, newest first."""
    return [one.told() for one in await store.subscriptions(connection, cell, customer_id, before, limit, state)]


async def subscription(connection: Connection, cell: int, subscription_id: UUID) -> SubscriptionDetail:
    """Return a subscription with its charges, or say that there is none."""
    found = await store.subscription(connection, cell, subscription_id)
    charges = await store.charges(connection, cell, subscription_id)
    return SubscriptionDetail(subscription=found.told(), charging=found.charging, charges=charges)


async def due(connection: Connection, cell: int, now: datetime, limit: int) -> list[UUID]:
    """Return the subscriptions that must be acted on, the longest due first."""
    return await store.due(connection, cell, now, limit)


async def coming(connection: Connection, cell: int, after: datetime, until: datetime, limit: int) -> list[UUID]:
    """Return the subscriptions whose renewal comes between two moments and has not been announced."""
    return await store.coming(connection, cell, after, until, limit)

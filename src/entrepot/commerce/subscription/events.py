"""What can have happened to plans and subscriptions. Keys: ``plan/<code>`` and ``subscription/<id>``.

Every event of a subscription carries it whole, as it then was; its kind says what happened. No address and no token is in one.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

PLAN_SAVED = "subscription.plan_saved.v1"
STARTED = "subscription.started.v1"
RENEWED = "subscription.renewed.v1"
RENEWAL_UPCOMING = "subscription.renewal_upcoming.v1"
PAYMENT_FAILED = "subscription.payment_failed.v1"
PAUSED = "subscription.paused.v1"
RESUMED = "subscription.resumed.v1"
PLAN_CHANGED = "subscription.plan_changed.v1"
METHOD_CHANGED = "subscription.method_changed.v1"
CANCELLED = "subscription.cancelled.v1"
ENDED = "subscription.ended.v1"

Unit = Literal["day", "week", "month", "year"]
State = Literal["trialing", "active", "paused", "past_due", "cancelled", "ended"]


class PlanPrice(Struct, frozen=True, kw_only=True):
    """What one piece costs each interval in a market, in minor units of its currency."""

    market: str
    currency: str
    amount_minor: int


class PlanSaved(Struct, frozen=True, kw_only=True):
    """A plan as it now is. ``delivery`` is its article's: what is sent (``ship``) is never prorated."""

    code: str
    title: str
    sku: str
    delivery: str
    unit: Unit
    units: int
    trial_days: int
    prices: list[PlanPrice]
    offered: bool = True


class SubscriptionChanged(Struct, frozen=True, kw_only=True):
    """A subscription as it now is. ``why`` is a reason in one word, where there is one (a decline's, an end's)."""

    id: UUID
    customer_id: UUID
    plan: str
    quantity: int
    market: str
    currency: str
    price_minor: int
    state: State
    period: int
    period_start: datetime
    period_end: datetime
    next_plan: str = ""
    credit_minor: int = 0
    attempt: int = 0
    next_at: datetime | None = None
    why: str = ""
    order_id: UUID | None = None

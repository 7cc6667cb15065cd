"""Pure decisions about subscriptions: when a period begins, what it costs, what a change gives back, what a failure leads to.

A period is paid at its beginning. A charge is written down before it is asked for (``charging``), and until its outcome is
known nothing else about the subscription may change: so what is charged is what was decided, however often it is asked.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import (
    BadInputError,
    ChargeUnderWayError,
    ConflictError,
    EntrepotError,
    KeyReusedError,
    NotFoundError,
)
from entrepot.base.machine import Machine
from entrepot.base.money import apportion
from entrepot.commerce.checkout.saga_rules import CHECKOUT
from entrepot.commerce.payment.store import Method
from entrepot.commerce.subscription.events import (
    CANCELLED,
    ENDED,
    PAYMENT_FAILED,
    PlanSaved,
    State,
    SubscriptionChanged,
)
from entrepot.commerce.subscription.plans import check_offered, plus, price_in

MACHINE = Machine(
    "subscription",
    {
        "trialing": ("active", "past_due", "cancelled", "ended"),
        "active": ("paused", "past_due", "cancelled", "ended"),
        "paused": ("active", "ended"),
        "past_due": ("active", "ended"),
        "cancelled": ("trialing", "active", "ended"),
        "ended": (),
    },
)

SERVER_ERROR: Final = 500


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription's row: see the columns of ``subscription.subscription``."""

    id: UUID
    customer_id: UUID
    plan: str
    next_plan: str
    quantity: int
    market: str
    currency: str
    price_minor: int
    state: State
    period: int
    period_start: datetime
    period_end: datetime
    anchor: datetime
    anchor_period: int
    credit_minor: int
    paused_at: datetime | None
    failed_at: datetime | None
    attempt: int
    charging: bool
    noticed_period: int
    next_at: datetime | None
    why: str
    version: int

    def told(self, order_id: UUID | None = None) -> SubscriptionChanged:
        """Return what an event says of it."""
        shared = {name: getattr(self, name) for name in SubscriptionChanged.__struct_fields__ if name != "order_id"}
        return SubscriptionChanged(**shared, order_id=order_id)


class Charge(Struct, frozen=True, kw_only=True):
    """What one attempt to charge a period asks for: the price of all pieces, less the credit that is left."""

    subscription_id: UUID
    period: int
    attempt: int
    plan: str
    price_minor: int
    credit_used_minor: int
    amount_minor: int
    currency: str
    period_start: datetime
    period_end: datetime

    @property
    def key(self) -> str:
        """The checkout's idempotency key; only after an attempt was declined for good is there a next one, and a next key."""
        key = f"subscription/{self.subscription_id}/{self.period}"
        return f"{key}/{self.attempt}" if self.attempt else key


def begins(subscription: Subscription, plan: PlanSaved, period: int) -> datetime:
    """Return when a period begins, counted from the anchor so that no short month moves the day for ever."""
    return plus(subscription.anchor, plan.unit, plan.units * (period - subscription.anchor_period))


def start(subscription_id: UUID, customer_id: UUID, plan: PlanSaved, market: str, quantity: int, now: datetime) -> Subscription:
    """Return a new subscription: on trial, or with its first charge due at once."""
    check_offered(plan)
    if not 1 <= quantity <= limits.SUBSCRIPTION_QUANTITY_MAX:
        raise BadInputError(f"{quantity} pieces cannot be subscribed to: 1 to {limits.SUBSCRIPTION_QUANTITY_MAX}.")
    price = price_in(plan, market)
    first = now + timedelta(days=plan.trial_days)
    return Subscription(
        id=subscription_id,
        customer_id=customer_id,
        plan=plan.code,
        next_plan="",
        quantity=quantity,
        market=market,
        currency=price.currency,
        price_minor=price.amount_minor,
        state="trialing",
        period=0,
        period_start=now,
        period_end=first,
        anchor=first,
        anchor_period=1,
        credit_minor=0,
        paused_at=None,
        failed_at=None,
        attempt=0,
        charging=False,
        noticed_period=0,
        next_at=first,
        why="",
        version=1,
    )


def token_of(method_id: UUID, method: Method | None, customer_id: UUID) -> str:
    """Return the token of a kept method, or refuse one that is not there, or another customer's."""
    if method is None or method.customer_id != customer_id:
        raise NotFoundError(f"The customer {customer_id} has no payment method {method_id}: keep one with a checkout first.")
    return method.token


def due(subscription: Subscription, now: datetime) -> bool:
    """Say whether the job must act: a period is over, a retry's day has come, or a charge's outcome is not known yet."""
    return subscription.charging or (subscription.next_at is not None and subscription.next_at <= now)


def ask(subscription: Subscription, plan: PlanSaved, following: PlanSaved) -> tuple[Subscription, Charge]:
    """Return the charge of the next period (``following`` is the plan it will be on), and the subscription that awaits it."""
    changes = following.code != plan.code
    price = price_in(following, subscription.market).amount_minor if changes else subscription.price_minor
    begin = subscription.period_end
    anchored = msgspec.structs.replace(subscription, anchor=begin, anchor_period=subscription.period + 1)
    within = anchored if changes else subscription
    full = price * subscription.quantity
    used = min(full, subscription.credit_minor)
    charge = Charge(
        subscription_id=subscription.id,
        period=subscription.period + 1,
        attempt=subscription.attempt,
        plan=following.code,
        price_minor=price,
        credit_used_minor=used,
        amount_minor=full - used,
        currency=subscription.currency,
        period_start=begin,
        period_end=begins(within, following, subscription.period + 2),
    )
    # Nobody is told that a charge is asked for, only how it went: the version counts what is told.
    return msgspec.structs.replace(within, charging=True), charge


def paid(subscription: Subscription, charge: Charge) -> Subscription:
    """Return the subscription in its new period."""
    return _next(
        subscription,
        state=_to(subscription, "active"),
        plan=charge.plan,
        next_plan="",
        price_minor=charge.price_minor,
        period=charge.period,
        period_start=charge.period_start,
        period_end=charge.period_end,
        credit_minor=subscription.credit_minor - charge.credit_used_minor,
        failed_at=None,
        attempt=0,
        charging=False,
        next_at=charge.period_end,
        why="",
    )


def declined(subscription: Subscription, why: str, now: datetime) -> Subscription:
    """Return the subscription after an attempt that failed: tried again on the days of dunning, then ended.

    What never began (no trial, and not even the first payment) ends at once.
    """
    attempt, failed_at = subscription.attempt + 1, subscription.failed_at or now
    never_began = subscription.period == 0 and subscription.period_start == subscription.period_end
    if never_began or attempt > len(limits.DUNNING_DAYS):
        return _next(_ended(subscription, why), attempt=attempt)
    return _next(
        subscription,
        state=_to(subscription, "past_due"),
        failed_at=failed_at,
        attempt=attempt,
        charging=False,
        next_at=failed_at + timedelta(days=limits.DUNNING_DAYS[attempt - 1]),
        why=why,
    )


def kind_of_cancellation(cancelled: Subscription) -> str:
    """Return which event tells of a cancellation: that it will end, or that it has."""
    return ENDED if cancelled.state == "ended" else CANCELLED


def kind_of_failure(failed: Subscription) -> str:
    """Return which event tells of a payment that failed: a failure, or the end that it led to."""
    return ENDED if failed.state == "ended" else PAYMENT_FAILED


def is_over(subscription: Subscription) -> bool:
    """Say whether what is due is not a charge but the end."""
    return subscription.state == "cancelled"


def end(subscription: Subscription) -> Subscription:
    """Return a cancelled subscription whose time is over."""
    return _next(_ended(subscription, subscription.why))


def pause(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription at rest: nothing is charged, and what is left of its period is kept."""
    _check_settled(subscription)
    MACHINE.check(subscription.id, subscription.state, "paused")
    return _next(subscription, state="paused", paused_at=now, next_at=None)


def resume(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription going on: its period is longer by the pause; one that was cancelled goes on as it was."""
    _check_settled(subscription)
    if subscription.paused_at is None:
        state: State = "active" if subscription.period else "trialing"
        MACHINE.check(subscription.id, subscription.state, state)
        return _next(subscription, state=state, next_at=subscription.period_end, why="")
    until = subscription.period_end + (now - subscription.paused_at)
    return _next(
        subscription,
        state="active",
        paused_at=None,
        period_end=until,
        anchor=until,
        anchor_period=subscription.period + 1,
        next_at=until,
    )


def cancel(subscription: Subscription, *, at_once: bool, why: str) -> Subscription:
    """Return the subscription as it is given up: at the end of what is paid; at once when nothing is, or when asked so."""
    _check_settled(subscription)
    if at_once or subscription.state in {"paused", "past_due"}:
        MACHINE.check(subscription.id, subscription.state, "ended")
        return _next(_ended(subscription, why))
    MACHINE.check(subscription.id, subscription.state, "cancelled")
    return _next(subscription, state="cancelled", next_at=subscription.period_end, why=why)


def change(subscription: Subscription, plan: PlanSaved, wanted: PlanSaved, now: datetime) -> Subscription:
    """Return the subscription on another plan: at once, what is unused being credit; of goods, with the next period."""
    _check_settled(subscription)
    check_offered(wanted)
    price = price_in(wanted, subscription.market)
    if price.currency != subscription.currency:
        raise BadInputError(
            f"The plan {wanted.code} is in {price.currency} there, this subscription in {subscription.currency}."
        )
    if subscription.state not in {"trialing", "active"}:
        raise ConflictError(
            f"The subscription {subscription.id} is {subscription.state}: its plan can be changed when it is active.",
            subscription_id=str(subscription.id),
            state=subscription.state,
        )
    if wanted.code in {plan.code, subscription.next_plan}:
        raise ConflictError(f"The subscription {subscription.id} is on the plan {wanted.code} already.", plan=wanted.code)
    if subscription.period and subscription.period_end <= now:  # its next charge, at the price that stands, is due already
        raise ChargeUnderWayError(subscription.id)
    if subscription.period == 0:
        return _next(subscription, plan=wanted.code, next_plan="", price_minor=price.amount_minor)
    if "ship" in {plan.delivery, wanted.delivery}:
        return _next(subscription, next_plan=wanted.code)
    _, unused = shares(subscription, now)
    return _next(
        subscription,
        plan=wanted.code,
        next_plan="",
        price_minor=price.amount_minor,
        credit_minor=subscription.credit_minor + unused,
        period_end=now,
        anchor=now,
        anchor_period=subscription.period + 1,
        next_at=now,
    )


def shares(subscription: Subscription, now: datetime) -> tuple[int, int]:
    """Return what was used and what is unused of the period's price, by days; the two are exactly the price."""
    days = max((subscription.period_end.date() - subscription.period_start.date()).days, 1)
    used_days = min(max((now.date() - subscription.period_start.date()).days, 0), days)
    used, unused = apportion(subscription.price_minor * subscription.quantity, [used_days, days - used_days])
    return used, unused


def pieces(amount_minor: int, quantity: int) -> list[tuple[int, int]]:
    """Return lines of (pieces, price of one) that make exactly the amount: two at most, a minor unit apart."""
    unit, dearer = divmod(amount_minor, quantity)
    return [(count, price) for count, price in ((quantity - dearer, unit), (dearer, unit + 1)) if count]


def change_method(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription with another method of payment: one that is past due is tried again at once."""
    _check_settled(subscription)
    if subscription.state == "ended":
        raise ConflictError(f"The subscription {subscription.id} has ended: start a new one.", id=str(subscription.id))
    return _next(subscription, next_at=now if subscription.state == "past_due" else subscription.next_at)


def reason_of(error: EntrepotError) -> str:
    """Return, in a word, why a checkout was refused for good; raises an error that says nothing for good."""
    if error.status >= SERVER_ERROR or isinstance(error, KeyReusedError):  # the latter: something was begun under this key
        raise error
    return error.slug.replace("-", "_")


def check_ended(charge: Charge, state: str) -> None:
    """Raise while a checkout has not ended: its charge is under way, and is asked for again."""
    if CHECKOUT.moves[state]:
        raise ChargeUnderWayError(charge.subscription_id)


def announces(subscription: Subscription, now: datetime) -> Subscription | None:
    """Return the subscription once it has been told that a renewal is near, or None when there is nothing to tell (again)."""
    coming = subscription.next_at is not None and now < subscription.next_at <= now + timedelta(days=limits.UPCOMING_DAYS)
    if not coming or subscription.state not in {"trialing", "active"} or subscription.noticed_period > subscription.period:
        return None
    return _next(subscription, noticed_period=subscription.period + 1)


def _check_settled(subscription: Subscription) -> None:
    if subscription.charging:
        raise ChargeUnderWayError(subscription.id)


def _to(subscription: Subscription, state: State) -> State:
    """Return the state a subscription takes; one that stays as it is has made no move."""
    if state != subscription.state:
        MACHINE.check(subscription.id, subscription.state, state)
    return state


def _ended(subscription: Subscription, why: str) -> Subscription:
    return msgspec.structs.replace(
        subscription, state=_to(subscription, "ended"), charging=False, paused_at=None, failed_at=None, next_at=None, why=why
    )


def _next(subscription: Subscription, **changes: object) -> Subscription:
    """Return the subscription with these changes, one version on."""
    return msgspec.structs.replace(subscription, **changes, version=subscription.version + 1)

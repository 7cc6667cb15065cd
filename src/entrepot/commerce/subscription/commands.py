"""The commands on plans and subscriptions. Time comes in as ``now``; what a charge does at the gateway is ``renewing``'s.

Each locks the subscription, lets ``rules`` decide, and writes row and event together.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Token
from entrepot.commerce.cart.rules import check_contact
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.payment.query import method
from entrepot.commerce.subscription import plans, rules, store
from entrepot.commerce.subscription.events import (
    ENDED,
    METHOD_CHANGED,
    PAUSED,
    PLAN_CHANGED,
    PLAN_SAVED,
    RENEWAL_UPCOMING,
    RENEWED,
    RESUMED,
    STARTED,
    PlanSaved,
    SubscriptionChanged,
)
from entrepot.commerce.subscription.plans import PlanDraft
from entrepot.commerce.subscription.rules import Charge, Subscription
from entrepot.commerce.subscription.store import Payer
from entrepot.record.transaction import Fact, Transaction


class SubscriptionDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscription as it is asked for; ``method_id`` is a kept payment method of the customer's."""

    customer_id: UUID
    plan: str
    market: str
    contact: Contact
    method_id: UUID
    quantity: int = 1


class Changed(Struct, frozen=True, kw_only=True):
    """A subscription after a command, and the position of the change."""

    subscription: SubscriptionChanged
    position: str


async def save_plan(tx: Transaction, code: str, draft: PlanDraft) -> Token | None:
    """Make or change a plan; a new price is for whoever subscribes or changes from now on. None: it was so already."""
    plans.check_plan(code, draft)
    known = await store.plan(tx.connection, code, for_update=True)
    plans.check_article_kept(known[0] if known else None, draft)
    delivery = await store.delivery(tx.connection, draft.sku)
    shared = {name: getattr(draft, name) for name in PlanDraft.__struct_fields__}
    saved, version = PlanSaved(code=code, delivery=delivery, **shared), known[1] + 1 if known else 1
    if known and known[0] == saved:
        return None
    await store.put_plan(tx.connection, saved, version)
    return await tx.append([Fact(PLAN_SAVED, f"plan/{code}", version, saved)])


async def start(tx: Transaction, draft: SubscriptionDraft, now: datetime) -> Changed:
    """Begin a subscription: on trial, or with its first charge due now."""
    plan = await store.known_plan(tx.connection, draft.plan)
    check_contact(draft.contact)
    token = rules.token_of(draft.method_id, await method(tx.connection, tx.cell, draft.method_id), draft.customer_id)
    begun = rules.start(tx.ids.fresh(), draft.customer_id, plan, draft.market, draft.quantity, now)
    changed = await _write(tx, STARTED, begun)
    payer = Payer(draft.contact, token)
    await store.put_contact(tx.connection, tx.cell, begun.id, draft.customer_id, payer, tx.sealing)
    return changed


async def pause(tx: Transaction, subscription_id: UUID, now: datetime) -> Changed:
    """Let a subscription rest; what is left of its period is kept."""
    return await _change(tx, PAUSED, subscription_id, lambda one: rules.pause(one, now))


async def resume(tx: Transaction, subscription_id: UUID, now: datetime) -> Changed:
    """Let a subscription go on that was paused, or cancelled and not yet ended."""
    return await _change(tx, RESUMED, subscription_id, lambda one: rules.resume(one, now))


async def cancel(tx: Transaction, subscription_id: UUID, *, at_once: bool, why: str) -> Changed:
    """Give a subscription up: at the end of what is paid, or at once."""
    cancelled = rules.cancel(await store.locked(tx.connection, tx.cell, subscription_id), at_once=at_once, why=why)
    return await _write(tx, rules.kind_of_cancellation(cancelled), cancelled)


async def change_plan(tx: Transaction, subscription_id: UUID, code: str, now: datetime) -> Changed:
    """Put a subscription on another plan; what is unused of the old one is credit for the next charges."""
    subscription = await store.locked(tx.connection, tx.cell, subscription_id)
    plan = await store.known_plan(tx.connection, subscription.plan)
    wanted = await store.known_plan(tx.connection, code)
    return await _write(tx, PLAN_CHANGED, rules.change(subscription, plan, wanted, now))


async def change_method(tx: Transaction, subscription_id: UUID, method_id: UUID, now: datetime) -> Changed:
    """Pay from now on by another kept method of the customer's; one that is past due is tried again at once."""
    subscription = await store.locked(tx.connection, tx.cell, subscription_id)
    token = rules.token_of(method_id, await method(tx.connection, tx.cell, method_id), subscription.customer_id)
    changed = await _write(tx, METHOD_CHANGED, rules.change_method(subscription, now))
    await store.put_method(tx.connection, tx.cell, subscription_id, token)
    return changed


async def announce(tx: Transaction, subscription_id: UUID, now: datetime) -> bool:
    """Tell that a renewal is near, once for each; says whether there was anything to tell."""
    announced = rules.announces(await store.locked(tx.connection, tx.cell, subscription_id), now)
    if announced is not None:
        await _write(tx, RENEWAL_UPCOMING, announced)
    return announced is not None


async def ask_charge(tx: Transaction, subscription_id: UUID, now: datetime) -> Charge | None:
    """Write down the charge that is due and return it; the same one again while its outcome is not known; None: nothing is due.

    A subscription that was cancelled and whose time is over ends here instead.
    """
    subscription = await store.locked(tx.connection, tx.cell, subscription_id)
    if subscription.charging:
        return await store.asked_charge(tx.connection, tx.cell, subscription_id)
    if not rules.due(subscription, now):
        return None
    if rules.is_over(subscription):
        await _write(tx, ENDED, rules.end(subscription))
        return None
    plan = await store.known_plan(tx.connection, subscription.plan)
    following = await store.known_plan(tx.connection, subscription.next_plan or subscription.plan)
    asking, charge = rules.ask(subscription, plan, following)
    await store.put(tx.connection, tx.cell, asking)
    await store.put_charge(tx.connection, tx.cell, charge, now)
    return charge


async def note_paid(tx: Transaction, charge: Charge, order_id: UUID) -> None:
    """Begin the period that was paid for; noting it twice changes nothing."""
    subscription = await store.locked(tx.connection, tx.cell, charge.subscription_id)
    if await store.close_charge(tx.connection, tx.cell, charge, "paid", order_id, ""):
        await _write(tx, RENEWED, rules.paid(subscription, charge), order_id)


async def note_declined(tx: Transaction, charge: Charge, why: str, now: datetime) -> None:
    """Let dunning go on after an attempt that failed; noting it twice changes nothing."""
    subscription = await store.locked(tx.connection, tx.cell, charge.subscription_id)
    if await store.close_charge(tx.connection, tx.cell, charge, "declined", None, why):
        failed = rules.declined(subscription, why, now)
        await _write(tx, rules.kind_of_failure(failed), failed)


async def _change(tx: Transaction, kind: str, subscription_id: UUID, decide: Callable[[Subscription], Subscription]) -> Changed:
    return await _write(tx, kind, decide(await store.locked(tx.connection, tx.cell, subscription_id)))


async def _write(tx: Transaction, kind: str, subscription: Subscription, order_id: UUID | None = None) -> Changed:
    await store.put(tx.connection, tx.cell, subscription)
    told = subscription.told(order_id)
    fact = Fact(kind, f"subscription/{subscription.id}", subscription.version, told, subscription.customer_id)
    return Changed(subscription=told, position=str(await tx.append([fact])))

"""What a subscription costs when: periods by the calendar, proration to the minor unit, and dunning that comes to an end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ChargeUnderWayError, ConflictError
from entrepot.commerce.subscription import rules
from entrepot.commerce.subscription.events import PlanPrice, PlanSaved
from entrepot.commerce.subscription.plans import price_in
from entrepot.commerce.subscription.rules import Charge, Subscription

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SUBSCRIPTION = UUID("01900000-0000-7000-8000-000000000001")
CUSTOMER = UUID("01900000-0000-7000-8000-000000000002")
ORDER = UUID("01900000-0000-7000-8000-000000000003")


def plan(code: str = "basic", amount_minor: int = 1000, *, trial_days: int = 0, delivery: str = "digital") -> PlanSaved:
    """Return a monthly plan of this price in the market ``uk``."""
    prices = [PlanPrice(market="uk", currency="GBP", amount_minor=amount_minor)]
    return PlanSaved(
        code=code, title=code, sku=code, delivery=delivery, unit="month", units=1, trial_days=trial_days, prices=prices
    )


def begun(of: PlanSaved | None = None, quantity: int = 1, now: datetime = NOW) -> Subscription:
    return rules.start(SUBSCRIPTION, CUSTOMER, of or plan(), "uk", quantity, now)


def charged(subscription: Subscription, *, on: PlanSaved | None = None) -> tuple[Subscription, Charge]:
    """Return the subscription after its next charge was paid, and that charge."""
    asking, charge = rules.ask(subscription, on or plan(), on or plan())
    return rules.paid(asking, charge), charge


def test_a_period_that_begins_on_the_31st_stays_on_the_31st_after_february() -> None:
    subscription = begun()
    ends = []
    for _ in range(3):
        subscription, charge = charged(subscription)
        ends.append((charge.period_end.month, charge.period_end.day))
    assert ends == [(2, 28), (3, 31), (4, 30)]


def test_a_trial_costs_nothing_until_it_is_over() -> None:
    subscription = begun(plan(trial_days=14))
    assert not rules.due(subscription, NOW + timedelta(days=13))
    assert rules.due(subscription, NOW + timedelta(days=14))
    _, charge = charged(subscription)
    assert (charge.period, charge.period_start) == (1, NOW + timedelta(days=14))


@given(price=st.integers(0, 10**9), quantity=st.integers(1, 1000), days=st.integers(-3, 40))
def test_what_is_used_and_unused_is_exactly_the_price(price: int, quantity: int, days: int) -> None:
    subscription, _ = charged(begun(plan(amount_minor=price), quantity), on=plan(amount_minor=price))
    used, unused = rules.shares(subscription, NOW + timedelta(days=days))
    assert used + unused == price * quantity
    assert used >= 0 <= unused


@given(
    prices=st.lists(st.integers(0, 50_000), min_size=1, max_size=8),
    days=st.lists(st.integers(0, 27), min_size=8, max_size=8),
    quantity=st.integers(1, 7),
)
def test_changes_of_plan_neither_make_nor_lose_a_minor_unit(prices: list[int], days: list[int], quantity: int) -> None:
    now, first = NOW, plan(amount_minor=1999)
    subscription, charge = charged(begun(first, quantity), on=first)
    taken, used = charge.amount_minor, 0
    current = first
    for number, price in enumerate(prices):
        now += timedelta(days=days[number])
        wanted = plan(f"plan-{number}", price)
        used += rules.shares(subscription, now)[0]
        changed = rules.change(subscription, current, wanted, now)
        subscription, charge = charged(changed, on=wanted)
        taken, current = taken + charge.amount_minor, wanted
    assert taken == used + current.prices[0].amount_minor * quantity + subscription.credit_minor


@given(amount=st.integers(0, 10**9), quantity=st.integers(1, 10_000))
def test_the_lines_of_a_charge_are_exactly_its_amount(amount: int, quantity: int) -> None:
    lines = rules.pieces(amount, quantity)
    assert sum(count * unit for count, unit in lines) == amount
    assert sum(count for count, _ in lines) == quantity
    assert len(lines) <= 2


def test_a_plan_of_goods_that_are_sent_changes_with_the_next_period() -> None:
    box, bigger = plan("box", delivery="ship"), plan("bigger", 2000, delivery="ship")
    subscription, _ = charged(begun(box), on=box)
    changed = rules.change(subscription, box, bigger, NOW + timedelta(days=3))
    assert (changed.plan, changed.next_plan, changed.credit_minor) == ("box", "bigger", 0)
    asking, charge = rules.ask(changed, box, bigger)
    assert (charge.plan, charge.amount_minor, rules.paid(asking, charge).plan) == ("bigger", 2000, "bigger")


def test_dunning_tries_on_its_days_and_then_ends() -> None:
    subscription, _ = charged(begun())
    failed, days = NOW + timedelta(days=28), []
    while subscription.state != "ended":
        asking, _ = rules.ask(subscription, plan(), plan())
        subscription = rules.declined(asking, "insufficient_funds", failed)
        if subscription.next_at:
            days.append((subscription.next_at - failed).days)
    assert tuple(days) == limits.DUNNING_DAYS
    assert (subscription.why, subscription.next_at) == ("insufficient_funds", None)


def test_what_never_began_ends_with_its_first_failure() -> None:
    asking, _ = rules.ask(begun(), plan(), plan())
    assert rules.declined(asking, "stolen_card", NOW).state == "ended"


def test_each_attempt_has_a_key_of_its_own_and_the_first_is_the_period_s() -> None:
    subscription, _ = charged(begun())
    asking, charge = rules.ask(subscription, plan(), plan())
    assert charge.key == f"subscription/{SUBSCRIPTION}/2"
    _, again = rules.ask(rules.declined(asking, "expired_card", NOW), plan(), plan())
    assert again.key == f"subscription/{SUBSCRIPTION}/2/1"


def test_a_pause_makes_the_period_longer_by_itself() -> None:
    subscription, charge = charged(begun())
    paused = rules.pause(subscription, NOW + timedelta(days=5))
    assert not rules.due(paused, NOW + timedelta(days=500))
    resumed = rules.resume(paused, NOW + timedelta(days=15))
    assert resumed.next_at == charge.period_end + timedelta(days=10)


def test_a_cancelled_subscription_runs_to_the_end_of_what_is_paid_and_can_be_taken_up_again() -> None:
    subscription, charge = charged(begun())
    cancelled = rules.cancel(subscription, at_once=False, why="too dear")
    assert (cancelled.state, cancelled.next_at) == ("cancelled", charge.period_end)
    assert rules.resume(cancelled, NOW).state == "active"
    assert rules.end(cancelled).state == "ended"


@pytest.mark.parametrize("act", [rules.pause, rules.resume, rules.change_method])
def test_nothing_changes_while_the_outcome_of_a_charge_is_not_known(act: object) -> None:
    asking, _ = rules.ask(begun(), plan(), plan())
    with pytest.raises(ChargeUnderWayError):
        act(asking, NOW)  # type: ignore[operator]  # one of the three decisions above


def test_a_plan_cannot_be_changed_while_the_charge_of_the_last_change_is_due() -> None:
    subscription, _ = charged(begun())
    changed = rules.change(subscription, plan(), plan("other"), NOW)
    with pytest.raises(ChargeUnderWayError):
        rules.change(changed, plan("other"), plan("third"), NOW)


def test_a_renewal_is_announced_once() -> None:
    subscription, charge = charged(begun())
    near = charge.period_end - timedelta(days=2)
    assert rules.announces(subscription, NOW) is None
    announced = rules.announces(subscription, near)
    assert announced is not None
    assert rules.announces(announced, near) is None


def test_a_plan_is_refused_where_it_is_not_offered() -> None:
    with pytest.raises(BadInputError, match="'de', only in uk"):
        price_in(plan(), "de")
    with pytest.raises(ConflictError, match="already"):
        rules.change(charged(begun())[0], plan(), plan(), NOW)

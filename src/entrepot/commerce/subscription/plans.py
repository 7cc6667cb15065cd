"""Pure decisions about plans: what one must be, what it costs where, and how long its intervals are."""

from calendar import monthrange
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.money import currency
from entrepot.commerce.subscription.events import PlanPrice, PlanSaved, Unit

MONTHS: Final = {"month": 1, "year": 12}
DAYS: Final = {"day": 1, "week": 7}


class PlanDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan as it shall be: every ``units`` of ``unit``, so much in each market; ``offered`` false takes no new subscriber."""

    title: str
    sku: str
    unit: Unit
    prices: list[PlanPrice]
    units: int = 1
    trial_days: int = 0
    offered: bool = True


def check_plan(code: str, draft: PlanDraft) -> None:
    """Refuse a plan that cannot be, naming the value."""
    if not (1 <= len(code) <= limits.COMPANY_TEXT_CHARS_MAX and code.isprintable() and code == code.strip()):
        raise BadInputError(f"The plan's code {code[:50]!r} is not usable: printable characters, no space at either end.")
    if not 1 <= draft.units <= limits.PLAN_UNITS_MAX:
        raise BadInputError(f"An interval of {draft.units} {draft.unit}s is not possible: 1 to {limits.PLAN_UNITS_MAX}.")
    if not 0 <= draft.trial_days <= limits.TRIAL_DAYS_MAX:
        raise BadInputError(f"A trial of {draft.trial_days} days is not possible: 0 to {limits.TRIAL_DAYS_MAX}.")
    markets = [price.market for price in draft.prices]
    if not markets or len(set(markets)) < len(markets):
        raise BadInputError("A plan has one price in each market where it is offered, and one market at least.")
    for price in draft.prices:
        currency(price.currency)
        if not 0 <= price.amount_minor <= limits.MINOR_MAX:
            raise BadInputError(f"The price {price.amount_minor} in {price.market} is out of range: 0 to {limits.MINOR_MAX}.")


def check_article_kept(before: PlanSaved | None, draft: PlanDraft) -> None:
    """Refuse another article: what is subscribed to, and a charge that is under way, are of the one it has."""
    if before is not None and before.sku != draft.sku:
        raise ConflictError(f"The plan {before.code} sells {before.sku}: make another plan for {draft.sku}.", plan=before.code)


def price_in(plan: PlanSaved, market: str) -> PlanPrice:
    """Return what a plan costs in a market, or say where it is offered."""
    found = next((price for price in plan.prices if price.market == market), None)
    if found is None:
        known = ", ".join(price.market for price in plan.prices)
        raise BadInputError(f"The plan {plan.code} is not offered in {market!r}, only in {known}.", plan=plan.code)
    return found


def check_offered(plan: PlanSaved) -> None:
    """Refuse a plan that takes no new subscribers."""
    if not plan.offered:
        raise ConflictError(f"The plan {plan.code} takes no new subscribers: choose another.", plan=plan.code)


def plus(moment: datetime, unit: Unit, count: int) -> datetime:
    """Return the moment so many units later; a day that the month does not have is its last (31 January, 28 February)."""
    if unit in DAYS:
        return moment + timedelta(days=DAYS[unit] * count)
    years, month = divmod(moment.month - 1 + MONTHS[unit] * count, 12)
    year, month = moment.year + years, month + 1
    if year > limits.YEAR_MAX:
        raise BadInputError(f"A period of {count} {unit}s would end after {limits.YEAR_MAX}: choose a shorter interval.")
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))

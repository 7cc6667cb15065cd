"""Pure decisions of promotions: what one must be, whom it is for, which of them apply together, and what a coupon opens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import (
    BadInputError,
    CouponExpiredError,
    CouponRefusedError,
    CouponUnknownError,
    CouponUsedUpError,
    NotFoundError,
)
from entrepot.base.money import currency
from entrepot.commerce.promotion.effects import (
    ALL_BASIS_POINTS,
    Convert,
    Item,
    Promotion,
    eligible,
    postage_off,
    taken_off,
)
from entrepot.commerce.promotion.events import Amount, Bundle, BuyGet, CouponSaved, FreeShipping, Percentage

Coupon = CouponSaved

_CODE_CHARS_MAX = 40


class Audience(Struct, frozen=True):
    """Who buys, where and when, as far as promotions depend on it."""

    market: str
    channel: str
    customer_groups: Sequence[str]
    customer_id: UUID | None
    at: datetime


class Candidate(Struct, frozen=True):
    """A promotion that may apply, and the coupon that opened it."""

    promotion: Promotion
    coupon: Coupon | None = None


class Limit(Struct, frozen=True):
    """How often something may be used: the name of its allowance, and the most."""

    name: str
    most: int


class Use(Struct, frozen=True, kw_only=True):
    """How much of an allowance is used, up to how much; ``since`` when it is used up, or is not (None: it always was so)."""

    name: str
    used: int
    most: int
    since: datetime | None


class Postage(Struct, frozen=True):
    """The method that goods go by, and what it costs."""

    method: str | None = None
    amount_minor: int = 0


class Applied(Struct, frozen=True):
    """A promotion that applies, and what it takes off each line and the postage."""

    candidate: Candidate
    off: Sequence[int]
    postage_minor: int = 0


class Idle(Struct, frozen=True):
    """A promotion that could have applied, why it does not, and for how much more goods are needed.

    What a coupon opens is always told of; of the others those that are ``told``.
    """

    candidate: Candidate
    why: str
    short_minor: int = 0
    told: bool = False


class Settled(Struct, frozen=True):
    """Which promotions apply together, in their order, and which do not."""

    applied: Sequence[Applied] = ()
    idle: Sequence[Idle] = ()


def normal(code: str) -> str:
    """Return a coupon's code as it is kept: without spaces around it, in capitals."""
    return code.strip().upper()


def limits_of(one: Candidate, customer_id: UUID | None) -> list[Limit]:
    """Return every limit that one use of a candidate counts against."""
    found: list[Limit] = []
    for kind, limited in (("promotion", one.promotion), ("coupon", one.coupon)):
        if limited is None:
            continue
        if limited.most is not None:
            found.append(Limit(f"{kind}/{limited.code}", limited.most))
        if limited.most_per_customer is not None and customer_id is not None:
            found.append(Limit(f"{kind}/{limited.code}/{customer_id}", limited.most_per_customer))
    return found


def automatic(promotions: Sequence[Promotion], audience: Audience, used: Mapping[str, int]) -> list[Candidate]:
    """Return the promotions that need no coupon, are for this buyer now, and are not used up."""
    return [
        Candidate(one)
        for one in promotions
        if not one.needs_coupon and not _unfit(one, audience) and _exhausted(Candidate(one), audience, used) is None
    ]


def used_up(
    promotions: Sequence[Promotion], audience: Audience, used: Mapping[str, int], items: Sequence[Item], convert: Convert
) -> list[Idle]:
    """Return the promotions that would apply without a coupon, had they not been used as often as they may be."""
    found = []
    for one in promotions:
        limit = None if one.needs_coupon or _unfit(one, audience) else _exhausted(Candidate(one), audience, used)
        if limit is not None and _unmet(Candidate(one), items, convert) is None:
            by_customer = limit.name.count("/") > 1
            why = "you have used it as often as you may" if by_customer else "it was used as often as it may be"
            found.append(Idle(Candidate(one), why, told=True))
    return found


def used_then(
    promotions: Mapping[str, Promotion], uses: Sequence[Use], customer_id: UUID | None, at: datetime
) -> dict[str, int]:
    """Return how much of each allowance was used at a moment gone by, as far as it matters: whether it was used up.

    What a coupon opens is left as it is: whoever has used it since knows what it takes off.
    """
    of_themselves = {
        limit.name for one in promotions.values() if not one.needs_coupon for limit in limits_of(Candidate(one), customer_id)
    }
    return {
        one.name: one.used
        if one.since is None or one.since <= at or one.name not in of_themselves
        else (0 if one.used >= one.most else one.most)
        for one in uses
    }


def open_coupon(
    code: str, coupon: Coupon | None, promotion: Promotion | None, audience: Audience, used: Mapping[str, int]
) -> Candidate:
    """Return the promotion that a coupon opens; one that is unknown, over, used up or not for this buyer is refused."""
    if coupon is None:
        raise CouponUnknownError(code)
    if promotion is None or not (coupon.active and promotion.active):
        raise CouponExpiredError(code, "is no longer valid")
    _check_begun(code, coupon, audience.at)
    _check_begun(code, promotion, audience.at)
    if coupon.customer_id is not None and coupon.customer_id != audience.customer_id:
        raise CouponRefusedError(code, "it was given to another customer; sign in as who got it")
    if audience.customer_id is None and not (coupon.most_per_customer is None and promotion.most_per_customer is None):
        raise CouponRefusedError(code, "it is limited per customer; sign in first")
    if why := _unfit(promotion, audience):
        raise CouponRefusedError(code, why)
    candidate = Candidate(promotion, coupon)
    exhausted = _exhausted(candidate, audience, used)
    if exhausted is not None:
        raise CouponUsedUpError(code, most=exhausted.most, by_customer=exhausted.name.count("/") > 1)
    return candidate


def settle(candidates: Sequence[Candidate], items: Sequence[Item], postage: Postage, convert: Convert) -> Settled:
    """Return which candidates apply: those that stack, one after the other, or a single exclusive one if it takes off more.

    Of a group only the one that takes off most is among those that stack. ``postage`` is what shipping costs without any.
    """
    ready: list[Candidate] = []
    idle: list[Idle] = []
    seen: set[str] = set()
    for one in sorted(candidates, key=_order):
        if unmet := _unmet(one, items, convert):
            idle.append(unmet)
        elif one.promotion.code in seen:
            idle.append(Idle(one, f"{one.promotion.code} is applied already"))
        else:
            seen.add(one.promotion.code)
            ready.append(one)
    stacked, beaten = _best_of_groups([one for one in ready if one.promotion.stacking != "exclusive"], items, postage, convert)
    exclusive = [one for one in ready if one.promotion.stacking == "exclusive"]
    plans = [_run(plan, items, postage, convert) for plan in (stacked, *([one] for one in exclusive))]
    chosen = max(plans, key=_total) if plans else []
    applied = {id(one.candidate) for one in chosen}
    idle += [Idle(one, "another takes off more") for one in (*beaten, *stacked, *exclusive) if id(one) not in applied]
    working = [one for one in chosen if any(one.off) or one.postage_minor]
    idle += [Idle(one.candidate, "it takes nothing off here") for one in chosen if one not in working]
    return Settled(working, idle)


def check_promotion(one: Promotion) -> None:
    """Refuse a promotion that cannot be, naming the value."""
    check_code("promotion", one.code)
    currency(one.currency)
    _check_span(one.starts_at, one.ends_at)
    _check_limits(one.most, one.most_per_customer)
    _check_amount(one.minimum_minor)
    if not 0 <= one.rank <= limits.RANK_MAX:
        raise BadInputError(f"The rank {one.rank} is out of range: 0 to {limits.RANK_MAX}.", rank=one.rank)
    match one.effect:
        case Percentage(basis_points=share) | BuyGet(basis_points=share) if not 1 <= share <= ALL_BASIS_POINTS:
            raise BadInputError(
                f"{share} basis points cannot be taken off: 1 to {ALL_BASIS_POINTS} (100%).", field="basis_points", value=share
            )
        case BuyGet(buy=buy, get=get) if not (1 <= buy <= limits.QUANTITY_MAX and 1 <= get <= limits.QUANTITY_MAX):
            raise BadInputError(f"Buy {buy}, get {get} cannot be: each at least 1.", buy=buy, get=get)
        case Amount(amount_minor=amount) | Bundle(price_minor=amount):
            _check_amount(amount)
        case FreeShipping(up_to_minor=amount):
            _check_amount(amount or 0)
    if isinstance(one.effect, Bundle):
        _check_bundle(one.effect)


def check_coupon(one: Coupon, promotion: Promotion | None) -> None:
    """Refuse a coupon that cannot be, or that opens nothing."""
    check_code("coupon", one.code)
    _check_span(one.starts_at, one.ends_at)
    _check_limits(one.most, one.most_per_customer)
    if promotion is None:
        raise NotFoundError(f"There is no promotion {one.promotion!r}: make it first.", promotion=one.promotion)


def check_code(what: str, code: str) -> None:
    """Refuse a code that is not letters, digits, hyphens and underscores in capitals (it is part of an allowance's name)."""
    plain = code.replace("-", "").replace("_", "")
    if not (1 <= len(code) <= _CODE_CHARS_MAX and plain.isascii() and plain.isalnum() and code == code.upper()):
        raise BadInputError(
            f"The code {code[:_CODE_CHARS_MAX]!r} of a {what} is not usable: 1 to {_CODE_CHARS_MAX} capital letters, digits, "
            "hyphens and underscores.",
            code=code,
        )


def _order(one: Candidate) -> tuple[int, str, str]:
    return (one.promotion.rank, one.promotion.code, one.coupon.code if one.coupon else "")


def _check_begun(code: str, of: Coupon | Promotion, at: datetime) -> None:
    if of.starts_at is not None and at < of.starts_at:
        raise CouponExpiredError(code, f"is not valid before {of.starts_at.isoformat()}")
    if of.ends_at is not None and at >= of.ends_at:
        raise CouponExpiredError(code, f"was valid until {of.ends_at.isoformat()}")


def _unfit(one: Promotion, audience: Audience) -> str:
    """Return why a promotion is not for this buyer now; an empty text when it is."""
    if not one.active or (one.starts_at and audience.at < one.starts_at) or (one.ends_at and audience.at >= one.ends_at):
        return "it is not valid now"
    if one.markets and audience.market not in one.markets:
        return f"it is for the markets {', '.join(one.markets)}"
    if one.channels and audience.channel not in one.channels:
        return f"it is for the channels {', '.join(one.channels)}"
    if one.customer_groups and not set(one.customer_groups) & set(audience.customer_groups):
        return f"it is for customers of {', '.join(one.customer_groups)}"
    return "it is limited per customer; sign in first" if one.most_per_customer and audience.customer_id is None else ""


def _exhausted(one: Candidate, audience: Audience, used: Mapping[str, int]) -> Limit | None:
    return next((limit for limit in limits_of(one, audience.customer_id) if used.get(limit.name, 0) >= limit.most), None)


def _unmet(one: Candidate, items: Sequence[Item], convert: Convert) -> Idle | None:
    """Return which condition the goods do not meet; None when they meet all."""
    promotion = one.promotion
    places = eligible(promotion, items)
    if not places and not isinstance(promotion.effect, FreeShipping):
        return Idle(one, "none of the articles it is for are there")
    if sum(items[place].quantity for place in places) < promotion.minimum_quantity:
        return Idle(one, f"it needs {promotion.minimum_quantity} pieces")
    short = convert(promotion.minimum_minor, promotion.currency) - sum(items[place].amount_minor for place in places)
    return Idle(one, "the goods cost too little", short) if short > 0 else None


def _best_of_groups(
    candidates: Sequence[Candidate], items: Sequence[Item], postage: Postage, convert: Convert
) -> tuple[list[Candidate], list[Candidate]]:
    """Return those that may stack, and those that the best of their group has beaten."""
    best: dict[str, tuple[int, Candidate]] = {}
    for one in candidates:
        if one.promotion.stacking == "best":
            worth = _total(_run([one], items, postage, convert))
            if one.promotion.group not in best or worth > best[one.promotion.group][0]:
                best[one.promotion.group] = (worth, one)
    chosen = {id(one) for _, one in best.values()}
    kept = [one for one in candidates if one.promotion.stacking != "best" or id(one) in chosen]
    return kept, [one for one in candidates if one.promotion.stacking == "best" and id(one) not in chosen]


def _run(plan: Sequence[Candidate], items: Sequence[Item], postage: Postage, convert: Convert) -> list[Applied]:
    """Return what each of a plan takes off what those before it have left."""
    left = [item.amount_minor for item in items]
    postage_left = postage.amount_minor
    applied: list[Applied] = []
    for one in plan:
        off = taken_off(one.promotion, items, left, convert)
        left = [rest - part for rest, part in zip(left, off, strict=True)]
        posted = postage_off(one.promotion, postage.method, postage_left, convert)
        postage_left -= posted
        applied.append(Applied(one, off, posted))
    return applied


def _total(applied: Sequence[Applied]) -> int:
    return sum(sum(one.off) + one.postage_minor for one in applied)


def _check_span(start: datetime | None, end: datetime | None) -> None:
    for moment in (start, end):
        if moment is not None and (moment.tzinfo is None or not limits.YEAR_MIN < moment.year < limits.YEAR_MAX):
            raise BadInputError(f"The moment {moment.isoformat()} has no time zone, or is out of range: use one such as Z.")
    if start is not None and end is not None and end <= start:
        raise BadInputError(f"It would end at {end.isoformat()}, before it begins at {start.isoformat()}: turn them round.")


def _check_limits(*most: int | None) -> None:
    for one in most:
        if one is not None and not 1 <= one <= limits.MINOR_MAX:
            raise BadInputError(f"A limit of {one} uses cannot be: at least 1, or none at all.", most=one)


def _check_amount(amount: int) -> None:
    if not 0 <= amount <= limits.MINOR_MAX:
        raise BadInputError(f"The amount {amount} is out of range: 0 to {limits.MINOR_MAX}.", amount_minor=amount)


def _check_bundle(bundle: Bundle) -> None:
    if not bundle.pieces or not all(1 <= pieces <= limits.QUANTITY_MAX for pieces in bundle.pieces.values()):
        raise BadInputError("A bundle needs articles, at least one piece of each.", pieces=bundle.pieces)

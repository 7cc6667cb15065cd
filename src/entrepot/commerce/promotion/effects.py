"""Pure: what one promotion takes off each line, given what the promotions before it have left. Never more than is left."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from uuid import UUID

from msgspec import Struct

from entrepot.base.money import apportion, rounded
from entrepot.commerce.promotion.events import Amount, Bundle, BuyGet, Effect, FreeShipping, Percentage, PromotionSaved

ALL_BASIS_POINTS = 10_000

Promotion = PromotionSaved
Convert = Callable[[int, str], int]


class Item(Struct, frozen=True):
    """A line as a promotion sees it; ``fixed`` lines have an agreed price, which no promotion touches."""

    sku: str
    product_id: UUID
    category_id: UUID | None
    quantity: int
    amount_minor: int
    fixed: bool = False

    @property
    def order(self) -> tuple[str, int, int]:
        """What decides between lines that are otherwise equal, so that their places never do."""
        return (self.sku, self.quantity, self.amount_minor)


def eligible(promotion: Promotion, items: Sequence[Item]) -> list[int]:
    """Return the places of the lines that a promotion is for."""
    anything = not (promotion.skus or promotion.product_ids or promotion.category_ids)
    return [
        place
        for place, item in enumerate(items)
        if not item.fixed
        and (
            anything
            or item.sku in promotion.skus
            or item.product_id in promotion.product_ids
            or (item.category_id is not None and item.category_id in promotion.category_ids)
        )
    ]


def taken_off(promotion: Promotion, items: Sequence[Item], left: Sequence[int], convert: Convert) -> list[int]:
    """Return what the promotion takes off each line; of ``left`` nothing ever goes below zero."""
    places = eligible(promotion, items)
    here = [left[place] for place in places]
    parts = _off(promotion.effect, [items[place] for place in places], here, lambda minor: convert(minor, promotion.currency))
    off = [0] * len(items)
    for place, part in zip(places, parts, strict=True):
        off[place] = part
    return off


def postage_off(promotion: Promotion, method: str | None, postage_minor: int, convert: Convert) -> int:
    """Return what the promotion takes off the postage of a method."""
    effect = promotion.effect
    if not isinstance(effect, FreeShipping) or (effect.methods and method not in effect.methods):
        return 0
    return postage_minor if effect.up_to_minor is None else min(postage_minor, convert(effect.up_to_minor, promotion.currency))


def _off(effect: Effect, items: Sequence[Item], left: Sequence[int], convert: Callable[[int], int]) -> list[int]:
    match effect:
        case Percentage(basis_points=share):
            return _spread(rounded(sum(left) * share, ALL_BASIS_POINTS), items, left)
        case Amount(amount_minor=amount, each=True):
            return [min(convert(amount) * item.quantity, rest) for item, rest in zip(items, left, strict=True)]
        case Amount(amount_minor=amount):
            return _spread(min(convert(amount), sum(left)), items, left)
        case BuyGet():
            return _buy_get(effect, items, left)
        case Bundle():
            return _bundle(effect, items, left, convert(effect.price_minor))
        case FreeShipping():
            return [0] * len(items)


def _spread(whole: int, items: Sequence[Item], left: Sequence[int]) -> list[int]:
    return apportion(whole, left, [item.order for item in items])


def _buy_get(effect: BuyGet, items: Sequence[Item], left: Sequence[int]) -> list[int]:
    times = sum(item.quantity for item in items) // (effect.buy + effect.get)
    pieces = effect.get * (times if effect.times_max is None else min(times, effect.times_max))
    off = [0] * len(items)
    order = sorted(range(len(items)), key=lambda n: (Fraction(left[n], items[n].quantity), items[n].order))
    for place in order:
        taken = min(pieces, items[place].quantity)
        off[place] = _value(left[place], taken * effect.basis_points, items[place].quantity * ALL_BASIS_POINTS)
        pieces -= taken
    return off


def _value(left: int, numerator: int, denominator: int) -> int:
    return min(rounded(left * numerator, denominator), left)


def _bundle(effect: Bundle, items: Sequence[Item], left: Sequence[int], price: int) -> list[int]:
    have = dict.fromkeys(effect.pieces, 0)
    for item in items:
        if item.sku in have:
            have[item.sku] += item.quantity
    sets = min(have[sku] // pieces for sku, pieces in effect.pieces.items())
    wanted = {sku: pieces * sets for sku, pieces in effect.pieces.items()}
    values = [0] * len(items)
    for place in sorted(range(len(items)), key=lambda n: items[n].order):
        taken = min(wanted.get(items[place].sku, 0), items[place].quantity)
        if taken:
            wanted[items[place].sku] -= taken
            values[place] = _value(left[place], taken, items[place].quantity)
    return _spread(max(sum(values) - sets * price, 0), items, values)

"""Whatever is in the cart, whatever is promoted, wherever it goes: a quote adds up, and no money is made by rounding."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from entrepot.base.money import apportion, rounded
from entrepot.commerce.checkout.basis import Offer
from entrepot.commerce.checkout.quote import Quote
from entrepot.commerce.promotion.events import PromotionSaved
from tests.pricing import CARTS, EQUAL_OFFERS, OFFERS, PROMOTIONS, REQUESTS, asked, quoted, terms

Cart = Sequence[tuple[str, int]]


def the_same(quote: Quote) -> object:
    """Return what must not depend on the order of the lines."""
    lines = sorted((one.sku, one.quantity, one.list_minor, one.amount_minor, one.tax_minor) for one in quote.lines)
    return lines, sorted((one.kind, one.amount_minor) for one in quote.charges), quote.tax_minor, quote.total_minor


@given(CARTS, OFFERS, PROMOTIONS, REQUESTS, st.none() | st.integers(0, 5_000))
@settings(max_examples=300, deadline=None)
def test_lines_and_charges_make_the_total_and_so_do_the_reasons(
    cart: Cart, offers: Sequence[Offer], promotions: Sequence[PromotionSaved], more: dict[str, str], free: int | None
) -> None:
    quote = quoted(asked(cart, **more), terms(promotions, free_from_minor=free), offers)
    assert quote.goods_minor == sum(line.amount_minor for line in quote.lines)
    assert quote.charges_minor == sum(charge.amount_minor for charge in quote.charges)
    assert quote.total_minor == quote.goods_minor + quote.charges_minor
    assert quote.total_minor == sum(step.amount_minor for step in quote.explained)


@given(CARTS, OFFERS, PROMOTIONS, REQUESTS)
@settings(max_examples=300, deadline=None)
def test_no_discount_exceeds_its_line_and_no_line_is_below_zero(
    cart: Cart, offers: Sequence[Offer], promotions: Sequence[PromotionSaved], more: dict[str, str]
) -> None:
    quote = quoted(asked(cart, **more), terms(promotions), offers)
    for line in quote.lines:
        assert 0 <= line.discount_minor <= line.list_minor * line.quantity
        assert line.amount_minor == line.list_minor * line.quantity - line.discount_minor
    assert all(charge.amount_minor >= 0 for charge in quote.charges)


@given(CARTS, OFFERS, PROMOTIONS, REQUESTS)
@settings(max_examples=300, deadline=None)
def test_the_parts_of_the_tax_sum_to_it_by_line_and_by_authority(
    cart: Cart, offers: Sequence[Offer], promotions: Sequence[PromotionSaved], more: dict[str, str]
) -> None:
    quote = quoted(asked(cart, **more), terms(promotions), offers)
    assert quote.tax_minor == sum(part.tax_minor for part in quote.taxes)
    included = [part for part in quote.taxes if part.included]
    assert sum(line.tax_minor for line in quote.lines) == sum(p.tax_minor for p in included if p.line is not None)
    on_top = sum(part.tax_minor for part in quote.taxes if not part.included)
    assert on_top == sum(charge.amount_minor for charge in quote.charges if charge.kind == "tax")


@given(CARTS, OFFERS | EQUAL_OFFERS, PROMOTIONS, REQUESTS, st.data())
@settings(max_examples=500, deadline=None)
def test_the_order_of_the_lines_changes_nothing_but_their_order(
    cart: Cart, offers: Sequence[Offer], promotions: Sequence[PromotionSaved], more: dict[str, str], data: st.DataObject
) -> None:
    turned = data.draw(st.permutations(cart))
    held = terms(promotions)
    assert the_same(quoted(asked(turned, **more), held, offers)) == the_same(quoted(asked(cart, **more), held, offers))


@given(CARTS, OFFERS, REQUESTS, st.integers(2, 5))
@settings(max_examples=100, deadline=None)
def test_without_promotions_goods_of_a_part_and_of_the_rest_are_those_of_the_whole(
    cart: Cart, offers: Sequence[Offer], more: dict[str, str], cut: int
) -> None:
    whole = quoted(asked(cart, **more), None, offers)
    parts = [quoted(asked(part, **more), None, offers) for part in (cart[:cut], cart[cut:]) if part]
    assert sum(part.goods_minor for part in parts) == whole.goods_minor


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(0, 10**6))
def test_what_is_apportioned_sums_to_the_whole_and_no_part_exceeds_its_weight(weights: list[int], millionths: int) -> None:
    whole = rounded(sum(weights) * millionths, 10**6)
    parts = apportion(whole, weights)
    assert sum(parts) == whole
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.sampled_from([1, 5, 50, 100]))
def test_rounding_moves_an_amount_by_half_a_step_at_most(numerator: int, denominator: int, step: int) -> None:
    found = rounded(numerator, denominator, step)
    assert found % step == 0
    assert 2 * abs(found * denominator - numerator) <= step * denominator

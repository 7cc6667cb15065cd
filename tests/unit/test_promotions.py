"""What promotions take off, which of them go together, and what coupons open."""

from datetime import timedelta
from uuid import uuid4

import pytest

from entrepot.base.errors import (
    CouponExpiredError,
    CouponRefusedError,
    CouponUnknownError,
    CouponUsedUpError,
    EntrepotError,
)
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.saga_rules import claim_refusal
from entrepot.commerce.promotion.events import (
    Amount,
    Bundle,
    BuyGet,
    CouponSaved,
    Effect,
    FreeShipping,
    Percentage,
    PromotionSaved,
)
from tests.pricing import AT, CUSTOMER, asked, offer, promotion, quoted, terms

TENTH, FIFTH = Percentage(basis_points=1_000), Percentage(basis_points=2_000)


def goods(wanted: dict[str, int], *promotions: PromotionSaved) -> int:
    """Return what goods cost in Germany: tea 10.00, cup 5.00."""
    return quoted(asked(wanted, market="de"), terms(promotions), [offer("cup", 500)]).goods_minor


@pytest.mark.parametrize(
    ("effect", "wanted", "left"),
    [
        (TENTH, {"tea": 2, "cup": 1}, 2_250),
        (Amount(amount_minor=300), {"tea": 2, "cup": 1}, 2_200),
        (Amount(amount_minor=9_999), {"tea": 2}, 0),
        (Amount(amount_minor=300, each=True), {"tea": 2}, 1_400),
        (BuyGet(buy=2, get=1), {"tea": 2, "cup": 1}, 2_000),  # the cheapest is free
        (BuyGet(buy=2, get=1), {"tea": 7}, 5_000),
        (BuyGet(buy=2, get=1, times_max=1), {"tea": 7}, 6_000),
        (BuyGet(buy=1, get=1, basis_points=5_000), {"tea": 2}, 1_500),
        (Bundle(pieces={"tea": 1, "cup": 2}, price_minor=1_500), {"tea": 3, "cup": 4}, 4_000),
        (Bundle(pieces={"tea": 1, "cup": 2}, price_minor=5_000), {"tea": 1, "cup": 2}, 2_000),  # never dearer
        (FreeShipping(), {"tea": 1}, 1_000),
    ],
)
def test_each_kind_of_promotion_takes_off_what_it_says(effect: Effect, wanted: dict[str, int], left: int) -> None:
    assert goods(wanted, promotion("ONE", effect)) == left


def test_what_stacks_takes_off_what_the_lower_rank_has_left() -> None:
    assert goods({"tea": 1}, promotion("A", TENTH, rank=1), promotion("B", FIFTH, rank=2)) == 720


def test_of_a_group_only_the_best_applies() -> None:
    assert goods({"tea": 1}, promotion("A", TENTH, "best", group="g"), promotion("B", FIFTH, "best", group="g")) == 800


def test_an_exclusive_one_applies_alone_if_it_takes_off_more() -> None:
    stacked = promotion("A", TENTH), promotion("B", TENTH)
    assert goods({"tea": 1}, *stacked, promotion("C", FIFTH, "exclusive")) == 800
    assert goods({"tea": 1}, *stacked, promotion("C", Percentage(basis_points=1_500), "exclusive")) == 810


def test_a_promotion_is_only_for_its_articles_and_from_its_minimum() -> None:
    only_cups = promotion("A", FIFTH, skus=["cup"], minimum_minor=1_000)
    assert goods({"tea": 1, "cup": 1}, only_cups) == 1_500
    assert goods({"tea": 1, "cup": 2}, only_cups) == 1_800


def test_free_shipping_is_for_its_methods_and_is_no_use_where_postage_is_free() -> None:
    free = promotion("A", FreeShipping(methods=["standard"]), most=5)
    assert not quoted(asked({"tea": 1}, market="de"), terms([free])).charges
    express = quoted(asked({"tea": 1}, market="de", shipping_method="express"), terms([free]))
    assert [charge.amount_minor for charge in express.charges] == [1_295]
    assert not quoted(asked({"tea": 9}, market="de"), terms([free], free_from_minor=5_000)).claims


def test_what_a_coupon_opens_claims_each_of_its_limits() -> None:
    coupon = CouponSaved(code="SUMMER", promotion="S", most=100, most_per_customer=1)
    request = asked({"tea": 1}, coupons=[" summer "], customer_id=CUSTOMER)
    quote = quoted(request, terms([promotion("S", TENTH, needs_coupon=True, most=500)]), coupons=[coupon])
    assert quote.goods_minor == 900
    assert quote.claims == [
        Claim("promotion/S", 1, 500),
        Claim("coupon/SUMMER", 1, 100),
        Claim(f"coupon/SUMMER/{CUSTOMER}", 1, 1),
    ]


def test_a_coupon_that_does_nothing_here_says_why_and_claims_nothing() -> None:
    coupon = CouponSaved(code="SUMMER", promotion="S", most=100)
    held = terms([promotion("S", TENTH, needs_coupon=True, minimum_minor=5_000)])
    quote = quoted(asked({"tea": 1}, market="de", coupons=["SUMMER"]), held, coupons=[coupon])
    assert (quote.goods_minor, quote.claims) == (1_000, [])
    assert any("goods for 40.00 EUR more" in step.sentence for step in quote.explained)


def test_a_promotion_that_is_used_up_no_longer_applies_by_itself() -> None:
    held = terms([promotion("S", TENTH, most=100)])
    assert quoted(asked({"tea": 1}), held, used={"promotion/S": 99}).goods_minor == 900
    assert quoted(asked({"tea": 1}), held, used={"promotion/S": 100}).goods_minor == 1_000


def test_a_promotion_that_is_used_up_is_told_where_it_would_have_applied_and_says_by_whom() -> None:
    held = terms(
        [
            promotion("S", TENTH, most=100),
            promotion("K", TENTH, most_per_customer=1),
            promotion("C", TENTH, skus=["cup"], most=1),
        ]
    )
    used = {"promotion/S": 100, f"promotion/K/{CUSTOMER}": 1, "promotion/C": 1}
    told = [
        one for one in quoted(asked({"tea": 1}, customer_id=CUSTOMER), held, used=used).explained if "promotion" in one.about
    ]
    assert [(one.about.split("(")[1], one.sentence) for one in told] == [
        ("S)", "not used: it was used as often as it may be"),
        ("K)", "not used: you have used it as often as you may"),
    ]


@pytest.mark.parametrize("name", ["promotion/S", f"promotion/S/{CUSTOMER}"])
def test_a_promotion_that_is_used_up_between_price_and_order_says_what_a_buyer_can_do(name: str) -> None:
    refused = claim_refusal(Claim(name, 1, 100), 0, "GBP")
    assert str(refused) == "The promotion S has just been used up: ask for the price again, and order at that one."


@pytest.mark.parametrize(
    ("coupon", "error"),
    [
        (CouponSaved(code="OTHER", promotion="S"), CouponUnknownError),
        (CouponSaved(code="C", promotion="GONE"), CouponExpiredError),
        (CouponSaved(code="C", promotion="S", active=False), CouponExpiredError),
        (CouponSaved(code="C", promotion="S", ends_at=AT), CouponExpiredError),
        (CouponSaved(code="C", promotion="S", starts_at=AT + timedelta(hours=1)), CouponExpiredError),
        (CouponSaved(code="C", promotion="S", most=3), CouponUsedUpError),
        (CouponSaved(code="C", promotion="S", most_per_customer=2), CouponUsedUpError),
        (CouponSaved(code="C", promotion="S", customer_id=uuid4()), CouponRefusedError),
        (CouponSaved(code="C", promotion="US"), CouponRefusedError),
    ],
)
def test_a_coupon_that_is_not_for_this_is_refused_with_the_reason(coupon: CouponSaved, error: type[EntrepotError]) -> None:
    held = terms([promotion("S", TENTH, needs_coupon=True), promotion("US", TENTH, needs_coupon=True, markets=["us"])])
    with pytest.raises(error):
        quoted(
            asked({"tea": 1}, coupons=["C"], customer_id=CUSTOMER),
            held,
            coupons=[coupon],
            used={"coupon/C": 3, f"coupon/C/{CUSTOMER}": 2},
        )


def test_a_guest_cannot_use_what_is_limited_per_customer() -> None:
    held = terms([promotion("S", TENTH, needs_coupon=True)])
    with pytest.raises(CouponRefusedError, match="sign in"):
        quoted(asked({"tea": 1}, coupons=["C"]), held, coupons=[CouponSaved(code="C", promotion="S", most_per_customer=1)])

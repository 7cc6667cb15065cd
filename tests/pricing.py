"""A shop on paper for tests of quotes: terms, offers and requests as values, no engine, and strategies that make them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from uuid import UUID

from hypothesis import strategies as st

from entrepot.commerce.checkout.basis import Offer, Read
from entrepot.commerce.checkout.price import price, settle_terms
from entrepot.commerce.checkout.quote import Quote, QuoteRequest, WantedLine
from entrepot.commerce.checkout.terms import Terms
from entrepot.commerce.ordering.events import Delivery
from entrepot.commerce.pricing.rates import Rate, Rates
from entrepot.commerce.pricing.rules import Market
from entrepot.commerce.promotion.events import (
    Amount,
    Bundle,
    BuyGet,
    CouponSaved,
    Effect,
    FreeShipping,
    Percentage,
    PromotionSaved,
    Stacking,
)
from entrepot.commerce.shipping.events import Bracket, Days, MethodSaved, Place, ZoneRate, ZoneSaved
from entrepot.partners.tax.regional import RegionalTax

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
ENGINE = RegionalTax()
SKUS = ("tea", "cup", "pot", "tray")
CUSTOMER = UUID(int=7)

MARKETS = {
    "uk": Market(code="uk", currency="GBP", country="GB", currencies=["EUR", "CHF"]),
    "de": Market(code="de", currency="EUR", country="DE"),
    "us": Market(code="us", currency="USD", country="US", prices_include_tax=False),
    "ca": Market(code="ca", currency="CAD", country="CA", prices_include_tax=False),
    "jp": Market(code="jp", currency="JPY"),
}
RATES = Rates(
    Rate("EUR", code, datetime(2026, 1, 1, tzinfo=UTC), Fraction(rate))
    for code, rate in {"GBP": "0.87", "USD": "1.17", "CHF": "0.93", "CAD": "1.6", "JPY": "184"}.items()
)


def method(code: str, amount_minor: int, *, free_from_minor: int | None = None) -> MethodSaved:
    """Return a method for the whole world: double above 5 kg, 2 to 4 days, 5 to 9 from the United States."""
    brackets = [Bracket(amount_minor=amount_minor, grams_max=5_000), Bracket(amount_minor=2 * amount_minor)]
    days = [Days(least=2, most=4), Days(least=5, most=9, warehouse_country="US")]
    rate = ZoneRate(zone="world", brackets=brackets, free_from_minor=free_from_minor, days=days)
    return MethodSaved(code=code, title=code.title(), carrier="own", currency="EUR", active=True, rates=[rate])


def terms(promotions: Sequence[PromotionSaved] = (), *, free_from_minor: int | None = None) -> Terms:
    """Return terms with two methods and these promotions."""
    return Terms(
        markets=MARKETS,
        rates=RATES,
        promotions={one.code: one for one in promotions},
        zones=[ZoneSaved(code="world", title="World", places=[Place(country="*")])],
        methods=[method("standard", 495, free_from_minor=free_from_minor), method("express", 1295)],
        warehouse_countries=["GB"],
    )


def offer(sku: str, amount_minor: int | None, *, tax_class: str = "standard", delivery: Delivery = "ship") -> Offer:
    """Return an article of 700 g as it is offered."""
    number = UUID(int=sum(sku.encode()))
    return Offer(
        sku=sku, variant_id=number, product_id=number, category_id=number, offered=True, seller_id=None, tax_class=tax_class,
        weight_grams=700, delivery=delivery, commission_permille=0, amount_minor=amount_minor,
    )  # fmt: skip


def asked(wanted: dict[str, int] | Sequence[tuple[str, int]], *, market: str = "uk", **more: object) -> QuoteRequest:
    """Return a request for these articles, to where its market lies unless told otherwise."""
    country, region = {"uk": "GB", "de": "DE", "us": "US", "ca": "CA", "jp": "JP"}[market], {"us": "CA", "ca": "QC"}
    pairs = wanted.items() if isinstance(wanted, dict) else wanted
    lines = [WantedLine(sku=sku, quantity=quantity) for sku, quantity in pairs]
    base: dict[str, object] = {"market": market, "country": country, "region": region.get(market, ""), "lines": lines}
    return QuoteRequest(**(base | more))  # type: ignore[arg-type]  # each test names fields that there are


def quoted(
    request: QuoteRequest,
    of: Terms | None = None,
    offers: Sequence[Offer] = (),
    *,
    coupons: Sequence[CouponSaved] = (),
    used: dict[str, int] | None = None,
) -> Quote:
    """Return the quote; articles cost 10.00 unless offers say otherwise."""
    known = {sku: offer(sku, 1_000) for sku in SKUS} | {one.sku: one for one in offers}
    read = Read(offers=known, coupons={one.code: one for one in coupons}, used=used or {})
    return price(settle_terms(request, of or terms(), ENGINE, request.at or AT), read, ENGINE.reckon)


def promotion(code: str, effect: Effect, stacking: Stacking = "stack", **more: object) -> PromotionSaved:
    """Return a promotion in euro that holds for everybody."""
    base: dict[str, object] = {"code": code, "title": code, "effect": effect, "currency": "EUR", "stacking": stacking}
    return PromotionSaved(**(base | more))  # type: ignore[arg-type]  # each test names fields that there are


AMOUNTS = st.integers(0, 5_000)
EFFECTS = st.one_of(
    st.builds(Percentage, basis_points=st.integers(1, 10_000)),
    st.builds(Amount, amount_minor=AMOUNTS, each=st.booleans()),
    st.builds(BuyGet, buy=st.integers(1, 3), get=st.integers(1, 2), basis_points=st.integers(1, 10_000)),
    st.builds(FreeShipping, up_to_minor=st.none() | AMOUNTS),
    st.builds(
        Bundle, pieces=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1, max_size=3), price_minor=AMOUNTS
    ),
)
PROMOTIONS = st.lists(
    st.builds(
        promotion,
        st.uuids().map(lambda one: f"P{one.hex[:8]}".upper()),
        EFFECTS,
        st.sampled_from(["exclusive", "best", "stack"]),
        rank=st.integers(0, 3),
        group=st.sampled_from(["", "a"]),
        skus=st.just([]) | st.lists(st.sampled_from(SKUS), min_size=1, max_size=2),
        minimum_minor=st.just(0) | AMOUNTS,
    ),
    max_size=4,
    unique_by=lambda one: one.code,
)
CARTS = st.lists(st.tuples(st.sampled_from(SKUS), st.just(1) | st.integers(1, 12)), min_size=1, max_size=6)
OFFERS = st.tuples(
    *(
        st.builds(
            offer,
            st.just(sku),
            st.integers(0, 20_000),
            tax_class=st.sampled_from(["standard", "reduced", "zero"]),
            delivery=st.sampled_from(["ship", "ship", "digital"]),
        )
        for sku in SKUS
    )
)
# Equal prices leave ties, which must not be decided by the order of the lines.
EQUAL_OFFERS = st.integers(1, 2_000).map(lambda amount_minor: tuple(offer(sku, amount_minor) for sku in SKUS))
REQUESTS = st.one_of(
    st.fixed_dictionaries({"market": st.just("uk"), "currency": st.sampled_from([None, "EUR", "CHF"])}),
    st.fixed_dictionaries({"market": st.just("uk"), "country": st.sampled_from(["GB", "DE", "JP"])}),
    st.fixed_dictionaries({"market": st.just("de"), "country": st.sampled_from(["DE", "FR", "HU", "US"])}),
    st.fixed_dictionaries({"market": st.just("de"), "country": st.just("FR"), "vat_id": st.just("FR40303265045")}),
    st.fixed_dictionaries({"market": st.just("us"), "region": st.sampled_from(["CA", "NY", "OR"])}),
    st.fixed_dictionaries({"market": st.just("ca"), "region": st.sampled_from(["QC", "ON", "AB"])}),
    st.fixed_dictionaries({"market": st.just("jp")}),
)

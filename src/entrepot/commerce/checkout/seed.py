"""What a shop needs before its first quote: zones, shipping methods, rates, some promotions and coupons. For demos and tests.

Every call says how things shall be, so that it may be made again and again.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from entrepot.commerce.pricing.commands import save_market, set_rates
from entrepot.commerce.pricing.events import RateSet
from entrepot.commerce.pricing.query import markets
from entrepot.commerce.promotion.commands import save_coupon, save_promotion
from entrepot.commerce.promotion.events import CouponSaved, FreeShipping, Percentage, PromotionSaved
from entrepot.commerce.shipping.commands import save_method, save_zone
from entrepot.commerce.shipping.events import Bracket, Days, MethodSaved, Place, ZoneRate, ZoneSaved
from entrepot.record.transaction import Transaction

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905  # reads better
ZONES = {
    "britain": ("Great Britain", ["GB", "IM", "JE", "GG"]),
    "eu": ("European Union", EU),
    "america": ("North America", ["US", "CA"]),
    "world": ("Everywhere else", ["*"]),
}

# What 1 EUR was worth on the day; not for trade, only so that a demo can convert.
RATES_OF = datetime(2026, 1, 2, tzinfo=UTC)
RATES = {"GBP": "0.87", "USD": "1.17", "CHF": "0.93", "JPY": "184", "SEK": "10.8", "PLN": "4.22"}

# In hundredths of the currency, as in euro: what a method costs by zone, in the first bracket and for each heavier one.
_STANDARD = {"britain": 395, "eu": 495, "america": 1295, "world": 1895}
_EXPRESS = {"britain": 895, "eu": 1295, "america": 2995}
_HEAVIER = ((2_000, 1), (10_000, 2), (30_000, 4), (None, 8))
_FREE_FROM = {"britain": 5_000, "eu": 7_500}
_DAYS: Mapping[str, tuple[int, int]] = {"britain": (1, 3), "eu": (2, 5), "america": (4, 9), "world": (5, 15)}


async def furnish(
    tx: Transaction,
    market: str,
    *,
    country: str | None = None,
    currencies: Iterable[str] = (),
    prices_include_tax: bool | None = None,
) -> None:
    """Give a market that exists its country, and the shop all that quotes need beside prices.

    Coupons: WELCOME10 (10%), FREESHIP (free postage), LIMITED (5%, 1,000 times in all), THANKYOU (15%, once a customer).
    """
    currency = (await markets(tx.connection))[market]
    await save_market(
        tx,
        market,
        currency,
        country=country,
        currencies=list(currencies) or None,
        prices_include_tax=prices_include_tax,
    )
    await set_rates(
        tx,
        [
            RateSet(base="EUR", quote=code, rate=rate, valid_from=RATES_OF, source="illustration")
            for code, rate in RATES.items()
        ],
    )
    for code, (title, countries) in ZONES.items():
        await save_zone(tx, ZoneSaved(code=code, title=title, places=[Place(country=one) for one in countries]))
    await save_method(tx, _method("standard", "Standard", _STANDARD, faster=0))
    await save_method(tx, _method("express", "Express", _EXPRESS, faster=1))
    for promotion in _promotions():
        await save_promotion(tx, promotion)
    for coupon in _coupons():
        await save_coupon(tx, coupon)


def _method(code: str, title: str, prices: Mapping[str, int], *, faster: int) -> MethodSaved:
    return MethodSaved(
        code=code,
        title=title,
        carrier="own",
        currency="EUR",
        active=True,
        rates=[
            ZoneRate(
                zone=zone,
                brackets=[Bracket(amount_minor=amount * times, grams_max=grams) for grams, times in _HEAVIER],
                free_from_minor=None if faster else _FREE_FROM.get(zone),
                days=[Days(least=max(least - faster, 1), most=max(most - 2 * faster, 1))],
            )
            for zone, amount in prices.items()
            for least, most in [_DAYS[zone]]
        ],
    )


def _promotions() -> list[PromotionSaved]:
    return [
        PromotionSaved(
            code="WELCOME", title="10% to begin with", effect=Percentage(basis_points=1_000), currency="EUR",
            needs_coupon=True, stacking="best", group="welcome",
        ),
        PromotionSaved(
            code="POSTAGE", title="Free postage", effect=FreeShipping(methods=["standard"]), currency="EUR", needs_coupon=True,
            rank=900,
        ),
        PromotionSaved(
            code="FIRST-THOUSAND", title="5% for the first thousand", effect=Percentage(basis_points=500), currency="EUR",
            needs_coupon=True, rank=200,
        ),
        PromotionSaved(
            code="THANKS", title="15% for one order", effect=Percentage(basis_points=1_500), currency="EUR", needs_coupon=True,
            stacking="best", group="welcome",
        ),
        PromotionSaved(
            code="BULK", title="3% from 24 pieces", effect=Percentage(basis_points=300), currency="EUR", minimum_quantity=24,
            rank=300,
        ),
    ]  # fmt: skip


def _coupons() -> list[CouponSaved]:
    return [
        CouponSaved(code="WELCOME10", promotion="WELCOME"),
        CouponSaved(code="FREESHIP", promotion="POSTAGE"),
        CouponSaved(code="LIMITED", promotion="FIRST-THOUSAND", most=1_000),
        CouponSaved(code="THANKYOU", promotion="THANKS", most_per_customer=1),
    ]

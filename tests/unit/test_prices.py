"""Which price a buyer gets: lists, tiers, currencies and their rounding, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from entrepot.base.errors import (
    BadInputError,
    CurrencyNotSoldError,
    EntrepotError,
    NotFoundError,
    PriceMissingError,
    QuantityRefusedError,
)
from entrepot.base.money import Currency, cash_step, to_minor
from entrepot.commerce.checkout.basis import Read
from entrepot.commerce.checkout.price import price, settle_terms
from entrepot.commerce.checkout.quote import Quote, QuoteRequest, WantedLine
from entrepot.commerce.pricing.events import Tier
from entrepot.commerce.pricing.rates import RateMissingError
from entrepot.commerce.pricing.rules import PriceList
from tests.pricing import AT, CUSTOMER, ENGINE, asked, offer, quoted, terms

TRADE = PriceList(
    code="trade", title="Trade", market="uk", currency="GBP", rank=10, valid_from=AT - timedelta(days=1), customer_group="trade"
)
TIERS = [Tier(from_quantity=1, amount_minor=900), Tier(from_quantity=10, amount_minor=750)]


def listed(request: QuoteRequest, *lists: PriceList) -> Quote:
    """Return the quote of tea, 10.00 in the market and cheaper in every list."""
    held = msgspec.structs.replace(terms(), lists=lists)
    tea = offer("tea", 1_000)
    read = Read(offers={"tea": tea}, prices={tea.variant_id: {one.code: TIERS for one in lists}})
    return price(settle_terms(request, held, ENGINE, AT), read, ENGINE.reckon)


def test_a_list_is_for_its_group_and_the_more_is_bought_the_cheaper() -> None:
    assert listed(asked({"tea": 1}), TRADE).goods_minor == 1_000
    assert listed(asked({"tea": 1}, customer_groups=["trade"]), TRADE).goods_minor == 900
    assert listed(asked({"tea": 10}, customer_groups=["trade"]), TRADE).goods_minor == 7_500


def test_pieces_of_one_article_on_two_lines_count_together() -> None:
    quote = listed(asked([("tea", 4), ("tea", 6)], customer_groups=["trade"]), TRADE)
    assert [line.list_minor for line in quote.lines] == [750, 750]


def test_a_list_that_is_over_or_for_another_company_does_not_hold() -> None:
    over = msgspec.structs.replace(TRADE, customer_group="", valid_until=AT)
    other = msgspec.structs.replace(TRADE, customer_group="", company_id=CUSTOMER)
    assert listed(asked({"tea": 1}), over, other).goods_minor == 1_000
    assert listed(asked({"tea": 1}, company_id=CUSTOMER), over, other).goods_minor == 900


def test_of_two_lists_the_lower_rank_wins_even_where_it_is_dearer() -> None:
    first = msgspec.structs.replace(TRADE, code="first", rank=1, customer_group="", currency="EUR")
    quote = listed(asked({"tea": 1}, customer_groups=["trade"]), TRADE, first)
    assert "price list first" in quote.explained[0].sentence
    assert quote.goods_minor == 783  # 9.00 EUR at 0.87


def test_an_agreed_price_is_kept_whatever_lists_say() -> None:
    request = msgspec.structs.replace(asked({"tea": 3}), lines=[WantedLine(sku="tea", quantity=3, agreed_unit_minor=555)])
    assert quoted(request).goods_minor == 1_665


def test_a_price_in_another_currency_is_rounded_to_what_can_be_paid_in_coins() -> None:
    # 10.00 GBP / 0.87 * 0.93 = 10.6896 CHF
    quote = quoted(asked({"tea": 1}, currency="CHF"))
    assert (quote.currency, quote.lines[0].list_minor) == ("CHF", 1_070)
    assert quote.explained[0].sentence.endswith("converted from 10.00 GBP at 1 GBP = 1.068966 CHF")


@pytest.mark.parametrize(
    ("amount", "currency", "cash", "minor"),
    [
        ("1.005", "GBP", False, 100),  # half to even
        ("1.015", "GBP", False, 102),
        ("10.67", "CHF", True, 1_065),
        ("10.675", "CHF", True, 1_070),
        ("1234.5", "JPY", False, 1_234),
        ("1.2345", "KWD", False, 1_234),
        ("9.4", "SEK", True, 900),
    ],
)
def test_an_amount_is_rounded_as_its_currency_is(amount: str, currency: str, *, cash: bool, minor: int) -> None:
    assert to_minor(Decimal(amount), Currency(currency), cash=cash) == minor
    assert minor % (cash_step(Currency(currency)) if cash else 1) == 0


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999999", "1e40"])
def test_what_is_no_amount_is_refused_at_once(amount: str) -> None:
    with pytest.raises(BadInputError, match="finite"):
        to_minor(Decimal(amount), Currency("GBP"))


def test_a_rate_of_the_day_counts_from_its_moment_on() -> None:
    early = datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(RateMissingError, match="GBP to EUR"):
        quoted(asked({"tea": 1}, currency="EUR", at=early))


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (asked({"tea": 0}), QuantityRefusedError),
        (asked({"tea": -1}), QuantityRefusedError),
        (asked({"tea": 10**9}), QuantityRefusedError),
        (asked({"nothing": 1}), NotFoundError),
        (asked({"tea": 1}, currency="JPY"), CurrencyNotSoldError),
        (asked({"tea": 1}, country="Britain"), BadInputError),
        (asked({}), BadInputError),
        (msgspec.structs.replace(asked({"tea": 1}), market="mars"), NotFoundError),
        (asked({"tea": 1}, market="us", region="Bavaria"), BadInputError),
    ],
)
def test_what_cannot_be_priced_is_refused_with_its_value(wanted: QuoteRequest, error: type[EntrepotError]) -> None:
    with pytest.raises(error):
        quoted(wanted)


def test_an_article_whose_price_is_gone_is_refused_by_name() -> None:
    with pytest.raises(PriceMissingError, match="tea has no price in GBP"):
        quoted(asked({"tea": 1}), offers=[offer("tea", None)])


def test_a_total_beyond_all_money_is_refused_rather_than_stored() -> None:
    with pytest.raises(BadInputError, match="out of range"):
        quoted(asked({"tea": 10**6}), offers=[offer("tea", 10**12)])

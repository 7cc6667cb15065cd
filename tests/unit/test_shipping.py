"""Where an address lies, what a method costs there, by when it arrives, and what cannot be shipped to."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError, CannotShipError
from entrepot.commerce.shipping.events import Bracket, Place, ZoneRate, ZoneSaved
from entrepot.commerce.shipping.rules import Destination, business_days_after, zone_of
from tests.pricing import asked, method, offer, quoted, terms

ZONES = [
    ZoneSaved(code="world", title="World", places=[Place(country="*")]),
    ZoneSaved(code="us", title="US", places=[Place(country="US")]),
    ZoneSaved(code="hawaii", title="Hawaii", places=[Place(country="US", region="HI")]),
    ZoneSaved(code="highlands", title="Highlands", places=[Place(country="GB", postcodes=["IV", "KW"])]),
    ZoneSaved(code="skye", title="Skye", places=[Place(country="GB", postcodes=["IV5"])]),
]


@pytest.mark.parametrize(
    ("to", "zone"),
    [
        (Destination("FR"), "world"),
        (Destination("US", "CA"), "us"),
        (Destination("US", "HI"), "hawaii"),
        (Destination("GB", "", "SW1A 1AA"), "world"),
        (Destination("GB", "", "kw1 4aa"), "highlands"),
        (Destination("GB", "", "IV51 9EU"), "skye"),
    ],
)
def test_an_address_lies_in_the_zone_that_says_it_most_exactly(to: Destination, zone: str) -> None:
    found = zone_of(ZONES, to)
    assert found is not None
    assert found.code == zone


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 60))
def test_business_days_are_counted_as_by_hand(day: date, count: int) -> None:
    by_hand, left = day, count
    while by_hand.weekday() > 4:
        by_hand -= timedelta(days=1)
    while left:
        by_hand += timedelta(days=1)
        left -= by_hand.weekday() < 5
    assert business_days_after(day, count) == by_hand


def test_postage_goes_by_weight_and_value_and_the_cheapest_is_taken() -> None:
    light, heavy = quoted(asked({"tea": 7}, market="de")), quoted(asked({"tea": 8}, market="de"))  # 700 g each
    assert [charge.amount_minor for charge in light.charges] == [495]
    assert [charge.amount_minor for charge in heavy.charges] == [990]
    assert not quoted(asked({"tea": 7}, market="de"), terms(free_from_minor=7_000)).charges


def test_a_bracket_of_a_higher_value_replaces_the_one_below() -> None:
    rate = ZoneRate(zone="world", brackets=[Bracket(amount_minor=900), Bracket(amount_minor=100, value_from_minor=2_000)])
    held = msgspec.structs.replace(terms(), methods=[msgspec.structs.replace(method("m", 1), rates=[rate])])
    assert quoted(asked({"tea": 1}, market="de"), held).charges_minor == 900
    assert quoted(asked({"tea": 2}, market="de"), held).charges_minor == 100


def test_a_promise_counts_business_days_from_where_the_goods_lie() -> None:
    friday = quoted(asked({"tea": 1})).shipping.chosen
    assert friday is not None
    assert (friday.earliest, friday.latest) == (date(2026, 11, 24), date(2026, 11, 26))
    held = msgspec.structs.replace(terms(), warehouse_countries=["GB", "US"])
    either = quoted(asked({"tea": 1}), held).shipping.chosen
    assert either is not None
    assert (either.earliest, either.latest) == (date(2026, 11, 24), date(2026, 12, 3))


def test_digital_goods_need_no_shipping_even_where_nothing_ships() -> None:
    held = msgspec.structs.replace(terms(), methods=[])
    quote = quoted(asked({"tea": 1}), held, [offer("tea", 1_000, delivery="digital")])
    assert (quote.shipping.chosen, quote.charges) == (None, [])


def test_an_address_that_nothing_ships_to_is_refused() -> None:
    only_us = msgspec.structs.replace(method("m", 1), rates=[ZoneRate(zone="us", brackets=[Bracket(amount_minor=1)])])
    held = msgspec.structs.replace(terms(), zones=ZONES, methods=[only_us])
    with pytest.raises(CannotShipError, match="SW1A 1AA GB"):
        quoted(asked({"tea": 1}, postcode="SW1A 1AA"), held)
    with pytest.raises(BadInputError, match="choose one of standard, express"):
        quoted(asked({"tea": 1}, shipping_method="balloon"))

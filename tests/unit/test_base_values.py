"""Ids, time, money and positions: the values that everything else is made of."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError
from entrepot.base.event import Position, Token
from entrepot.base.ids import IdSource, derived, lowest_at, uuid7_at
from entrepot.base.money import Currency, Money, currency, to_major, to_minor
from entrepot.base.time import FixedClock, HybridClock, millis_of, stamp_millis, utc

MOMENTS = st.integers(0, (1 << 48) - 2)


@given(MOMENTS, st.binary(min_size=10, max_size=16))
def test_a_uuid_of_a_moment_is_version_seven_and_lies_in_its_moment(millis: int, entropy: bytes) -> None:
    made = uuid7_at(millis, entropy)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert lowest_at(millis) <= made < lowest_at(millis + 1)


@given(MOMENTS, MOMENTS, st.binary(min_size=10, max_size=10))
def test_uuids_order_as_their_moments_do(earlier: int, later: int, entropy: bytes) -> None:
    if earlier < later:
        assert uuid7_at(earlier, entropy) < uuid7_at(later, entropy)


def test_fresh_ids_ascend_and_derived_ids_repeat() -> None:
    ids = IdSource()
    many = [ids.fresh() for _ in range(1000)]
    assert many == sorted(set(many))
    assert derived(5, "shop", "1") == derived(5, "shop", "1") != derived(5, "shop1", "")


@given(st.lists(st.integers(-5, 5), min_size=1))
def test_the_hybrid_clock_never_goes_back(steps: list[int]) -> None:
    wall = FixedClock(1_000)
    clock = HybridClock(wall)
    stamps = []
    for step in steps:
        wall.now += step
        stamps.append(clock.tick())
    assert stamps == sorted(set(stamps))
    assert stamp_millis(stamps[0]) == 1_000 + steps[0]


def test_the_hybrid_clock_goes_past_a_stamp_from_elsewhere() -> None:
    clock = HybridClock(FixedClock(1_000))
    seen = 5_000 << 16
    assert clock.tick(seen) > seen


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        millis_of(datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test
    assert utc(millis_of(datetime(2026, 1, 1, tzinfo=UTC))) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("2.55", "GBP", 255),
        ("0.125", "GBP", 12),
        ("0.135", "GBP", 14),
        ("100", "JPY", 100),
        ("1.2345", "KWD", 1234),
        ("-0.005", "EUR", 0),
    ],
)
def test_amounts_round_half_to_even_in_the_digits_of_their_currency(amount: str, code: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency(code)) == minor


@given(st.integers(-(10**15), 10**15), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_minor_units_survive_the_way_to_major_and_back(minor: int, code: str) -> None:
    assert to_minor(to_major(minor, Currency(code)), Currency(code)) == minor


def test_money_of_two_currencies_cannot_be_added() -> None:
    with pytest.raises(BadInputError, match="GBP and EUR"):
        Money(1, Currency("GBP")) + Money(1, Currency("EUR"))


@pytest.mark.parametrize("bad", ["NaN", "Infinity"])
def test_an_amount_that_is_no_number_is_refused(bad: str) -> None:
    with pytest.raises(BadInputError, match="no amount"):
        to_minor(Decimal(bad), Currency("GBP"))


@given(st.integers(1, 100), st.integers(0, 2**62), st.integers(0, 2**62))
def test_a_position_survives_the_way_to_a_client_and_back(cell: int, txid: int, seq: int) -> None:
    token = Token(cell, Position(txid, seq))
    assert Token.parse(str(token)) == token


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "a.b.c"])
def test_what_is_no_position_is_said(text: str) -> None:
    with pytest.raises(BadInputError, match="no position"):
        Token.parse(text)

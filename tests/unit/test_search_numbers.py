"""Numbers that Elasticsearch keeps as texts: they order as the numbers do, and come back as they went."""

from hypothesis import given
from hypothesis import strategies as st

from entrepot.engines.search.elasticsearch_shape import Values, values_of
from entrepot.engines.search.shape import Field

LENGTHS = values_of({"lengths": Field("number_map", sparse=True)}, "lengths.whole cm")
_numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


@given(one=_numbers, other=_numbers)
def test_the_texts_of_two_numbers_order_as_the_numbers_do(one: float, other: float) -> None:
    assert (str(LENGTHS.kept(one)) < str(LENGTHS.kept(other))) == (one < other)


@given(_numbers)
def test_a_number_comes_back_as_it_went(number: float) -> None:
    assert LENGTHS.told(str(LENGTHS.kept(number))) == number


@given(_numbers, st.text(min_size=1))
def test_a_number_lies_within_no_bounds_but_those_of_its_own_key(number: float, key: str) -> None:
    bounds = LENGTHS.within(None, None)
    other = values_of({"lengths": Field("number_map", sparse=True)}, f"lengths.{key}")
    assert str(bounds["gte"]) <= str(LENGTHS.kept(number)) < str(bounds["lt"])
    assert (str(bounds["gte"]) <= str(other.kept(number)) < str(bounds["lt"])) == (key == "whole cm")


def test_what_is_in_no_sparse_map_is_kept_as_it_is() -> None:
    assert Values("rank").kept(3) == 3  # it is what went in
    assert Values("rank").within(None, None) == {}

"""Allocation: which warehouse each piece comes from."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import StockExhaustedError
from entrepot.commerce.stock.allocate import Allocation, Levels, Rule, Shelf, SupplyRule, Wanted, WarehouseKind, allocate

CUP, PLATE = UUID(int=1), UUID(int=2)
RULES: list[Rule] = ["nearest", "cheapest", "whole"]
KINDS: list[WarehouseKind] = ["own", "supplier", "backorder", "preorder", "digital"]
HOUSES = {
    code: (kind, country, parcel)
    for code, kind, country, parcel in [
        ("ber", "own", "DE", 500), ("lis", "own", "PT", 900), ("nyc", "own", "US", 100), ("far", "supplier", "CN", 50),
        ("late", "backorder", "", 0), ("next", "preorder", "", 0), ("keys", "digital", "", 0), ("par", "own", "FR", 700),
    ]
}  # fmt: skip


def shelves(**have: tuple[int, int]) -> Levels:
    """Return levels: so many cups and plates per warehouse."""
    found: dict[UUID, list[Shelf]] = {CUP: [], PLATE: []}
    for code, counts in have.items():
        kind, country, parcel = HOUSES[code]
        for variant, available in zip((CUP, PLATE), counts, strict=True):
            found[variant].append(Shelf(variant, code, available, kind, country, 100, parcel))  # type: ignore[arg-type]  # a known kind
    return found


def wants(cups: int, plates: int = 0) -> list[Wanted]:
    """Return a wanted line of cups, and one of plates."""
    lines = [Wanted(1, "CUP", CUP, cups), Wanted(2, "PLATE", PLATE, plates)]
    return [line for line in lines if line.quantity]


stocked = st.dictionaries(st.sampled_from(sorted(HOUSES)), st.tuples(st.integers(0, 9), st.integers(0, 9)))


def test_the_nearest_gives_first_and_the_next_the_rest() -> None:
    found = allocate(wants(5), shelves(nyc=(9, 0), lis=(3, 0), ber=(2, 0)), "DE", "nearest")
    assert found == [Allocation(1, "ber", 2), Allocation(1, "lis", 3)]


def test_whole_prefers_one_parcel_from_far_to_two_from_near() -> None:
    assert {a.warehouse for a in allocate(wants(2, 2), shelves(ber=(9, 0), lis=(0, 9), nyc=(2, 2)), "DE", "whole")} == {"nyc"}


def test_cheapest_takes_the_parcels_that_cost_least_together() -> None:
    found = allocate(wants(1, 1), shelves(ber=(1, 1), lis=(1, 0), nyc=(0, 1)), "PT", "cheapest")
    assert {a.warehouse for a in found} == {"ber"}


@pytest.mark.parametrize(
    ("supplying", "pieces", "wanted"),
    [
        ("cheapest", 1, [("mid", 1)]),
        ("cheapest", 5, [("low", 5)]),
        ("fastest", 5, [("mid", 2), ("low", 3)]),
        ("priority", 5, [("dear", 5)]),
    ],
)
def test_suppliers_are_asked_by_the_markets_rule(supplying: SupplyRule, pieces: int, wanted: list[tuple[str, int]]) -> None:
    there = [
        Shelf(CUP, "low", 9, "supplier", "CN", 50, 900, 3, 100),
        Shelf(CUP, "mid", 2, "supplier", "CN", 50, 0, 1, 300),
        Shelf(CUP, "dear", 9, "supplier", "DE", 10, 0, 9, 5_000),
        Shelf(CUP, "silent", 9, "supplier", "DE", 90, 0, 9),
    ]
    found = allocate(wants(pieces), {CUP: there}, "DE", "whole", supplying)
    assert [(one.warehouse, one.quantity) for one in found] == wanted


def test_what_is_ours_goes_before_a_suppliers_and_that_before_a_promise() -> None:
    found = allocate(wants(6), shelves(far=(2, 0), late=(9, 0), ber=(3, 0)), "CN", "whole")
    assert found == [Allocation(1, "ber", 3), Allocation(1, "far", 2), Allocation(1, "late", 1)]


def test_too_few_everywhere_is_told_with_what_is_left() -> None:
    with pytest.raises(StockExhaustedError) as refused:
        allocate([Wanted(1, "CUP", CUP, 3), Wanted(2, "CUP", CUP, 3)], shelves(ber=(4, 0), late=(1, 0)), "DE")
    assert refused.value.facts == {"sku": "CUP", "wanted": 6, "left": 5}


def test_what_nobody_has_ever_had_is_told_so() -> None:
    with pytest.raises(StockExhaustedError, match="Only 0 of CUP left"):
        allocate(wants(1), {}, "DE")


@given(stocked, st.integers(0, 20), st.integers(0, 20), st.sampled_from(RULES), st.sampled_from(["DE", "US", ""]))
def test_it_gives_what_was_wanted_from_what_is_there_or_refuses(
    have: dict[str, tuple[int, int]], cups: int, plates: int, rule: Rule, country: str
) -> None:
    levels = shelves(**have)
    enough = cups <= sum(cup for cup, _ in have.values()) and plates <= sum(plate for _, plate in have.values())
    try:
        found = allocate(wants(cups, plates), levels, country, rule)
    except StockExhaustedError:
        assert not enough
        return
    assert enough
    for line, count in ((1, cups), (2, plates)):
        assert sum(a.quantity for a in found if a.line == line) == count
        assert all(0 < a.quantity <= have[a.warehouse][line - 1] for a in found if a.line == line)
    assert len({(a.line, a.warehouse) for a in found}) == len(found)


@given(stocked, st.integers(1, 9), st.integers(0, 9), st.sampled_from(["DE", "US"]))
def test_what_one_warehouse_of_ours_has_whole_comes_in_one_parcel(
    have: dict[str, tuple[int, int]], cups: int, plates: int, country: str
) -> None:
    have["ber"] = (cups, plates)
    found = allocate(wants(cups, plates), shelves(**have), country, "whole")
    assert len({a.warehouse for a in found}) == 1


@given(stocked, st.integers(1, 9), st.sampled_from(RULES))
def test_two_lines_of_one_article_never_take_the_same_pieces(have: dict[str, tuple[int, int]], count: int, rule: Rule) -> None:
    have["ber"], lines = (count * 2, 0), [Wanted(1, "CUP", CUP, count), Wanted(2, "CUP", CUP, count)]
    found = allocate(lines, shelves(**have), "DE", rule)
    for code, (cup, _) in have.items():
        assert sum(a.quantity for a in found if a.warehouse == code) <= cup

"""Allocation: which warehouse each piece of an order comes from. Pure; the hot path alone decides whether it is still there.

First what is ours, then what suppliers have, last what is only promised (backorder, preorder): a later source gives only what
the earlier ones together do not have. Within each, the rule chooses the set of warehouses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import StockExhaustedError
from entrepot.commerce.stock.nearness import steps_apart

Rule = Literal["nearest", "cheapest", "whole"]
SupplyRule = Literal["nearest", "cheapest", "fastest", "priority"]
WarehouseKind = Literal["own", "supplier", "backorder", "preorder", "digital"]

SUPPLIERS: frozenset[WarehouseKind] = frozenset({"supplier"})

# Which kinds are asked before which.
SOURCES: tuple[frozenset[WarehouseKind], ...] = (
    frozenset({"own", "digital"}),
    SUPPLIERS,
    frozenset({"backorder", "preorder"}),
)


class Wanted(Struct, frozen=True):
    """So many pieces of a variant, for one line of an order."""

    line: int
    sku: str
    variant_id: UUID
    quantity: int


class Shelf(Struct, frozen=True):
    """What a warehouse has of a variant, and what matters of it.

    ``parcel_minor`` is what a parcel from there costs us, ``cost_minor`` what a supplier wants for a piece (None: not told),
    ``lead_days`` in how many days it hands a parcel over.
    """

    variant_id: UUID
    warehouse: str
    available: int
    kind: WarehouseKind = "own"
    country: str = ""
    rank: int = 100
    parcel_minor: int = 0
    lead_days: int = 0
    cost_minor: int | None = None


class Routing(Struct, frozen=True):
    """How the orders of a market are allocated: among our own warehouses, and among those of suppliers.

    Of suppliers, ``nearest`` is asked as the rule for our own says; else each article comes from the supplier that wants least
    for all of it with its parcel (``cheapest``), hands it over first (``fastest``), or has the lowest rank (``priority``).
    """

    allocation: Rule = "whole"
    supplying: SupplyRule = "nearest"


class Allocation(Struct, frozen=True):
    """So many pieces of a line come from this warehouse. A line may have several."""

    line: int
    warehouse: str
    quantity: int


Levels = Mapping[UUID, Sequence[Shelf]]
_Left = dict[tuple[UUID, str], int]


def allocate(
    wanted: Sequence[Wanted], levels: Levels, destination: str, rule: Rule = "whole", supplying: SupplyRule = "nearest"
) -> list[Allocation]:
    """Return where every piece comes from, by line; raises when all warehouses together have too few of an article.

    ``destination`` is the country. ``whole`` uses as few warehouses as can be, ``cheapest`` those whose parcels cost least
    together, ``nearest`` the nearest that has any. What a rule leaves open is decided by nearness, then by rank. Suppliers are
    asked by ``supplying`` (see ``Routing``).
    """
    _check_enough(wanted, levels)
    left: _Left = {(shelf.variant_id, shelf.warehouse): shelf.available for shelves in levels.values() for shelf in shelves}
    missing = {want.line: want.quantity for want in wanted}
    given: dict[tuple[int, str], int] = {}
    for kinds in SOURCES:
        open_wants = [want for want in wanted if missing[want.line]]
        if not open_wants:
            break
        shelves = {
            want.variant_id: [shelf for shelf in levels.get(want.variant_id, ()) if shelf.kind in kinds] for want in open_wants
        }
        if kinds == SUPPLIERS and supplying != "nearest":
            for want in open_wants:
                asked = _suppliers(shelves[want.variant_id], missing[want.line], destination, supplying)
                _take(want, asked, left, missing, given, whole=False)
            continue
        warehouses = _choose(_needs(open_wants, missing, shelves), shelves, destination, rule)
        for want in open_wants:
            _take(want, warehouses, left, missing, given, whole=rule != "nearest")
    return [Allocation(line, warehouse, quantity) for (line, warehouse), quantity in given.items()]


def _check_enough(wanted: Sequence[Wanted], levels: Levels) -> None:
    sums: dict[UUID, int] = {}
    for want in wanted:
        sums[want.variant_id] = sums.get(want.variant_id, 0) + want.quantity
    for want in wanted:
        there = sum(shelf.available for shelf in levels.get(want.variant_id, ()))
        if there < sums[want.variant_id]:
            raise StockExhaustedError(want.sku, wanted=sums[want.variant_id], left=there)


def _needs(wanted: Sequence[Wanted], missing: Mapping[int, int], shelves: Levels) -> dict[UUID, int]:
    """Return how many of each variant are to come from these shelves: what is missing, as far as they have it."""
    needs: dict[UUID, int] = {}
    for want in wanted:
        needs[want.variant_id] = needs.get(want.variant_id, 0) + missing[want.line]
    return {variant: min(need, sum(shelf.available for shelf in shelves[variant])) for variant, need in needs.items()}


def _choose(needs: Mapping[UUID, int], shelves: Levels, destination: str, rule: Rule) -> list[Shelf]:
    """Return the warehouses to take from (any shelf of each), in the order in which they are asked."""
    having = {shelf.warehouse: shelf for variant in needs for shelf in shelves[variant] if shelf.available > 0}

    def place(shelf: Shelf) -> tuple[int, int, int, str]:
        cost = shelf.parcel_minor if rule == "cheapest" else 0
        return cost, steps_apart(shelf.country, destination), shelf.rank, shelf.warehouse

    ordered = sorted(having.values(), key=place)
    if rule == "nearest" or len(ordered) <= 1:
        return ordered
    # Choosing among sets doubles with every warehouse: beyond some, those that come last are asked only if there must be more.
    candidates = ordered[: limits.ALLOCATION_WAREHOUSES_MAX]
    return next(_sufficient(candidates, needs, shelves, _cost if rule == "cheapest" else len), ordered)


def _suppliers(shelves: Sequence[Shelf], pieces: int, destination: str, supplying: SupplyRule) -> list[Shelf]:
    """Return who is asked for an article in which order; one that names no cost comes after all that do."""

    def place(shelf: Shelf) -> tuple[int, int, int, str]:
        first = {
            "nearest": 0,
            "cheapest": limits.MINOR_MAX if shelf.cost_minor is None else shelf.cost_minor * pieces + shelf.parcel_minor,
            "fastest": shelf.lead_days,
            "priority": shelf.rank,
        }[supplying]
        return first, steps_apart(shelf.country, destination), shelf.rank, shelf.warehouse

    return sorted(shelves, key=place)


def _cost(warehouses: Sequence[Shelf]) -> int:
    return sum(shelf.parcel_minor for shelf in warehouses)


def _sufficient(
    candidates: Sequence[Shelf], needs: Mapping[UUID, int], shelves: Levels, weight: Callable[[Sequence[Shelf]], int]
) -> Iterator[list[Shelf]]:
    """Yield the sets of warehouses that together have what is needed: the lightest first, then the smallest, as ordered."""
    sets = [chosen for size in range(1, len(candidates) + 1) for chosen in combinations(candidates, size)]
    for chosen in sorted(sets, key=weight):
        codes = {shelf.warehouse for shelf in chosen}
        if all(
            sum(shelf.available for shelf in shelves[variant] if shelf.warehouse in codes) >= need
            for variant, need in needs.items()
        ):
            yield list(chosen)


def _take(
    want: Wanted,
    warehouses: Sequence[Shelf],
    left: _Left,
    missing: dict[int, int],
    given: dict[tuple[int, str], int],
    *,
    whole: bool,
) -> None:
    """Take a line from the warehouses in their order; ``whole``: first from one that has all of it.

    The running sums are the caller's: what one line takes, the next cannot have.
    """
    asked = (
        sorted(warehouses, key=lambda shelf: left.get((want.variant_id, shelf.warehouse), 0) < missing[want.line])
        if whole
        else warehouses
    )
    for shelf in asked:
        at = (want.variant_id, shelf.warehouse)
        pieces = min(missing[want.line], left.get(at, 0))
        if pieces:
            left[at] -= pieces
            missing[want.line] -= pieces
            given[want.line, shelf.warehouse] = given.get((want.line, shelf.warehouse), 0) + pieces

"""Which facets help most to narrow these results, chosen by a rule for every result set, and their counts.

An attribute is worth what its values tell apart (entropy, in bits), on how many of the results (coverage), and how much
more often it occurs here than elsewhere (what is particular to these results says more about them than weight and width).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct, structs

from entrepot.base.projection import Target
from entrepot.engines.search import port
from entrepot.engines.search.port import (
    Bucket,
    Found,
    Query,
    RangesFacet,
    SearchStore,
    SpreadFacet,
    SpreadRangesFacet,
    TermsFacet,
)
from entrepot.engines.search.spread import bounds
from entrepot.projections.product_search.text import spoken

_CHOICES_MAX = 50
# Counting an attribute's values costs more than knowing that it is there: only the most promising are counted.
_CANDIDATES_MAX = 10
_CHOSEN_MAX = 6
_VALUES_MAX = 12
_BRANDS_MAX = 30
_CATEGORIES_MAX = 50
_COVERAGE_MIN = 0.1
# An attribute whose values are nearly all different (a model, a bar code) narrows to one product: that is no choice.
_VALUE_ITEMS_MIN = 2.5
# Nor is one whose most frequent values leave most of its products out.
_SHOWN_MIN = 0.5
_SPREAD = (20.0, 40.0, 60.0, 80.0)

TEXTS, NUMBERS = "attributes.", "numbers."


class Value(Struct, frozen=True, kw_only=True):
    """One choice of a facet and how many products it leaves; of ranges, from ``low`` to below ``below`` (None: no bound)."""

    value: str
    count: int
    low: float | None = None
    below: float | None = None


class Facet(Struct, frozen=True, kw_only=True):
    """A way to narrow: ``field`` is ``brand``, ``category``, ``price``, ``attributes.<key>`` or ``numbers.<key>``."""

    field: str
    label: str
    kind: Literal["values", "ranges"]
    values: Sequence[Value]


def first_facets(market: str) -> dict[str, port.Facet]:
    """Return what is counted with the hits themselves: from it is seen which other facets are worth to be counted."""
    first: dict[str, port.Facet] = {
        "brand": TermsFacet("brand", _BRANDS_MAX),
        "category": TermsFacet("category_path_ids", _CATEGORIES_MAX),
        "choices": TermsFacet("choices", _CHOICES_MAX, compared=True),
        "type": TermsFacet("type", compared=True),
    }
    if market:
        first[f"price.{market}"] = SpreadFacet(f"price.{market}", _SPREAD)
    return first


async def count_facets(store: SearchStore, target: Target, asked: Query, market: str, found: Found) -> list[Facet]:
    """Return brand, category and price, then the attributes most worth choosing by; each under the others' filters.

    ``found`` is what a query with the first facets has found, and ``asked`` what selects the same.
    """
    first, price = found.facets, f"price.{market}" if market else ""
    if not found.total:
        return []
    promising = _promising(first["choices"], found.total, first["type"][0].everywhere)
    filtered = [each.field for each in asked.filters if each.field.startswith((TEXTS, NUMBERS))]
    candidates = {field: _candidate(field) for field in (*filtered, *promising)}
    if price and first[price]:
        candidates[price] = RangesFacet(price, bounds(float(each.value) for each in first[price]))
    narrowed = structs.replace(asked, counted=False)
    second = (await store.search(target, structs.replace(narrowed, facets=candidates))).facets if candidates else {}
    chosen = filtered + _best(second, {field: promise for field, promise in promising.items() if field not in filtered})
    facets = [_values(name, name, first[name]) for name in ("brand", "category")]
    facets.append(_ranged("price", "price", second.get(price, ())))
    for field in chosen:
        shown = _values if field.startswith(TEXTS) else _ranged
        facets.append(shown(field, spoken(field.partition(".")[2]), second[field]))
    taken = {each.field.partition(".")[0] if each.field == price else each.field for each in asked.filters}
    return [facet for facet in facets if len(facet.values) > 1 or (facet.values and facet.field in taken)]


class Promise(Struct, frozen=True):
    """How many results have an attribute, and what that is worth: coverage times how particular it is to these results."""

    having: int
    worth: float


def _promising(choices: Sequence[Bucket], total: int, everywhere: int) -> dict[str, Promise]:
    promises = {}
    for each in choices:
        coverage = each.count / total
        if coverage >= _COVERAGE_MIN:
            lift = coverage * everywhere / max(1, each.everywhere)
            promises[str(each.value)] = Promise(each.count, coverage * math.log2(1 + lift))
    best = sorted(promises, key=lambda field: (-promises[field].worth, field))
    return {field: promises[field] for field in best[:_CANDIDATES_MAX]}


def _candidate(field: str) -> port.Facet:
    return TermsFacet(field, 2 * _VALUES_MAX) if field.startswith(TEXTS) else SpreadRangesFacet(field, _SPREAD)


def _best(found: Mapping[str, Sequence[Bucket]], promises: Mapping[str, Promise]) -> list[str]:
    scored: dict[str, float] = {}
    seen: set[tuple[int, ...]] = set()
    for field, promise in promises.items():
        texts = field.startswith(TEXTS)
        bits = _bits_of_values(found[field], promise.having) if texts else _bits_of_ranges(found[field])
        # Two attributes with the same counts (connector 1 and connector 2) narrow the same way: one is enough.
        same = tuple(bucket.count for bucket in found[field]) if texts else ()
        if bits > 0 and (not same or same not in seen):
            scored[field] = bits * promise.worth
            seen.add(same)
    return sorted(scored, key=lambda field: (-scored[field], field))[:_CHOSEN_MAX]


def _bits_of_values(values: Sequence[Bucket], having: int) -> float:
    total = sum(bucket.count for bucket in values)
    if len(values) < 2 or total / len(values) < _VALUE_ITEMS_MIN or total < _SHOWN_MIN * having:  # noqa: PLR2004  # one is no choice
        return 0.0
    return -sum(bucket.count / total * math.log2(bucket.count / total) for bucket in values)


def _bits_of_ranges(ranges: Sequence[Bucket]) -> float:
    # A range is a rougher choice than a name, so that only half of its bits count.
    return math.log2(len(ranges)) / 2 if ranges else 0.0


def _values(field: str, label: str, found: Sequence[Bucket]) -> Facet:
    limit = _VALUES_MAX if field.startswith(TEXTS) else len(found)
    values = [Value(value=str(bucket.value), count=bucket.count) for bucket in found if bucket.value != ""]
    return Facet(field=field, label=label, kind="values", values=values[:limit])


def _ranged(field: str, label: str, found: Sequence[Bucket]) -> Facet:
    lows = [*(float(bucket.value) for bucket in found), math.inf]
    values = [
        Value(value=f"{_shown(low)}..{_shown(below)}", count=bucket.count, low=_bound(low), below=_bound(below))
        for bucket, (low, below) in zip(found, pairwise(lows), strict=True)
        if bucket.count
    ]
    return Facet(field=field, label=label, kind="ranges", values=values)


def _bound(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _shown(number: float) -> str:
    return f"{number:.12g}" if math.isfinite(number) else ""

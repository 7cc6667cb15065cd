"""Into which ranges numbers are cut for a facet: by where they lie, at bounds that people would say. Pure; knows no product."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from entrepot.engines.search.port import Bucket

_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def bounds(numbers: Iterable[float]) -> tuple[float, ...]:
    """Return the bounds at or near these numbers, each once, the lowest first."""
    return tuple(sorted({_nice(number) for number in numbers}))


def numbers_at(counts: Mapping[float, int], percents: Sequence[float]) -> list[float]:
    """Return the numbers at these percentages of the items, of which so many have each number; none of no items."""
    ordered = sorted(counts)
    reached = list(accumulate(counts[number] for number in ordered))
    if not reached:
        return []
    return [ordered[min(len(ordered) - 1, bisect_right(reached, reached[-1] * percent / 100))] for percent in percents]


def ranged(counts: Mapping[float, int], edges: Sequence[float]) -> list[Bucket]:
    """Return how many items lie below the first of these bounds, from each to the next, and from the last on."""
    found = [0] * (len(edges) + 1)
    for number, count in counts.items():
        found[bisect_right(edges, number)] += count
    return [Bucket(low, count) for low, count in zip((-math.inf, *edges), found, strict=True)]


def _nice(number: float) -> float:
    """Return the number at or near this one that people would say."""
    if number == 0 or not math.isfinite(number):
        return 0.0
    scale = 10.0 ** math.floor(math.log10(abs(number)))
    digit = min(_NICE, key=lambda nice: abs(nice - abs(number) / scale))
    return round(math.copysign(digit * scale, number), 9)

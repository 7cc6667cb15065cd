"""How the port's facets are counted by tantivy. Blocks: call it in a thread. Knows no business word."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs
from tantivy import Occur, Query, Searcher

from entrepot.base.engine_limits import SEARCH_VALUES_MAX
from entrepot.engines.search import port
from entrepot.engines.search.spread import bounds, numbers_at, ranged
from entrepot.engines.search.tantivy_query import Compiler


class Counting(Struct, frozen=True):
    """Counts among items that one searcher sees."""

    searcher: Searcher
    compiler: Compiler

    def facets(self, among: Query, facets: Mapping[str, port.Facet]) -> dict[str, Sequence[port.Bucket]]:
        """Return the buckets of facets that are counted among the same items: one pass over these, but for odd ranges."""
        by_range = {name: facet for name, facet in facets.items() if self._is_cut(facet)}
        asked = {name: _aggregation(facet, self.compiler.path) for name, facet in facets.items() if name not in by_range}
        answer = self.searcher.aggregate(among, asked) if asked else {}
        counted: dict[str, Sequence[port.Bucket]] = {}
        for name, facet in facets.items():
            if isinstance(facet, port.RangesFacet) and name in by_range:
                counted[name] = [self._between(among, facet.field, low, below) for low, below in _edges(facet.bounds)]
            elif isinstance(facet, port.SpreadRangesFacet):
                counted[name] = self._spread(among, facet, answer[name])
            elif isinstance(facet, port.TermsFacet) and facet.compared:
                counted[name] = self._compared(facet, _buckets(facet, answer[name]))
            else:
                counted[name] = _buckets(facet, answer[name])
        return counted

    def _is_cut(self, facet: port.Facet) -> bool:
        # Where a segment holds but whole numbers of a map, tantivy cuts a bound's fraction off (see ``Compiler``).
        return isinstance(facet, port.RangesFacet) and "." in facet.field and any(each % 1 for each in facet.bounds)

    def _between(self, among: Query, field: str, low: float | None, below: float | None) -> port.Bucket:
        inside = self.compiler.clause(port.Between(field, low, below))
        query = Query.boolean_query([(Occur.Must, among), (Occur.Must, inside)])
        return port.Bucket(-math.inf if low is None else low, matching(self.searcher, query))

    def _spread(self, among: Query, facet: port.SpreadRangesFacet, answer: Mapping[str, Any]) -> Sequence[port.Bucket]:
        counts: Counter[float] = Counter()  # a whole number of one segment and a real one of another may be the same
        for each in answer["buckets"]:
            counts[float(each["key"])] += each["doc_count"]
        if not answer["sum_other_doc_count"]:
            return ranged(counts, bounds(numbers_at(counts, facet.percents))) if counts else []
        # Too many different numbers to look at each: where the ranges lie is asked first.
        spread = self.facets(among, {"spread": port.SpreadFacet(facet.field, facet.percents)})["spread"]
        edges = bounds(float(each.value) for each in spread)
        return self.facets(among, {"ranges": port.RangesFacet(facet.field, edges)})["ranges"]

    def _compared(self, facet: port.TermsFacet, found: Sequence[port.Bucket]) -> Sequence[port.Bucket]:
        path = self.compiler.path(facet.field)
        return [structs.replace(each, everywhere=self.searcher.doc_freq(path, each.value)) for each in found]


def matching(searcher: Searcher, query: Query) -> int:
    """Return how many items a query selects."""
    count: int = searcher.search(query, limit=1).count  # type: ignore[attr-defined]  # tantivy's stub forgets it
    return count


def _aggregation(facet: port.Facet, path: Callable[[str], str]) -> dict[str, object]:
    field = path(facet.field)
    match facet:
        case port.TermsFacet():
            # Each segment reports this many values, so that the sums over segments are exact up to here.
            return {"terms": {"field": field, "size": facet.size, "segment_size": SEARCH_VALUES_MAX}}
        case port.SpreadRangesFacet():
            return {"terms": {"field": field, "size": SEARCH_VALUES_MAX, "segment_size": SEARCH_VALUES_MAX}}
        case port.RangesFacet():
            between = [{"from": low, "to": high} for low, high in itertools.pairwise(facet.bounds)]
            return {"range": {"field": field, "ranges": [{"to": facet.bounds[0]}, *between, {"from": facet.bounds[-1]}]}}
        case port.SpreadFacet():
            return {"percentiles": {"field": field, "percents": list(facet.percents), "keyed": False}}


def _buckets(facet: port.Facet, answer: Mapping[str, Any]) -> list[port.Bucket]:
    if isinstance(facet, port.SpreadFacet):
        return [port.Bucket(each["value"], 0) for each in answer["values"] if each["value"] is not None]
    if isinstance(facet, port.RangesFacet):
        inside = [port.Bucket(each.get("from", -math.inf), each["doc_count"]) for each in answer["buckets"]]
        return sorted(inside, key=lambda bucket: float(bucket.value))
    counted = [port.Bucket(each["key"], each["doc_count"]) for each in answer["buckets"]]
    return sorted(counted, key=lambda bucket: (-bucket.count, str(bucket.value)))


def _edges(edges: Sequence[float]) -> list[tuple[float | None, float | None]]:
    return list(itertools.pairwise([None, *edges, None]))

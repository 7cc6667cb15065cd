"""How the port's facets become Elasticsearch's aggregations, and their answers its buckets. Knows no business word."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from entrepot.base.engine_limits import SEARCH_VALUES_MAX
from entrepot.engines.search import port
from entrepot.engines.search.elasticsearch_query import Asked, escaped
from entrepot.engines.search.elasticsearch_shape import Values
from entrepot.engines.search.spread import bounds, numbers_at, ranged

# An aggregation's name may not hold every letter that a facet's may, so they are numbered.
Where = Callable[[str], Values]
Narrowing = Callable[[Sequence[port.OneOf | port.Between]], list[Asked]]


def aggregations(query: port.Query, where: Where, narrowing: Narrowing, values: int) -> dict[str, Asked]:
    """Return the aggregations of a query whose filters come after them, each under all filters but those on its own field.

    ``values``: so many of each shard are looked at where there is more than one; one alone knows the most frequent.
    """
    made: dict[str, Asked] = {}
    for number, facet in enumerate(query.facets.values()):
        others = [each for each in query.filters if each.field != facet.field]
        made[str(number)] = {
            "filter": {"bool": {"filter": narrowing(others)}},
            "aggs": {"in": _aggregation(facet, where(facet.field), values)},
        }
    return made


def counted(query: port.Query, answer: Mapping[str, Any], where: Where) -> dict[str, Sequence[port.Bucket]]:
    """Return the buckets of each facet of a query from the answer to its aggregations."""
    return {
        name: _buckets(facet, answer[str(number)]["in"], where(facet.field))
        for number, (name, facet) in enumerate(query.facets.items())
    }


def overflowing(query: port.Query, answer: Mapping[str, Any]) -> dict[str, port.SpreadRangesFacet]:
    """Return the facets whose numbers were too many to be told one by one, so that their ranges are not known yet."""
    return {
        name: facet
        for number, (name, facet) in enumerate(query.facets.items())
        if isinstance(facet, port.SpreadRangesFacet) and answer[str(number)]["in"]["sum_other_doc_count"]
    }


def among(values: Values, told: Sequence[object]) -> Asked:
    """Return the aggregation that counts these values of a field."""
    return {"terms": {"field": values.field, "include": [values.kept(each) for each in told], "size": max(1, len(told))}}


def _aggregation(facet: port.Facet, values: Values, least: int) -> Asked:
    match facet:
        case port.TermsFacet():
            return _terms(values, facet.size, max(facet.size, least))
        case port.SpreadRangesFacet():
            return _terms(values, SEARCH_VALUES_MAX, SEARCH_VALUES_MAX)
        case port.RangesFacet() if values.begin:
            filters = [{"range": {values.field: values.within(low, below)}} for low, below in _edges(facet.bounds)]
            return {"filters": {"filters": filters}}
        case port.RangesFacet():
            between = [{"from": low, "to": high} for low, high in itertools.pairwise(facet.bounds)]
            ranges = [{"to": facet.bounds[0]}, *between, {"from": facet.bounds[-1]}]
            return {"range": {"field": values.field, "ranges": ranges}}
        case port.SpreadFacet() if values.begin:  # texts have no percentiles: some items say where the numbers lie
            of_some = _terms(values, SEARCH_VALUES_MAX, SEARCH_VALUES_MAX)
            return {"sampler": {"shard_size": SEARCH_VALUES_MAX}, "aggs": {"of": of_some}}
        case port.SpreadFacet():
            return {"percentiles": {"field": values.field, "percents": list(facet.percents), "keyed": False}}


def _terms(values: Values, size: int, shard_size: int) -> Asked:
    include = {"include": f"{escaped(values.begin)}.*"} if values.begin else {}
    return {"terms": {"field": values.field, "size": size, "shard_size": shard_size, **include}}


def _buckets(facet: port.Facet, answer: Mapping[str, Any], values: Values) -> list[port.Bucket]:
    match facet:
        case port.TermsFacet():
            return [port.Bucket(values.told(each["key"]), each["doc_count"]) for each in answer["buckets"]]
        case port.SpreadRangesFacet():
            counts = _counts(answer, values)
            return ranged(counts, bounds(numbers_at(counts, facet.percents))) if counts else []
        case port.RangesFacet() if values.begin:
            lows = (-math.inf, *facet.bounds)
            return [port.Bucket(low, each["doc_count"]) for low, each in zip(lows, answer["buckets"], strict=True)]
        case port.RangesFacet():
            made = [port.Bucket(each.get("from", -math.inf), each["doc_count"]) for each in answer["buckets"]]
            return sorted(made, key=lambda bucket: float(bucket.value))
        case port.SpreadFacet() if values.begin:
            return [port.Bucket(number, 0) for number in numbers_at(_counts(answer["of"], values), facet.percents)]
        case port.SpreadFacet():
            return [port.Bucket(each["value"], 0) for each in answer["values"] if each["value"] is not None]


def _counts(answer: Mapping[str, Any], values: Values) -> dict[float, int]:
    return {float(values.told(each["key"])): each["doc_count"] for each in answer["buckets"]}


def _edges(edges: Sequence[float]) -> list[tuple[float | None, float | None]]:
    return list(itertools.pairwise([None, *edges, None]))

"""How the port's facets become Elasticsearch's aggregations, and their answers its buckets. Knows no business word."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from entrepot.base.engine_limits import SEARCH_VALUES_MAX
from entrepot.engines.search import port
from entrepot.engines.search.elasticsearch_query import Asked
from entrepot.engines.search.spread import bounds, numbers_at, ranged

# An aggregation's name may not hold every letter that a facet's may, so they are numbered.
Path = Callable[[str], str]
Narrowing = Callable[[Sequence[port.OneOf | port.Between]], list[Asked]]


def aggregations(query: port.Query, path: Path, narrowing: Narrowing, values: int) -> dict[str, Asked]:
    """Return the aggregations of a query whose filters come after them, each under all filters but those on its own field.

    ``values``: so many of each shard are looked at where there is more than one; one alone knows the most frequent.
    """
    made: dict[str, Asked] = {}
    for number, facet in enumerate(query.facets.values()):
        others = [each for each in query.filters if each.field != facet.field]
        inside = {"in": _aggregation(facet, path, values)}
        if isinstance(facet, port.SpreadRangesFacet):  # told beside, in case there are too many different numbers
            inside["spread"] = _aggregation(port.SpreadFacet(facet.field, facet.percents), path, values)
        made[str(number)] = {"filter": {"bool": {"filter": narrowing(others)}}, "aggs": inside}
    return made


def counted(query: port.Query, answer: Mapping[str, Any]) -> dict[str, Sequence[port.Bucket]]:
    """Return the buckets of each facet of a query from the answer to its aggregations."""
    return {name: _buckets(facet, answer[str(number)]["in"]) for number, (name, facet) in enumerate(query.facets.items())}


def uncounted(query: port.Query, answer: Mapping[str, Any]) -> dict[str, port.Facet]:
    """Return the ranges that are yet to be counted: of those whose numbers were too many to be told one by one."""
    asked: dict[str, port.Facet] = {}
    for number, (name, facet) in enumerate(query.facets.items()):
        told = answer[str(number)]
        if isinstance(facet, port.SpreadRangesFacet) and told["in"]["sum_other_doc_count"]:
            asked[name] = port.RangesFacet(facet.field, bounds(each["value"] for each in told["spread"]["values"]))
    return asked


def among(field: str, values: Sequence[object], size: int) -> Asked:
    """Return the aggregation that counts these values of a field."""
    return {"terms": {"field": field, "include": list(values), "size": max(1, size)}}


def _aggregation(facet: port.Facet, path: Path, values: int) -> Asked:
    field = path(facet.field)
    match facet:
        case port.TermsFacet():
            return {"terms": {"field": field, "size": facet.size, "shard_size": max(facet.size, values)}}
        case port.SpreadRangesFacet():
            return {"terms": {"field": field, "size": SEARCH_VALUES_MAX, "shard_size": SEARCH_VALUES_MAX}}
        case port.RangesFacet():
            between = [{"from": low, "to": high} for low, high in itertools.pairwise(facet.bounds)]
            return {"range": {"field": field, "ranges": [{"to": facet.bounds[0]}, *between, {"from": facet.bounds[-1]}]}}
        case port.SpreadFacet():
            return {"percentiles": {"field": field, "percents": list(facet.percents), "keyed": False}}


def _buckets(facet: port.Facet, answer: Mapping[str, Any]) -> list[port.Bucket]:
    if isinstance(facet, port.SpreadFacet):
        return [port.Bucket(each["value"], 0) for each in answer["values"] if each["value"] is not None]
    if isinstance(facet, port.RangesFacet):
        made = [port.Bucket(each.get("from", float("-inf")), each["doc_count"]) for each in answer["buckets"]]
        return sorted(made, key=lambda bucket: float(bucket.value))
    if isinstance(facet, port.SpreadRangesFacet):
        counts = {float(each["key"]): int(each["doc_count"]) for each in answer["buckets"]}
        return ranged(counts, bounds(numbers_at(counts, facet.percents))) if counts else []
    return [port.Bucket(each["key"], each["doc_count"]) for each in answer["buckets"]]

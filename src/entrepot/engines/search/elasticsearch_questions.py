"""The questions that the search port asks, put to one index of Elasticsearch. Reads only; knows no business word."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from elasticsearch import AsyncElasticsearch, BadRequestError
from msgspec import Struct, structs
from rapidfuzz.distance import OSA

from entrepot.base.engine_limits import SEARCH_COMPARED_SECONDS
from entrepot.base.errors import BadInputError
from entrepot.base.limits import SEARCH_DEPTH_MAX
from entrepot.engines.search import port
from entrepot.engines.search.elasticsearch_facets import aggregations, among, counted, overflowing
from entrepot.engines.search.elasticsearch_query import IS_LIVE, Asked, escaped, folded, narrowing, nearly, selecting, selection
from entrepot.engines.search.elasticsearch_shape import BODY, ID, Values, listed, values_of
from entrepot.engines.search.elasticsearch_wire import answered, answering
from entrepot.engines.search.shape import Field, check_listed, check_sorted_by
from entrepot.engines.search.spread import bounds

# What the term suggester can do: it knows words at most so far away.
_EDITS_MAX = 2
# It leaves out what is frequent unless it is told that nothing is.
_ANY_FREQUENCY = 2**31 - 1
_SUGGESTED_MAX = 100


class Everywhere:
    """How many items of one index have a value of a field, as it was within the last moment: who compares does so roughly."""

    def __init__(self) -> None:
        self._until = 0.0
        self._counts: dict[tuple[str, object], int] = {}

    def counts(self) -> dict[tuple[str, object], int]:
        """Return what is known by field and value, to be added to."""
        now = asyncio.get_running_loop().time()
        if now > self._until:
            self._until, self._counts = now + SEARCH_COMPARED_SECONDS, {}
        return self._counts


class Questions(Struct, frozen=True):
    """Asks one index, whose fields these are; ``values`` of each shard are looked at for the most frequent."""

    client: AsyncElasticsearch
    index: str
    fields: Mapping[str, Field]
    everywhere: Everywhere
    values: int

    async def search(self, query: port.Query) -> port.Found:
        """Return a page of hits, the total and the facets, each of these counted before the filters on its own field."""
        with _refusing_cursor(query):
            answers = await self._ask_all(self._parts(query))
        return await self._found(query, answers)

    async def search_and_count(self, query: port.Query, clauses: Sequence[port.Clause]) -> tuple[port.Found, list[int]]:
        """Return what the query asks for, and how many items each clause selects."""
        if not clauses:
            return await self.search(query), []
        with _refusing_cursor(query):
            *answers, counts = await self._ask_all([*self._parts(query), self._counting(clauses)])
        return await self._found(query, answers), _counted(counts)

    async def _found(self, query: port.Query, answers: Sequence[Mapping[str, Any]]) -> port.Found:
        found, last = answers[0]["hits"]["hits"], answers[-1]
        hits = [
            port.Hit(each["_id"], _score(each["_score"]), msgspec.json.decode(each["_source"][BODY], type=dict[str, object]))
            for each in found
        ]
        facets = counted(query, last["aggregations"], self._values) if query.facets else {}
        if many := overflowing(query, last["aggregations"]) if query.facets else {}:
            facets |= await self._ranged(query, many)
        more = bool(found) and len(found) == query.limit
        return port.Found(
            hits=hits,
            total=last["hits"]["total"]["value"] if query.counted else 0,
            facets=await self._compared(query, facets),
            cursor=msgspec.json.encode(found[-1]["sort"]).decode() if more else "",
        )

    async def count(self, clauses: Sequence[port.Clause]) -> list[int]:
        """Return how many items each clause selects."""
        if not clauses:  # which the server would refuse
            return []
        return _counted(await self._ask(self._counting(clauses)))

    async def words(self, field: str, start: str, part: port.Clause | None, limit: int) -> list[port.Word]:
        """Return the words of a folded field that begin so, the most frequent first."""
        terms: Asked = {"field": self._listed(field), "size": limit, "shard_size": max(limit, self.values)}
        if begun := folded(start):
            terms["include"] = f"{escaped(begun)}.*"
        query = selecting(port.Everything() if part is None else part, self.fields)
        answer = await self._ask({"size": 0, "query": query, "aggs": {"of": {"terms": terms}}})
        return [port.Word(each["key"], each["doc_count"]) for each in answer["aggregations"]["of"]["buckets"]]

    async def near(self, field: str, text: str, edits: int, start: str) -> list[port.Near]:
        """Return the words near a folded text; the suggester tells the others, and the text itself is counted beside."""
        suggested = {
            "field": field,
            "max_edits": max(1, min(edits, _EDITS_MAX)),
            "prefix_length": 0,
            "min_word_length": 1,
            "suggest_mode": "always",
            "max_term_freq": _ANY_FREQUENCY,
            "accuracy": 0.0,
            "size": _SUGGESTED_MAX,
        }
        terms: Asked = {"field": self._listed(field), "size": _SUGGESTED_MAX}
        aggs = {"itself": {"terms": {**terms, "include": [text]}}}
        if edits > 1 and not start:  # of two errors the suggester wants none at the beginning
            aggs["begun otherwise"] = {"terms": {**terms, "include": f".?.?{nearly(text[1:])}"}}
        answer = await self._ask({"size": 0, "suggest": {"near": {"text": text, "term": suggested}}, "aggs": aggs})
        said = {each["text"]: each["freq"] for part in answer["suggest"]["near"] for each in part["options"]}
        for name in aggs:
            said |= {each["key"]: each["doc_count"] for each in answer["aggregations"][name]["buckets"]}
        begun = folded(start)
        found = [port.Near(word, freq, int(OSA.distance(text, word))) for word, freq in said.items() if word.startswith(begun)]
        return sorted((each for each in found if each.errors <= edits), key=lambda each: (each.errors, -each.count, each.text))

    async def _ask(self, asked: Mapping[str, object]) -> Mapping[str, Any]:
        with answering():
            answer = await self.client.search(index=self.index, body=dict(asked))
        return answer.body  # type: ignore[no-any-return]  # JSON

    async def _ask_all(self, asked: Sequence[Mapping[str, object]]) -> list[Mapping[str, Any]]:
        if len(asked) == 1:
            return [await self._ask(asked[0])]
        with answering():
            answer = await self.client.msearch(index=self.index, searches=[part for each in asked for part in ({}, each)])
            return [answered(each, answer.meta) for each in answer["responses"]]

    def _counting(self, clauses: Sequence[port.Clause]) -> Asked:
        filters = [selecting(each, self.fields) for each in clauses]
        return {"size": 0, "track_total_hits": False, "aggs": {"of": {"filters": {"filters": filters}}}}

    def _parts(self, query: port.Query) -> list[Asked]:
        """Return the requests that together answer a query: hits and facets apart.

        So the server may leave out what cannot be among the best, and remembers counts that nobody's hits hang on.
        """
        # Filters whose field has no facet narrow everything alike, and may come first.
        own = {facet.field for facet in query.facets.values()}
        shared = [each for each in query.filters if each.field not in own]
        after = [each for each in query.filters if each.field in own]
        selected: Asked = {"query": selection(query.where, shared, self.fields)}
        if after:
            selected["post_filter"] = {"bool": {"filter": narrowing(after, self.fields)}}
        if not query.facets:
            return [selected | self._page(query) | {"track_total_hits": query.counted}]
        # Under those that came first all are counted anyway.
        rest = structs.replace(query, filters=tuple(after))
        facets = aggregations(rest, self._values, lambda filters: narrowing(filters, self.fields), self.values)
        among = [selecting(query.where, self.fields), *narrowing(shared, self.fields)]
        counting = selected | {
            "query": {"bool": {"filter": among}},
            "size": 0,
            "track_total_hits": query.counted,
            "aggs": facets,
        }
        return [selected | self._page(query) | {"track_total_hits": False}, counting] if query.limit else [counting]

    def _page(self, query: port.Query) -> Asked:
        page: Asked = {
            "size": min(query.limit, SEARCH_DEPTH_MAX),
            "sort": [self._sort(query.sort), {ID: "asc"}],
            "_source": [BODY],
        }
        return page | {"search_after": _after(query.cursor)} if query.cursor else page

    def _sort(self, sort: port.Sort | None) -> Asked:
        if sort is None:
            return {"_score": "desc"}
        check_sorted_by(self.fields, sort.field)
        order = "desc" if sort.descending else "asc"
        number = self.fields[sort.field.partition(".")[0]].type == "number_map" if "." in sort.field else False
        by: Asked = {"order": order, "missing": "_last"}
        if number:  # a key that no item has had
            by["unmapped_type"] = "double"
        return {self._values(sort.field).field: by}

    async def _ranged(
        self, query: port.Query, many: Mapping[str, port.SpreadRangesFacet]
    ) -> Mapping[str, Sequence[port.Bucket]]:
        """Count ranges of numbers that are too many to be told one by one: where the ranges lie is asked first."""
        asked = structs.replace(query, limit=0, counted=False)
        spread = {name: port.SpreadFacet(facet.field, facet.percents) for name, facet in many.items()}
        lying = (await self.search(structs.replace(asked, facets=spread))).facets
        ranges = {
            name: port.RangesFacet(facet.field, bounds(float(each.value) for each in lying[name]))
            for name, facet in many.items()
        }
        return (await self.search(structs.replace(asked, facets=ranges))).facets

    async def _compared(
        self, query: port.Query, facets: Mapping[str, Sequence[port.Bucket]]
    ) -> Mapping[str, Sequence[port.Bucket]]:
        wanted = {
            name: facet.field for name, facet in query.facets.items() if isinstance(facet, port.TermsFacet) and facet.compared
        }
        if not wanted:
            return facets
        known = self.everywhere.counts()
        unknown = {
            field: values
            for name, field in wanted.items()
            if (values := [each.value for each in facets[name] if (field, each.value) not in known])
        }
        if unknown:
            asked = {str(number): among(self._values(field), values) for number, (field, values) in enumerate(unknown.items())}
            answer = await self._ask({"size": 0, "query": IS_LIVE, "aggs": asked})
            for number, (field, values) in enumerate(unknown.items()):
                buckets = answer["aggregations"][str(number)]["buckets"]
                counts = {self._values(field).told(each["key"]): each["doc_count"] for each in buckets}
                known |= {(field, value): counts.get(value, 0) for value in values}
        told = dict(facets)
        for name, field in wanted.items():
            told[name] = [structs.replace(each, everywhere=known[field, each.value]) for each in facets[name]]
        return told

    def _values(self, field: str) -> Values:
        return values_of(self.fields, field)

    def _listed(self, field: str) -> str:
        check_listed(self.fields, field)
        return listed(self._values(field).field)


def _counted(answer: Mapping[str, Any]) -> list[int]:
    return [bucket["doc_count"] for bucket in answer["aggregations"]["of"]["buckets"]]


@contextmanager
def _refusing_cursor(query: port.Query) -> Iterator[None]:
    """Tell what the server makes of an "after" that does not fit the fields."""
    try:
        yield
    except BadRequestError as error:
        if not query.cursor:
            raise
        raise _no_cursor(query.cursor) from error


def _score(score: float | None) -> float:
    return score or 0.0


def _after(cursor: str) -> list[object]:
    try:
        return list(msgspec.json.decode(cursor, type=tuple[str | int | float | None, str]))
    except msgspec.MsgspecError as error:
        raise _no_cursor(cursor) from error


def _no_cursor(cursor: str) -> BadInputError:
    return BadInputError(f"{cursor[:100]!r} is no cursor of this search: send back the cursor of the page before.")

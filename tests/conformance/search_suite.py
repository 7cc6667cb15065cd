"""What every search engine answers, beyond what every store keeps: texts in many languages, filters, facets, paging.

A module gives the fixture ``found`` (a store and a target that is filled with ``ITEMS``) and a class::

    class TestTantivy(SearchSuite): ...
"""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from entrepot.base.engine_limits import SEARCH_VALUES_MAX
from entrepot.base.errors import BadInputError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Slot, Target
from entrepot.engines.search.languages import spaced
from entrepot.engines.search.port import (
    AllOf,
    AnyOf,
    Best,
    Between,
    Bucket,
    Clause,
    Everything,
    Facet,
    Match,
    Near,
    OneOf,
    Preferring,
    Query,
    RangesFacet,
    SearchStore,
    Sort,
    SpreadFacet,
    SpreadRangesFacet,
    TermsFacet,
    Weighed,
)
from entrepot.engines.search.shape import UNSAID
from tests.conformance.search_items import COUNTED, ITEMS, SHAPE, SPOKEN

SIZES = [f"{name}.{key}" for name in ("sizes", "lengths") for key in ("whole", "real", "half")]
THINGS = Match(text="counted", fields={"title": 1.0}, locale="en")


@dataclass(frozen=True)
class Filled:
    """A store and the target in it that holds ``ITEMS``."""

    store: SearchStore
    target: Target

    async def ids(self, where: Clause, **query: object) -> list[str]:
        """Return the ids found, in their order, across all pages."""
        found: list[str] = []
        cursor = ""
        while True:
            page = await self.store.search(self.target, Query(where=where, cursor=cursor, **query))  # type: ignore[arg-type]  # keywords of Query
            found += [hit.id for hit in page.hits]
            cursor = page.cursor
            if not cursor:
                return found


def _values(item: Item, field: str) -> list[object]:
    name, _, key = field.partition(".")
    value = (item.body or {}).get(name)
    value = value.get(key) if isinstance(value, dict) else value
    return value if isinstance(value, list) else [value]


def _holds(item: Item, filters: Sequence[OneOf | Between], but: str = "") -> bool:
    for each in filters:
        values = _values(item, each.field)
        if each.field == but:
            continue
        if isinstance(each, OneOf) and not set(values) & set(each.values):
            return False
        if isinstance(each, Between):
            number = values[0]
            if not isinstance(number, int) or number < (each.low or 0) or number >= (each.below or 10**9):
                return False
    return True


_filters = st.lists(
    st.one_of(
        st.builds(OneOf, st.just("tags"), st.lists(st.sampled_from(["t0", "t1", "t2", "no"]), min_size=1).map(tuple)),
        st.builds(OneOf, st.just("facts.colour"), st.lists(st.sampled_from(["red", "blue"]), min_size=1).map(tuple)),
        st.builds(OneOf, st.sampled_from(["facts.a.b c-d", "labels.a.b c-d"]), st.just(("1",))),
        st.builds(OneOf, st.just("labels.colour"), st.lists(st.sampled_from(["red", "blue"]), min_size=1).map(tuple)),
        st.builds(Between, st.just("rank"), st.integers(0, 5), st.integers(5, 10)),
        st.builds(Between, st.just("price.GB"), st.integers(0, 2000) | st.none(), st.integers(2000, 4000) | st.none()),
    ),
    max_size=3,
    unique_by=lambda each: each.field,
)


def sizes_of(field: str) -> list[float]:
    """Return the numbers that the counted items have of a size."""
    return [value for item in COUNTED for value in _values(item, field) if isinstance(value, int | float)]


def in_ranges(numbers: Sequence[float], edges: Sequence[float]) -> list[Bucket]:
    """Return, counted by hand, how many numbers lie below the first edge, between each two, and from the last on."""
    bounds = list(itertools.pairwise([-math.inf, *edges, math.inf]))
    return [Bucket(low, sum(low <= number < below for number in numbers)) for low, below in bounds]


class SearchSuite:
    """What every search engine answers. Subclass it where ``filled`` is in reach."""

    @pytest.mark.parametrize(("locale", "title", "typed"), SPOKEN, ids=[f"{locale}-{typed}" for locale, _, typed in SPOKEN])
    async def test_a_title_is_found_in_its_language_by_another_form_of_its_words(
        self, filled: Filled, locale: str, title: str, typed: str
    ) -> None:
        number = SPOKEN.index((locale, title, typed))
        assert f"spoken/{number:02}" in await filled.ids(Match(text=typed, fields={"title": 1.0}, locale=locale))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(filters=_filters)
    async def test_hits_total_and_facets_agree_with_counting_by_hand(
        self, filled: Filled, filters: list[OneOf | Between]
    ) -> None:
        facets: dict[str, Facet] = {
            "tags": TermsFacet("tags"),
            "colour": TermsFacet("facts.colour"),
            "label": TermsFacet("labels.colour"),
            "rank": RangesFacet("rank", (3, 6)),
        }
        found = await filled.store.search(filled.target, Query(where=THINGS, filters=tuple(filters), facets=facets, limit=100))
        kept = [item for item in COUNTED if _holds(item, filters)]
        assert sorted(hit.id for hit in found.hits) == [item.id for item in kept]
        assert found.total == len(kept)
        for name, field in (("tags", "tags"), ("colour", "facts.colour"), ("label", "labels.colour")):
            under_others = [item for item in COUNTED if _holds(item, filters, but=field)]
            expected = Counter(value for item in under_others for value in _values(item, field))
            assert {bucket.value: bucket.count for bucket in found.facets[name]} == expected

    async def test_ranges_hold_their_lower_bound_and_not_their_upper(self, filled: Filled) -> None:
        ranks = RangesFacet("rank", (3, 6))
        found = await filled.store.search(filled.target, Query(where=THINGS, facets={"rank": ranks}, limit=0))
        assert [bucket.count for bucket in found.facets["rank"]] == [12, 12, 16]
        assert found.hits == []

    @pytest.mark.parametrize("field", SIZES)
    async def test_a_bound_may_have_a_fraction_whatever_numbers_there_are(self, filled: Filled, field: str) -> None:
        numbers = sizes_of(field)
        bounds = [None, -2.0, -1.5, -1, -0.5, 0.0, 0.25, 1, 1.5, 3.5]
        asked = [Between(field, low, below) for low, below in itertools.product(bounds, bounds)]
        expected = [
            sum((each.low is None or each.low <= number) and (each.below is None or number < each.below) for number in numbers)
            for each in asked
        ]
        assert await filled.store.count(filled.target, asked) == expected

    async def test_a_spread_says_where_the_numbers_lie(self, filled: Filled) -> None:
        spread = SpreadFacet("price.GB", (50.0,))
        found = await filled.store.search(filled.target, Query(where=THINGS, facets={"price": spread}, limit=0))
        assert float(found.facets["price"][0].value) == pytest.approx(2000, rel=0.1)

    @pytest.mark.parametrize("field", SIZES)
    async def test_a_bound_of_ranges_may_have_a_fraction_whatever_numbers_there_are(self, filled: Filled, field: str) -> None:
        ranges = RangesFacet(field, (-1.5, 0.0, 0.5, 1.0))
        found = await filled.store.search(filled.target, Query(where=THINGS, facets={"sizes": ranges}, limit=0))
        assert found.facets["sizes"] == in_ranges(sizes_of(field), ranges.bounds)

    @pytest.mark.parametrize("field", SIZES)
    async def test_ranges_as_numbers_are_spread_lie_at_round_numbers(self, filled: Filled, field: str) -> None:
        asked = SpreadRangesFacet(field, (20.0, 50.0, 80.0))
        found = await filled.store.search(filled.target, Query(where=THINGS, facets={"sizes": asked}, limit=0))
        ordered = sorted(sizes_of(field))
        edges = sorted({ordered[len(ordered) * percent // 100] for percent in (20, 50, 80)})
        assert found.facets["sizes"] == in_ranges(ordered, edges)

    @pytest.mark.parametrize("field", ["sizes.none", "lengths.none"])
    async def test_ranges_of_a_number_that_nothing_has_are_none(self, filled: Filled, field: str) -> None:
        asked = SpreadRangesFacet(field, (50.0,))
        found = await filled.store.search(filled.target, Query(where=THINGS, facets={"sizes": asked}, limit=0))
        assert found.facets["sizes"] == []

    @pytest.mark.parametrize("name", ["sizes", "lengths"])
    async def test_ranges_are_counted_however_many_different_numbers_there_are(self, filled: Filled, name: str) -> None:
        many = Target("many", 1, SHAPE)
        await filled.store.drop(many)  # what a run that was killed may have left in a lasting engine
        await filled.store.create(many)
        numbers = range(2 * SEARCH_VALUES_MAX)
        items = [Item(f"many/{number:04}", 1, {"tags": ["all"], name: {"half": number / 2}}) for number in numbers]
        await filled.store.apply(many, Slot(1), items, Position(1, 1))
        asked = Query(facets={"sizes": SpreadRangesFacet(f"{name}.half", (25.0, 75.0))}, limit=0)
        found = (await filled.store.search(many, asked)).facets["sizes"]
        # Where they lie may be told roughly, by some of the items; how many lie in each range may not.
        assert len(found) > 1
        assert found == in_ranges([number / 2 for number in numbers], [float(each.value) for each in found[1:]])
        await filled.store.drop(many)

    async def test_a_facet_may_be_compared_with_all_items(self, filled: Filled) -> None:
        asked = Query(where=THINGS, filters=(Between("rank", 0, 3),), facets={"tags": TermsFacet("tags", compared=True)})
        (everything, *_) = (await filled.store.search(filled.target, asked)).facets["tags"]
        assert (everything.value, everything.count, everything.everywhere) == ("all", 12, 40)

    @pytest.mark.parametrize("sort", [None, Sort("rank"), Sort("price.GB", descending=True), Sort("facts.colour")])
    @pytest.mark.parametrize("limit", [1, 7, 40])
    async def test_pages_show_every_item_once(self, filled: Filled, sort: Sort | None, limit: int) -> None:
        ids = await filled.ids(THINGS, sort=sort, limit=limit)
        assert sorted(ids) == [item.id for item in COUNTED]

    @pytest.mark.parametrize("descending", [False, True])
    async def test_items_are_sorted_by_the_field_and_those_without_it_come_last(
        self, filled: Filled, *, descending: bool
    ) -> None:
        ids = await filled.ids(THINGS, sort=Sort("price.GB", descending=descending), limit=9)
        priced = sorted((item.id for item in COUNTED if item.body and item.body["price"]), reverse=descending)
        assert ids[:30] == priced
        assert len(ids) == len(COUNTED)

    async def test_by_a_sparse_map_nothing_is_sorted(self, filled: Filled) -> None:
        with pytest.raises(BadInputError, match="sparse map"):
            await filled.store.search(filled.target, Query(where=THINGS, sort=Sort("lengths.half")))

    @pytest.mark.parametrize("cursor", ["{nonsense", "9" * 5000, '{"by": 1, "id": "x"}'])
    async def test_a_cursor_that_was_not_given_is_refused(self, filled: Filled, cursor: str) -> None:
        for sort in (None, Sort("rank")):
            with pytest.raises(BadInputError, match="no cursor"):
                await filled.store.search(filled.target, Query(where=THINGS, cursor=cursor, sort=sort))

    async def test_a_field_that_is_not_there_is_refused_by_name(self, filled: Filled) -> None:
        with pytest.raises(BadInputError, match="no field"):
            await filled.store.search(filled.target, Query(filters=(OneOf("colour", ("red",)),)))

    async def test_clauses_combine(self, filled: Filled) -> None:
        odd, even = (Match(text=word, fields={"title": 1.0}, locale="en") for word in ("odd", "even"))
        expected: list[tuple[Clause, int]] = [
            (Everything(), len(ITEMS)),
            (AllOf((THINGS, odd)), 20),
            (AllOf((odd, even)), 0),
            (AnyOf((odd, even)), 40),
            (AnyOf((odd, even, THINGS), 2), 40),
            (AnyOf((odd, even, THINGS), 3), 0),
            (Best((odd, even)), 40),
            (Preferring(odd, (even,)), 20),
            (Weighed(odd, 3.0, flat=True), 20),
        ]
        counts = await filled.store.count(filled.target, [clause for clause, _ in expected])
        assert counts == [count for _, count in expected]
        assert await filled.store.count(filled.target, []) == []

    async def test_what_is_searched_and_counted_at_once_is_what_either_finds_alone(self, filled: Filled) -> None:
        query = Query(where=THINGS, facets={"tags": TermsFacet("tags")}, limit=3)
        clauses: list[Clause] = [Everything(), OneOf("tags", ("t2",))]
        alone = await filled.store.search(filled.target, query), await filled.store.count(filled.target, clauses)
        assert await filled.store.search_and_count(filled.target, query, clauses) == alone
        assert await filled.store.search_and_count(filled.target, query, []) == (alone[0], [])
        with pytest.raises(BadInputError, match="no cursor"):
            await filled.store.search_and_count(filled.target, structs.replace(query, cursor="{nonsense"), clauses)

    @pytest.mark.parametrize(("field", "word", "length"), [("words", "n5", 3), ("codes", "c13", 1)])
    async def test_a_word_weighs_what_the_formula_says(self, filled: Filled, field: str, word: str, length: int) -> None:
        """So that what counts flat has the same weight beside it on every engine, and a text the same order.

        All items count, also those that leave the field empty; such a one counts as a word long.
        """
        [hit] = (await filled.store.search(filled.target, Query(where=Match(text=word, fields={field: 1.0})))).hits
        said = [" ".join(map(str, filter(None, _values(item, field)))) for item in ITEMS]
        lengths = 0.25 + 0.75 * length * len(ITEMS) / sum(max(1, len(spaced(each).split())) for each in said)
        weight = math.log(1 + (len(ITEMS) - 0.5) / 1.5) * 2.2 / (1 + 1.2 * lengths)
        assert hit.score == pytest.approx(weight, rel=0.02)

    async def test_what_an_item_leaves_empty_is_found_by_no_word(self, filled: Filled) -> None:
        fields = {"title": 1.0, "words": 1.0, "codes": 1.0}
        asked: list[Clause] = [Match(text=UNSAID, fields=fields, locale=each, prefix=True) for each in ("en", "ja")]
        assert await filled.store.count(filled.target, asked) == [0, 0]
        assert UNSAID not in [each.text for each in await filled.store.words(filled.target, "words", "", limit=1_000)]

    async def test_what_is_preferred_comes_first(self, filled: Filled) -> None:
        wish = Weighed(OneOf("tags", ("t2",)), 50.0, flat=True)
        page = await filled.store.search(filled.target, Query(where=Preferring(THINGS, (wish,)), limit=13))
        assert [hit.body["rank"] for hit in page.hits] != []
        assert all("t2" in str(hit.body["tags"]) for hit in page.hits)

    async def test_typing_errors_beginnings_and_phrases_match_when_asked_for(self, filled: Filled) -> None:
        title = {"title": 1.0}
        asked = [
            Match(text="countde", fields=title, locale="en"),
            Match(text="countde", fields=title, locale="en", edits=1),
            Match(text="coun", fields={"words": 1.0}, prefix=True),
            Match(text="thing odd", fields=title, locale="en", slop=0),
            Match(text="odd thing", fields=title, locale="en", slop=0),
        ]
        assert await filled.store.count(filled.target, asked) == [0, 40, 40, 20, 0]

    async def test_words_that_begin_so_are_listed_by_how_frequent_they_are(self, filled: Filled) -> None:
        words = await filled.store.words(filled.target, "words", "n3", limit=3)
        assert {word.text for word in words} <= {f"n{number}" for number in (3, *range(30, 40))}
        among = await filled.store.words(filled.target, "words", "E", AllOf((THINGS, OneOf("tags", ("t0",)))))
        assert [(word.text, word.count) for word in among] == [("even", 7)]

    async def test_words_are_listed_only_of_a_field_that_says_so(self, filled: Filled) -> None:
        with pytest.raises(BadInputError, match="those of words are"):
            await filled.store.words(filled.target, "codes", "a")
        with pytest.raises(BadInputError, match="not listed"):
            await filled.store.near(filled.target, "codes", "abc", 1)

    async def test_words_near_a_text_are_listed_the_nearest_first(self, filled: Filled) -> None:
        async def near(text: str, edits: int, start: str = "") -> list[tuple[str, int]]:
            found = await filled.store.near(filled.target, "words", text, edits, start)
            return [(each.text, each.errors) for each in found]

        assert await near("countde", 1) == [("counted", 1)]  # a swap is one error
        assert await near("xountee", 2) == [("counted", 2)]
        assert await near("xountee", 1) == await near("countde", 1, "x") == []
        assert (await near("evn", 2))[0] == ("even", 1)

    async def test_words_near_a_text_are_those_of_the_last_commit(self, filled: Filled) -> None:
        grown = Target("grown", 1, SHAPE)
        await filled.store.drop(grown)  # what a run that was killed may have left in a lasting engine
        await filled.store.create(grown)
        for number, words in enumerate(("cables", "cable")):
            await filled.store.apply(grown, Slot(1), [Item(words, 1, {"words": words})], Position(number, number))
            near = await filled.store.near(grown, "words", "cabel", 2)
            assert near[0] == Near(words, 1, 2 - number)

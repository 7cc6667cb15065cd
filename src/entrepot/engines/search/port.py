"""What a search engine must answer: a store of items, and a query made of a few neutral parts.

Owns the words of the port; knows no product and no business word. Every part has a plain counterpart in tantivy and in
Elasticsearch (named beside it). A field is written as the shape names it: ``brand``, or ``price.GB`` for one key of a map.
Which analyzer a text field uses follows from the shape and the locale, so a query names fields and locale, never analyzers.

The shape (``shape.json``) is ``{"fields": {name: {"type": ...}}}`` with the types ``keyword`` (exact, one or many),
``integer``, ``text`` (``"localized": true``: a map of locale to text, analyzed by language; else folded words, which
``"listed": true`` lets be listed by ``words`` and ``near``),
``keyword_map`` and ``number_map`` (``"sparse": true``: thousands of keys, each on few items, by which nothing is sorted).
Keys of a body that the shape does not name are kept, not indexed.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from entrepot.base.projection import Store, Target

Value: TypeAlias = str | int


class Everything(Struct, frozen=True):
    """Every item (``match_all``)."""


class Match(Struct, frozen=True, kw_only=True):
    """All words of ``text`` occur in one of the fields; the best field counts by its boost (``dis_max`` of ``match``).

    ``edits`` allows that many typing errors in a word, ``prefix`` takes the last word as a beginning, ``slop`` wants the words
    in their order and that close (``match_phrase``).
    """

    text: str
    fields: Mapping[str, float]
    locale: str = ""
    edits: int = 0
    prefix: bool = False
    slop: int | None = None


class OneOf(Struct, frozen=True):
    """The field has one of these exact values (``terms``)."""

    field: str
    values: tuple[Value, ...]


class Between(Struct, frozen=True):
    """The number is ``low`` or more and less than ``below``; None is no bound (``range`` of ``gte`` and ``lt``, ``exists``)."""

    field: str
    low: int | float | None = None
    below: int | float | None = None


class AllOf(Struct, frozen=True):
    """Every part holds; scores add up (``bool.must``)."""

    parts: tuple["Clause", ...]


class AnyOf(Struct, frozen=True):
    """At least so many parts hold; scores add up (``bool.should``, ``minimum_should_match``)."""

    parts: tuple["Clause", ...]
    at_least: int = 1


class Best(Struct, frozen=True):
    """At least one part holds; the best counts, the others by ``tie`` (``dis_max``)."""

    parts: tuple["Clause", ...]
    tie: float = 0.0


class Preferring(Struct, frozen=True):
    """``part`` selects; items for which a preference holds score more (``bool.must`` with ``should``)."""

    part: "Clause"
    preferences: tuple["Clause", ...]


class Weighed(Struct, frozen=True):
    """``flat``: the part counts exactly ``weight`` (``constant_score``); else its score times the weight (``boost``)."""

    part: "Clause"
    weight: float
    flat: bool = False


Clause: TypeAlias = Everything | Match | OneOf | Between | AllOf | AnyOf | Best | Preferring | Weighed


class TermsFacet(Struct, frozen=True):
    """Count the items by value of a field, the most frequent first (``terms``).

    ``compared`` tells beside each value in how many items of the whole index it occurs (``significant_terms``), roughly:
    what was deleted a moment ago may still count, and what was added a moment ago may not yet.
    """

    field: str
    size: int = 20
    compared: bool = False


class RangesFacet(Struct, frozen=True):
    """Count the items between bounds: ``bounds`` (10, 20) makes below 10, 10 to below 20, and 20 and more."""

    field: str
    bounds: tuple[float, ...]


class SpreadFacet(Struct, frozen=True):
    """The numbers at these percentages of the items, by which ranges can be chosen (``percentiles``)."""

    field: str
    percents: tuple[float, ...]


class SpreadRangesFacet(Struct, frozen=True):
    """Count the items in ranges as their numbers lie: the bounds are round numbers at or near these percentages of them.

    Buckets are those of a ``RangesFacet``, none where no item has the number. Asked so it is one question, where a spread and
    ranges chosen by it are two.
    """

    field: str
    percents: tuple[float, ...]


Facet: TypeAlias = TermsFacet | RangesFacet | SpreadFacet | SpreadRangesFacet


class Sort(Struct, frozen=True):
    """Order by a field; ties by id; items without the field come last."""

    field: str
    descending: bool = False


class Query(Struct, frozen=True, kw_only=True):
    """One question. A facet is counted under all filters except those on its own field, so that values can be added.

    ``where`` selects and scores; ``filters`` only select, each on the field it names; ``sort`` None is by score.
    ``cursor`` is what the page before gave. ``counted`` False leaves out how many match in all (``track_total_hits``).
    """

    where: Clause = Everything()
    filters: tuple[OneOf | Between, ...] = ()
    facets: Mapping[str, Facet] = {}
    sort: Sort | None = None
    limit: int = 20
    cursor: str = ""
    counted: bool = True


class Hit(Struct, frozen=True):
    """One item found, its body as stored."""

    id: str
    score: float
    body: dict[str, object]


class Bucket(Struct, frozen=True):
    """One value of a facet (a range: its lower bound; a spread: the number) and how many items have it, here and everywhere."""

    value: str | int | float
    count: int
    everywhere: int = 0


class Found(Struct, frozen=True, kw_only=True):
    """A page of hits, how many items match in all (0 if not counted), and the facets; ``cursor`` empty says the end."""

    hits: Sequence[Hit]
    total: int
    facets: Mapping[str, Sequence[Bucket]]
    cursor: str = ""


class Word(Struct, frozen=True):
    """A word as it stands in a field, and in how many items."""

    text: str
    count: int


class Near(Struct, frozen=True):
    """A word as it stands in a field, in how many items, and how many typing errors lie between it and another."""

    text: str
    count: int
    errors: int


class SearchStore(Store, Protocol):
    """A store that also answers questions. Reads see a commit of another process within about 100 ms."""

    async def search(self, target: Target, query: Query) -> Found:
        """Return what the query asks for; a target that was never made is an ``EngineAwayError``."""
        ...

    async def count(self, target: Target, clauses: Sequence[Clause]) -> list[int]:
        """Return how many items each clause selects."""
        ...

    async def search_and_count(self, target: Target, query: Query, clauses: Sequence[Clause]) -> tuple[Found, list[int]]:
        """Return what the query asks for, and beside it how many items each clause selects, in one round trip."""
        ...

    async def words(self, target: Target, field: str, start: str, among: Clause | None = None, limit: int = 20) -> list[Word]:
        """Return the words of a folded field that begin so, the most frequent first, of all items or of those selected."""
        ...

    async def near(self, target: Target, field: str, text: str, edits: int, start: str = "") -> list[Near]:
        """Return the words of a folded field that begin so, at most so many typing errors from a folded text.

        To change, add, drop or swap letters is an error each; the nearest and most frequent comes first (``term`` suggester).
        """
        ...

    async def close(self) -> None:
        """Let go of files and threads."""
        ...

"""What a series engine can do, whichever product it is, and what a point is.

A point's name, tags and time are its identity: the same point again overwrites, field by field, so that whatever was sent
without an answer is sent again. Numbers are floats everywhere: an engine that fixes a field's type by its first value never
meets another. No personal data belongs here: nothing is deleted but by age.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

POINTS_AT_ONCE = 5_000
# Of so many kinds of points (name, tags, names of fields) it is remembered what was found of them.
KINDS_KNOWN_MAX = 10_000
# How long points are kept as they came, and in the minutes that they are summed up to.
RAW_HOURS = 48
MINUTES_DAYS = 90
MINUTE_NS = 60_000_000_000
ANSWER_SECONDS_MAX = 10.0

Tier: TypeAlias = Literal["raw", "minutes"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAG_CHARS_MAX = 200


class Point(Struct, frozen=True, array_like=True, gc=False):
    """Numbers at one moment (nanoseconds since 1970)."""

    name: str
    tags: dict[str, str]
    fields: dict[str, float]
    at_ns: int


class Span(Struct, frozen=True):
    """What one field was in one step of time: how many values, their sum, the least and the most."""

    at_ns: int
    tags: Mapping[str, str]
    count: int
    added: float
    least: float
    most: float


class Asked(Struct, frozen=True, kw_only=True):
    """A question: a field of points of a name, from a moment until before another, by steps and by the values of tags."""

    name: str
    field: str
    since_ns: int
    until_ns: int
    step_ns: int = MINUTE_NS
    by: Sequence[str] = ()
    tier: Tier = "raw"


class PointRefusal(Struct, frozen=True):
    """A point that can never be kept, and why; its neighbours were."""

    point: Point
    reason: str


class SeriesStore(Protocol):
    """Numbers over time. An engine that does not answer is an ``EngineAwayError``; then nothing is known of what was sent."""

    async def open(self) -> None:
        """Connect, and make the two tiers with their retention, where the product lets clients do that."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...

    async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
        """Keep these points; what is older than the tier keeps is passed over silently: it would be gone again."""
        ...

    async def spans(self, asked: Asked) -> list[Span]:
        """Return what a field was, by step and by tags; steps without a value are left out. Ordered by time, then tags."""
        ...

    async def points(self, name: str, since_ns: int, until_ns: int, tier: Tier = "raw") -> list[Point]:
        """Return every point of a name from a moment until before another, as it was written; to be written elsewhere."""
        ...


def why_not(point: Point) -> str:
    """Say why no engine keeps this point; nothing is said of one that every engine does."""
    if reason := _why_no_such(point.name, tuple(point.tags.items()), tuple(point.fields)):
        return reason
    if not all(map(math.isfinite, point.fields.values())):
        bad = next(name for name, value in point.fields.items() if not math.isfinite(value))
        return f"{bad} of {point.name} is no number that is kept: leave it out."
    return ""


@lru_cache(KINDS_KNOWN_MAX)
def _why_no_such(name: str, tags: tuple[tuple[str, str], ...], fields: tuple[str, ...]) -> str:
    """Say why no point of this name, these tags and fields is kept; they come by the thousand, so it is remembered."""
    if bad := [each for each in (name, *(tag for tag, _ in tags), *fields) if not _NAME.fullmatch(each)]:
        return f"{bad[0]!r} is no name: small letters, digits and _ name points, tags and fields."
    if not fields:
        return f"{name} has no number."
    for tag, text in tags:
        if not text or len(text) > _TAG_CHARS_MAX or not text.isprintable() or text.endswith("\\"):
            return f"{tag} of {name} is {text[:_TAG_CHARS_MAX]!r}: a tag has 1 to {_TAG_CHARS_MAX} printable characters."
    return ""


def sound(points: Sequence[Point]) -> tuple[list[Point], list[PointRefusal]]:
    """Return the points that every engine keeps, and a refusal of each other: a bad line would take its batch with it."""
    refused = [PointRefusal(point, reason) for point in points if (reason := why_not(point))]
    if not refused:
        return list(points), []
    bad = {id(refusal.point) for refusal in refused}
    return [point for point in points if id(point) not in bad], refused


def rolled(name: str, field: str, spans: Sequence[Span]) -> list[Point]:
    """Return the points of the minutes' tier that say what these spans were; to write them again changes nothing."""
    return [
        Point(
            name,
            dict(span.tags),
            {
                f"{field}_count": float(span.count),
                f"{field}_added": span.added,
                f"{field}_least": span.least,
                f"{field}_most": span.most,
            },
            span.at_ns,
        )
        for span in spans
    ]

"""What every product of the series role keeps. A module gives ``series``, an open store, and a ``TestX(SeriesSuite)``."""

import itertools
import time

from entrepot.base.ids import IdSource
from entrepot.engines.series.port import MINUTE_NS, RAW_HOURS, Asked, Point, SeriesStore, Span, rolled

NOW_NS = time.time_ns() // MINUTE_NS * MINUTE_NS - 10 * MINUTE_NS
_numbers = itertools.count(1)


def name() -> str:
    """Return a name that no other test, nor another run on a lasting engine, has."""
    return f"test_{IdSource().fresh().hex}_{next(_numbers)}"


def point(of: str, second: float, value: float, **tags: str) -> Point:
    """Return a point of a second after ``NOW_NS``."""
    return Point(of, tags, {"value": value}, NOW_NS + int(second * 1e9))


def asked(of: str, *by: str, minutes: int = 5) -> Asked:
    """Return a question for the minutes from ``NOW_NS`` on."""
    return Asked(name=of, field="value", since_ns=NOW_NS, until_ns=NOW_NS + minutes * MINUTE_NS, by=by)


def whole(one: Point) -> tuple[int, frozenset[tuple[str, str]], frozenset[tuple[str, float]]]:
    """Return all that a point says, in whatever order."""
    return one.at_ns, frozenset(one.tags.items()), frozenset(one.fields.items())


class SeriesSuite:
    """What every series engine keeps."""

    async def test_values_are_summed_up_by_the_minute(self, series: SeriesStore) -> None:
        of = name()
        assert not await series.write([point(of, 1, 2.0), point(of, 59.9, 4.5), point(of, 60, 8.0)])
        assert await series.spans(asked(of)) == [
            Span(NOW_NS, {}, 2, 6.5, 2.0, 4.5),
            Span(NOW_NS + MINUTE_NS, {}, 1, 8.0, 8.0, 8.0),
        ]

    async def test_a_batch_sent_again_changes_nothing_and_the_same_point_overwrites(self, series: SeriesStore) -> None:
        of = name()
        batch = [point(of, second, 1.0) for second in range(100)]
        for _ in range(3):
            await series.write(batch)
        await series.write([point(of, 7, 5.0)])
        assert [(span.count, span.added) for span in await series.spans(asked(of))] == [(60, 64.0), (40, 40.0)]

    async def test_tags_keep_values_apart_and_bring_them_together(self, series: SeriesStore) -> None:
        of = name()
        strange = ("a b", "x,y=z", 'quo"te', "Zürich", "自行车", "back\\slash in")
        await series.write([point(of, 1, float(number), tag=text, other="o") for number, text in enumerate(strange)])
        by_tag = await series.spans(asked(of, "tag"))
        assert {span.tags["tag"]: span.added for span in by_tag} == {text: float(n) for n, text in enumerate(strange)}
        assert [(span.count, span.added) for span in await series.spans(asked(of))] == [(6, 15.0)]

    async def test_a_nanosecond_tells_two_points_apart(self, series: SeriesStore) -> None:
        of = name()
        await series.write([Point(of, {}, {"value": 1.0}, NOW_NS + number) for number in range(3)])
        assert [span.count for span in await series.spans(asked(of))] == [3]

    async def test_what_no_engine_keeps_is_refused_beside_its_neighbours(self, series: SeriesStore) -> None:
        of = name()
        bad = [
            Point("No Name", {}, {"value": 1.0}, NOW_NS),
            Point(of, {}, {}, NOW_NS),
            Point(of, {}, {"value": float("nan")}, NOW_NS),
            Point(of, {"tag": "line\nbreak"}, {"value": 1.0}, NOW_NS),
            Point(of, {"tag": ""}, {"value": 1.0}, NOW_NS),
        ]
        refused = await series.write([point(of, 1, 1.0), *bad, point(of, 2, 1.0)])
        assert [refusal.point for refusal in refused] == bad
        assert all(refusal.reason for refusal in refused)
        assert [span.count for span in await series.spans(asked(of))] == [2]

    async def test_what_is_too_old_takes_nobody_with_it(self, series: SeriesStore) -> None:
        of = name()
        old = Point(of, {}, {"value": 1.0}, NOW_NS - 2 * RAW_HOURS * 60 * MINUTE_NS)
        assert not await series.write([point(of, 1, 1.0), old, point(of, 2, 1.0)])
        assert [span.count for span in await series.spans(asked(of))] == [2]

    async def test_minutes_are_rolled_up_into_the_tier_that_is_kept_longer(self, series: SeriesStore) -> None:
        of = name()
        await series.write([point(of, second, float(second), tag="a") for second in range(120)])
        rolls = rolled(of, "value", await series.spans(asked(of, "tag")))
        for _ in range(2):
            assert not await series.write(rolls, "minutes")
        kept = Asked(
            name=of, field="value_added", since_ns=NOW_NS, until_ns=NOW_NS + 5 * MINUTE_NS, by=("tag",), tier="minutes"
        )
        assert [(span.tags, span.added) for span in await series.spans(kept)] == [
            ({"tag": "a"}, 1770.0),
            ({"tag": "a"}, 5370.0),
        ]

    async def test_a_name_without_points_has_no_spans(self, series: SeriesStore) -> None:
        assert await series.spans(asked(name())) == []

    async def test_points_come_back_whole_as_they_were_written(self, series: SeriesStore) -> None:
        of, tags = name(), {"tag": "a b", "other": "Zürich"}
        written = [
            Point(of, tags, {"value": 1.5, "more": -2.0}, NOW_NS + 1),
            Point(of, {"tag": "a b"}, {"value": 3.0}, NOW_NS + 1),
            Point(of, {}, {"more": 4.0}, NOW_NS + MINUTE_NS),
        ]
        await series.write([*written, Point(of, {}, {"more": 9.0}, NOW_NS + 2 * MINUTE_NS)])
        found = await series.points(of, NOW_NS, NOW_NS + 2 * MINUTE_NS)
        assert set(map(whole, found)) == set(map(whole, written))
        assert len(found) == len(written)
        assert await series.points(of, NOW_NS, NOW_NS + 2 * MINUTE_NS, "minutes") == []

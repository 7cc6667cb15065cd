"""Points become line protocol as InfluxDB reads it, whatever is in their tags; what no engine keeps is told apart."""

import math

from entrepot.engines.series.influxdb import lines
from entrepot.engines.series.port import Point, sound


def test_each_point_is_a_line_with_its_own_numbers() -> None:
    points = [
        Point("seen", {"role": "api"}, {"count": 3.0, "seconds": 0.001}, 1_767_225_600_000_000_001),
        Point("seen", {}, {"count": -1e300}, 2),
    ]
    assert lines(points).decode().split("\n") == [
        "seen,role=api count=3.0,seconds=0.001 1767225600000000001",
        "seen count=-1e300 2",
    ]


def test_what_line_protocol_reads_otherwise_is_escaped_in_tags() -> None:
    (line,) = lines([Point("seen", {"what": "50 %s, a=b é %"}, {"count": 1.0}, 1)]).decode().split("\n")
    assert line == r"seen,what=50\ %s\,\ a\=b\ é\ % count=1.0 1"


def test_points_of_one_kind_are_refused_one_by_one_for_their_numbers() -> None:
    good, bad = (Point("seen", {"role": "api"}, {"count": value}, 1) for value in (1.0, math.inf))
    fit, refused = sound([good, bad, good])
    assert fit == [good, good]
    assert [(one.point, one.reason) for one in refused] == [(bad, "count of seen is no number that is kept: leave it out.")]

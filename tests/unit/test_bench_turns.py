"""What a bench that goes in turns says a mode has lost: by each turn in itself, whatever the machine did from turn to turn."""

import pytest

from entrepot.bench.hot_path import Slice, compared


def test_what_every_turn_loses_is_lost_however_the_machine_drifts() -> None:
    speeds = [10_000.0, 9_000.0, 5_000.0, 12_000.0, 11_000.0]
    first = [Slice(speed, {"ours": 100.0, "theirs": 50.0}) for speed in speeds]
    other = [Slice(speed * 0.92, {"ours": 110.0, "theirs": 55.0}) for speed in speeds]
    seen = compared("all three", other, first)
    assert seen.lost == pytest.approx(0.08)
    assert seen.quarters == pytest.approx((0.08, 0.08))
    assert (seen.per_second, seen.cpu) == (9_200.0, {"ours": 110.0, "theirs": 55.0})
    assert seen.cpu_more == pytest.approx(0.1)


def test_a_turn_that_something_else_has_disturbed_does_not_decide() -> None:
    first = [Slice(10_000.0, {"ours": 100.0})] * 7
    other = [*[Slice(9_500.0, {"ours": 105.0})] * 6, Slice(2_000.0, {"ours": 300.0})]
    assert compared("disturbed", other, first).lost == pytest.approx(0.05)

"""What was read a moment ago: how long it is kept, and how much of it."""

from entrepot.base.recent import Recent
from entrepot.base.time import FixedClock

SECOND = 1_000


def test_a_value_is_kept_for_its_seconds_and_no_longer() -> None:
    clock = FixedClock(SECOND)
    recent = Recent[str, int](clock, 1.0, 10)
    recent["a"] = 1
    clock.now += SECOND - 1
    assert recent.get("a") == 1
    clock.now += 1
    assert recent.get("a") is None


def test_a_clock_that_was_put_back_makes_nothing_younger() -> None:
    clock = FixedClock(10 * SECOND)
    recent = Recent[str, int](clock, 1.0, 10)
    recent["a"] = 1
    clock.now -= 5 * SECOND
    assert recent.get("a") is None


def test_beyond_the_most_the_first_set_goes_first() -> None:
    recent = Recent[str, int](FixedClock(SECOND), 1.0, 2)
    for number, name in enumerate("aba"):
        recent[name] = number
    recent["c"] = 3
    assert [recent.get(name) for name in "abc"] == [2, None, 3]

"""An engine that readers were just moved to is given as many questions at once as it answers soon."""

from entrepot.base.engine_limits import INTAKE_ENOUGH_SECONDS
from entrepot.engines.intake import Intake

SLOW = 0.1


class Asking:
    """Asks second by second."""

    def __init__(self, places: float = 1.0) -> None:
        self.intake, self.now = Intake(SLOW, places), 0.0

    def second(self, come: int, each: float = 0.01) -> int:
        """Have so many come at once, each of whom is answered after so long; return how many were let in."""
        self.now += 1.0
        inside = sum(self.intake.enter(self.now) for _ in range(come))
        for _ in range(inside):
            self.intake.leave(each)
        return inside


def test_one_is_let_in_first_and_more_each_second_as_long_as_answers_are_quick() -> None:
    asking = Asking()
    assert [asking.second(100) for _ in range(8)] == [1, 3, 4, 6, 9, 12, 16, 20]


def test_where_nobody_is_turned_away_for_a_while_all_are_let_in() -> None:
    asking = Asking()
    for _ in range(int(INTAKE_ENOUGH_SECONDS) + 1):
        assert asking.second(1) == 1
    assert asking.second(1_000, each=5 * SLOW) == 1_000
    assert asking.second(1_000) == 1_000


def test_after_a_slow_answer_half_as_many_are_let_in_and_never_fewer_than_one() -> None:
    asking = Asking()
    for _ in range(6):
        asking.second(100)
    assert [asking.second(100, each=2 * SLOW) for _ in range(6)] == [16, 8, 4, 2, 1, 1]


def test_an_intake_of_which_nobody_asks_stays_as_it_is() -> None:
    asking = Asking()
    asking.now += 60.0
    assert asking.second(100) == 1


def test_a_failure_leaves_half_as_many_places_as_were_taken() -> None:
    asking = Asking(places=float("inf"))
    assert all(asking.intake.enter(1.0) for _ in range(20))
    asking.intake.fail()
    for _ in range(20):
        asking.intake.leave(0.01)
    assert asking.second(100) == 10

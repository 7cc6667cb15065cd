"""A process that serves looks for garbage seldom, and still finds it; afterwards all is as it was."""

import gc
import weakref

from entrepot.base.settled import MADE_BEFORE_SEARCH, settled


class Circle:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_left_out_and_what_is_made_in_circles_is_found_all_the_same() -> None:
    before = gc.get_threshold()
    with settled():
        assert gc.get_freeze_count() > 0
        gone = weakref.ref(Circle())
        for_long: list[list[int]] = [[] for _ in range(MADE_BEFORE_SEARCH + 1)]
        assert gone() is None, len(for_long)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0

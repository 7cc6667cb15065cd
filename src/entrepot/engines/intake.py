"""How many questions at once an engine is given that readers were just moved to: as many as it answers soon.

An engine that starts anew is slow at first (a virtual machine compiles what it is asked often, caches are empty), and given all
questions at once it keeps them waiting and gets no quicker. One is let in at first; in each second in which others were
turned away and no answer was slow, a quarter and one more; half as many after a second with a slow one. Where nobody was
turned away for some seconds, all are let in. Knows no engine.
"""

import math

from entrepot.base.engine_limits import INTAKE_ENOUGH_SECONDS, INTAKE_GROWTH, INTAKE_LOOK_SECONDS


class Intake:
    """Gives places, of which each is to be given back; times are those of one clock, in seconds."""

    def __init__(self, slow_seconds: float, places: float) -> None:
        self._slow_seconds, self._places = slow_seconds, places
        self._inside, self._answered, self._enough = 0, 0, 0
        self._was_slow = self._was_full = False
        self._look_at = 0.0

    def enter(self, now: float) -> bool:
        """Take a place; say whether there was one."""
        if now >= self._look_at:
            self._look(now)
        if self._inside >= self._places:
            self._was_full = True
            return False
        self._inside += 1
        return True

    def leave(self, seconds: float) -> None:
        """Give a place back, after so long."""
        self._inside -= 1
        self._answered += 1
        self._was_slow |= seconds > self._slow_seconds

    def fail(self) -> None:
        """Give half as many places from now on, of as many as are taken: an answer did not come at all."""
        self._places, self._enough = max(1.0, min(self._places, self._inside) / 2), 0

    def _look(self, now: float) -> None:
        self._look_at = now + INTAKE_LOOK_SECONDS
        if math.isinf(self._places) or not self._answered:
            return
        if self._was_slow:
            self._places, self._enough = max(1.0, self._places / 2), 0
        elif self._was_full:
            self._places, self._enough = self._places * INTAKE_GROWTH + 1, 0
        else:
            self._enough += 1
            if self._enough * INTAKE_LOOK_SECONDS >= INTAKE_ENOUGH_SECONDS:
                self._places = math.inf
        self._answered, self._was_slow, self._was_full = 0, False, False

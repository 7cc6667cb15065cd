"""Time: UTC inside, and the hybrid logical clock that orders events of several machines.

A clock is always an argument; only ``SystemClock`` reads the machine's.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

LOGICAL_BITS = 16


class Clock(Protocol):
    """What tells the time: milliseconds since 1970 in UTC."""

    def millis(self) -> int:
        """Return now, in milliseconds since 1970 UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def millis(self) -> int:
        """Return now, in milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that stands until it is moved: for tests and for replay at a chosen time."""

    def __init__(self, millis: int) -> None:
        self.now = millis

    def millis(self) -> int:
        """Return the moment it was set to."""
        return self.now


class HybridClock:
    """A hybrid logical clock: 48 bits of milliseconds, 16 of count; never goes back, and never behind what it has seen.

    Source: Kulkarni et al., "Logical Physical Clocks" (2014).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def tick(self, seen: int = 0) -> int:
        """Return a stamp greater than every one given before and than ``seen``, a stamp received from elsewhere."""
        self._last = max(self._last + 1, seen + 1, self._clock.millis() << LOGICAL_BITS)
        return self._last


def stamp_millis(stamp: int) -> int:
    """Return the milliseconds since 1970 UTC of a hybrid stamp."""
    return stamp >> LOGICAL_BITS


def utc(millis: int) -> datetime:
    """Return the moment as an aware datetime in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def millis_of(moment: datetime) -> int:
    """Return milliseconds since 1970 UTC; a naive datetime is refused, since its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"The moment {moment.isoformat()} has no time zone: give one.")
    return int(moment.timestamp() * 1000)

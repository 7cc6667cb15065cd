"""Time: UTC inside, and the hybrid logical clock that orders events of several machines.

A clock is always an argument; only ``SystemClock`` reads the machine's.
"""

import time
from datetime import UTC, datetime
from email.utils import mktime_tz, parsedate_tz
from typing import Protocol

from entrepot.base.errors import BadInputError
from entrepot.base.limits import CLOCKS_APART_SECONDS_MAX

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


OURS: Clock = SystemClock()


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


def check_date(role: str, header: str, ours: Clock) -> None:
    """Refuse a server whose clock is far from ours, by the ``Date`` of its answer over HTTP; one that says none passes."""
    if said := parsedate_tz(header):
        check_together(role, mktime_tz(said) * 1_000, ours.millis())


def check_together(role: str, server: int, ours: int) -> None:
    """Refuse a server whose clock is far from ours (milliseconds since 1970 UTC), before anything is written there.

    A server that ages what it keeps would lose too early what we call new, and our ids would tell of another day than its rows.
    """
    apart = abs(server - ours) / 1000
    if apart > CLOCKS_APART_SECONDS_MAX:
        which = "ahead of" if server > ours else "behind"
        raise BadInputError(
            f"The clock of the server of ENTREPOT_{role.upper()}_URL is {apart:,.0f} s {which} this machine's (there it is "
            f"{utc(server):%F %T} UTC, here {utc(ours):%F %T}), and {CLOCKS_APART_SECONDS_MAX:.0f} s are "
            "the most: have a time server set both. Nothing was written there.",
            role=role,
            seconds=round(apart),
        )

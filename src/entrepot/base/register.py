"""A register: one value that may be written in two places at once; the last writer wins, by hybrid logical stamp.

``latest`` is commutative, associative and idempotent, so registers converge in whatever order their writes arrive.
Source: Johnson, Thomas, "The maintenance of duplicate databases" (RFC 677, 1975); Shapiro et al. (INRIA RR-7506, 2011).
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

Value = TypeVar("Value")


class Register(Struct, Generic[Value], frozen=True, array_like=True):
    """A value and the stamp of its writing (``base.time.HybridClock``); 0 says that nobody has written yet."""

    value: Value
    stamp: int = 0


def latest(first: Register[Value], second: Register[Value]) -> Register[Value]:
    """Return the register written last; of two with one stamp the same one everywhere, whichever comes first here."""
    return max(first, second, key=lambda one: (one.stamp, msgspec.json.encode(one.value, order="deterministic")))


def latest_of_each(first: Mapping[str, Register[Value]], second: Mapping[str, Register[Value]]) -> dict[str, Register[Value]]:
    """Return for each name the register written last."""
    return {name: latest(first.get(name, one), second.get(name, one)) for name, one in {**first, **second}.items()}

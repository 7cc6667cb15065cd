"""Identifiers: UUIDv7, so that keys are ordered by time and every table that ages is partitioned by its own key.

No function here reads a clock or a source of randomness by itself, except the one source made for it: ``IdSource``.
"""

import hashlib
import secrets
from typing import NewType
from uuid import UUID

from uuid_utils import compat

ProductId = NewType("ProductId", UUID)
VariantId = NewType("VariantId", UUID)
CategoryId = NewType("CategoryId", UUID)
OrderId = NewType("OrderId", UUID)
CustomerId = NewType("CustomerId", UUID)
EventId = NewType("EventId", UUID)
Cell = NewType("Cell", int)

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62


class IdSource:
    """Makes fresh UUIDv7s; the one place where ids take time and chance (tests give another source)."""

    def fresh(self) -> UUID:
        """Return a UUIDv7 of this moment, greater than every earlier one of this process."""
        return compat.uuid7()

    def unguessable(self) -> UUID:
        """Return a UUIDv4, 122 bits of chance: for what belongs to whoever knows its id (a cart); it tells of no moment."""
        return compat.uuid4()

    def secret(self) -> bytes:
        """Return 32 bytes of chance: what a token, a key or a challenge is made of."""
        return secrets.token_bytes(32)


def uuid7_at(millis: int, entropy: bytes) -> UUID:
    """Return the UUIDv7 of a moment (milliseconds since 1970 UTC) whose other bits are taken from ``entropy`` (>= 10 bytes)."""
    rand = int.from_bytes(entropy[:10], "big")
    return UUID(
        int=(millis & ((1 << 48) - 1)) << 80 | _VERSION_7 | ((rand >> 68) & 0xFFF) << 64 | _VARIANT | (rand & ((1 << 62) - 1))
    )


def lowest_at(millis: int) -> UUID:
    """Return the lowest UUID of a moment: the bound of a time partition."""
    return UUID(int=(millis & ((1 << 48) - 1)) << 80)


def derived(millis: int, *parts: str) -> UUID:
    """Return the id that a thing known elsewhere by ``parts`` always gets: the same parts, the same id, on every run."""
    return uuid7_at(millis, hashlib.sha256("\x1f".join(parts).encode()).digest())

"""What a memory engine can do: ``MemoryStore`` beyond ``Store``, and ``Cache``, which keeps nothing that would be missed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from entrepot.base.projection import Item, Store, Target


class MemoryStore(Store, Protocol):
    """A store whose readers ask for everything beneath many keys in one call.

    A key is the first two parts of an id (``stock/<variant>`` of ``stock/<variant>/<warehouse>``).
    """

    async def beneath(self, target: Target, keys: Sequence[str]) -> dict[str, list[Item]]:
        """Return for each of these keys the live items whose ids go on from it, by id; a key without any has an empty list."""
        ...


class Cache(Protocol):
    """Bytes under a name for a while.

    Every call may raise ``EngineAwayError``; a caller must be right, if slower, without a cache.
    """

    async def get(self, *names: str) -> list[bytes | None]:
        """Return what is kept under each of these names, or None."""
        ...

    async def keep(self, name: str, value: bytes, seconds: float) -> None:
        """Keep the value under this name for so long."""
        ...

    async def claim(self, name: str, seconds: float) -> bool:
        """Take this name for so long, unless it is taken; says whether it was free: of many, one does the work."""
        ...

    async def add(self, amounts: Mapping[str, int], seconds: float) -> dict[str, int]:
        """Add these amounts to what is counted under these names, kept for so long from now on; returns the sums."""
        ...

    async def forget(self, *names: str) -> None:
        """Keep nothing under these names any more."""
        ...

"""The port of carts: a drawer keeps bytes under a name for a while, and changes them only for who knows what is in it."""

from collections.abc import Sequence
from typing import Protocol


class Drawer(Protocol):
    """Bytes under names, one round trip a call; moments are milliseconds since 1970 UTC. May raise ``EngineAwayError``.

    What ``put`` has answered survives a crash of the engine. A ``put`` whose answer was lost may have been done or not:
    who tries again must be able to tell by what it finds.
    """

    async def load(self, name: str) -> bytes | None:
        """Return what is kept under this name; None when there is nothing, or its time is over."""
        ...

    async def put(self, name: str, was: bytes | None, now: bytes, *, touched: int | None, seconds: float) -> bool:
        """Keep ``now`` for so long if exactly ``was`` is there (None: nothing); says whether it was.

        ``touched`` is when, for ``idle`` to find; None: never again.
        """
        ...

    async def idle(self, before: int, most: int) -> Sequence[tuple[str, int]]:
        """Return names that were last touched before this moment, each with when; not all, if they are more than ``most``."""
        ...

    async def dismiss(self, idle: Sequence[tuple[str, int]]) -> None:
        """Leave these out of ``idle`` until they are touched again; one touched meanwhile stays."""
        ...

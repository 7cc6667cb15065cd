"""The port of sessions and ceremonies: a drawer keeps bytes under a name for a while, and changes them for who knows them."""

from typing import Protocol


class Drawer(Protocol):
    """Bytes under names, one round trip a call. May raise ``EngineAwayError``."""

    async def load(self, name: str) -> bytes | None:
        """Return what is kept under this name; None when there is nothing, or its time is over."""
        ...

    async def put(self, name: str, was: bytes | None, now: bytes, *, touched: int | None, seconds: float) -> bool:
        """Keep ``now`` for so long if exactly ``was`` is there (None: nothing); says whether it was."""
        ...

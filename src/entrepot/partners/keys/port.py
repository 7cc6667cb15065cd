"""What can be asked of whoever keeps the key-encryption key: close a key of ours, open it again. It never gives its own."""

from typing import Protocol

from msgspec import Struct

from entrepot.base.errors import EntrepotError


class Wrapped(Struct, frozen=True):
    """A key of ours as it may lie in a database. ``by`` names the key-encryption key that closed it, and gives nothing away."""

    by: str
    data: bytes


class KeyProvider(Protocol):
    """A keeper. ``KeysRefusedError`` when it has the wrong key or none; ``EngineAwayError`` when it does not answer."""

    @property
    def place(self) -> str:
        """Where it is, for sentences: without a secret."""
        ...

    async def prepare(self) -> None:
        """Make a key-encryption key where there is none; asked only when nothing has been wrapped yet."""
        ...

    async def wrap(self, key: bytes, purpose: str) -> Wrapped:
        """Close a key under the newest key-encryption key; it opens for the same purpose only."""
        ...

    async def unwrap(self, wrapped: Wrapped, purpose: str) -> bytes:
        """Open a key that was wrapped for this purpose, under this key-encryption key or an older one."""
        ...

    async def rotate(self) -> str:
        """Make a new key-encryption key for what is wrapped from now on, and return its name; older ones still open."""
        ...


class KeysRefusedError(EntrepotError):
    """The keeper has no such key, or another one: what is sealed cannot be opened, and nothing was touched."""

    slug = "keys-refused"
    status = 503
    exit_code = 5

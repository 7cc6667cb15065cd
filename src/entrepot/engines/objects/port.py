"""What an objects engine can do: keep whole files by key. It is no ``Store``: nothing in it is projected from the log."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from entrepot.base.errors import EntrepotError


class ObjectDamagedError(EntrepotError):
    """An object is not what was put under its key."""

    slug = "object-damaged"


class ObjectStore(Protocol):
    """Files by key, in the order of their keys' bytes. ``EngineAwayError`` when the engine does not answer."""

    async def put(self, key: str, source: Path) -> None:
        """Keep the file under this key, whole or not at all, in place of what was there."""
        ...

    async def get(self, key: str, destination: Path) -> None:
        """Write the object into this file, or leave it alone; ``NotFoundError``, or ``ObjectDamagedError`` by its checksum."""
        ...

    async def exists(self, key: str) -> bool:
        """Say whether there is an object under this key."""
        ...

    async def delete(self, key: str) -> None:
        """Keep nothing under this key; does nothing if nothing is there."""
        ...

    async def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Return the first 1,000 keys at most that begin with the prefix and come after ``after``; none means that was all."""
        ...


class Version(Struct, frozen=True):
    """One version of a locked object, as it lies there; ``removed`` marks an attempt to delete it."""

    key: str
    data: bytes
    locked: bool
    removed: bool


class LockedObjects(Protocol):
    """Small objects that nobody can change or delete before a moment, not even who has every right.

    A second write of a key, or a deletion, changes nothing: it stands beside the first, for everybody to see.
    """

    async def put(self, key: str, data: bytes, until: datetime) -> bool:
        """Keep this under the key until a moment; returns whether the store promises it."""
        ...

    async def versions(self, prefix: str, after: str = "") -> Sequence[Version]:
        """Return every version of the first keys that come after ``after``, by key, oldest first; none means that was all."""
        ...

    async def close(self) -> None:
        """Give every connection back."""
        ...

"""Passwords: hashed by argon2id in threads of its own, so many at once and so many waiting; known breached ones by a list.

Keeps no password and logs none. Who is not known costs the same hash as who is.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from entrepot.base import limits
from entrepot.base.errors import HouseFullError
from entrepot.base.late import Late

if TYPE_CHECKING:
    from zxcvbn import frequency_lists  # type: ignore[import-untyped]  # it ships no types
else:
    frequency_lists = Late("zxcvbn.frequency_lists")

Found = TypeVar("Found")


@lru_cache(maxsize=1)
def breached() -> frozenset[str]:
    """Return the 30,000 passwords that are found most often in breaches, in small letters."""
    return frozenset(frequency_lists.FREQUENCY_LISTS["passwords"])


class Passwords:
    """Hashes passwords and compares them. The cost is an argument, so that one made under another cost is told apart."""

    def __init__(
        self,
        *,
        passes: int = limits.HASH_PASSES,
        kibibytes: int = limits.HASH_KIBIBYTES,
        lanes: int = limits.HASH_LANES,
        at_once: int = limits.HASHES_AT_ONCE,
        waiting: int = limits.HASHES_WAITING_MAX,
    ) -> None:
        self._hasher = PasswordHasher(passes, kibibytes, lanes)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._taken, self._room = 0, at_once + waiting
        self._nobodys: str | None = None

    async def close(self) -> None:
        """End the threads; what they do is finished first."""
        await asyncio.to_thread(self._threads.shutdown)

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Say whether a password is the one that was kept; for nobody's (None) it takes as long to say no."""
        return await self._run(lambda: self._matches(password, kept)) and kept is not None

    def outdated(self, kept: str) -> bool:
        """Say whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, password: str, kept: str | None) -> bool:
        # Made by whoever is the first to be compared, known or not: few processes that open the door compare anybody.
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's, and never compared for its answer")
        try:
            return self._hasher.verify(kept or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Found]) -> Found:
        if self._taken >= self._room:
            raise HouseFullError("More people sign in at this moment than can be looked at in time: try again shortly.")
        loop = asyncio.get_running_loop()
        doing = self._threads.submit(work)
        self._taken += 1
        # A caller who goes away leaves the thread at work: the place is free only when that has ended.
        doing.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(doing)

    def _leave(self) -> None:
        self._taken -= 1

"""How many reads one caller has in a minute: counted in this process, and added up over all of them in the background.

No read waits for the count. A caller is a person or a key, else a network of the internet, else an address of a network of
ours: a private address is a machine, whose neighbours are others. This machine itself is not counted, unless what comes from it
says that it comes from elsewhere: then it is a proxy. Pages that the hot lane sends from this process's memory are not counted
either: they belong to everybody, and cost less than the count.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import lru_cache

import structlog
from litestar.types import HTTPScope

from entrepot.api.edge import Identification
from entrepot.api.place import header, network_of, place_of
from entrepot.api.principal import who_asks
from entrepot.base.ending import ended
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.limits import (
    CLIENTS_KNOWN_MAX,
    READ_WINDOW_SECONDS,
    READERS_COUNTED_MAX,
    READS_TOLD_EVERY_SECONDS,
    READS_UNTOLD_SHARE,
)
from entrepot.base.principal import ANONYMOUS
from entrepot.base.time import Clock
from entrepot.engines.memory.port import Cache

log = structlog.get_logger()

READS = {"GET", "HEAD"}
_MILLIS = int(READ_WINDOW_SECONDS * 1_000)


class TooManyReadsError(EntrepotError):
    """A caller has read as often as one may in a minute."""

    slug = "too-many-reads"
    status = 429
    exit_code = 8

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(
            f"{most} reads in {READ_WINDOW_SECONDS:.0f} s are all that one caller has: go on in {seconds} s, by larger pages.",
            reads_max=most,
            retry_seconds=seconds,
        )


class ReadBudget:
    """The counts of one process. ``spend`` never waits; ``telling`` adds up what all processes have counted.

    ``named`` makes of a caller the name under which others may know it: no address leaves this process. Without ``most``
    nothing is counted.
    """

    def __init__(self, clock: Clock, most: int, cache: Cache, named: Callable[[str], str]) -> None:
        self._clock, self._most, self._cache, self._named = clock, most, cache, named
        self._worth = max(1, int(most * READS_UNTOLD_SHARE))
        self._window = 0
        self._here: dict[str, int] = {}
        self._elsewhere: dict[str, int] = {}
        self._told: dict[str, int] = {}

    def spend(self, caller: str) -> None:
        """Count a read, or refuse it when this caller has had all of this minute's."""
        now = self._clock.millis()
        if now // _MILLIS != self._window:
            self._begin(now // _MILLIS)
        count = self._here.get(caller, 0) + 1
        if count > 1 or len(self._here) < READERS_COUNTED_MAX:  # beyond, who is new is let through: nothing may fill up
            self._here[caller] = count
        if count == self._worth:
            self._told[caller] = 0
        if count + self._elsewhere.get(caller, 0) > self._most:
            raise TooManyReadsError(self._most, -(-(_MILLIS - now % _MILLIS) // 1_000))

    async def tell(self) -> None:
        """Tell the others what was read here since the last time, by who reads much, and hear what they have counted."""
        window, here = self._window, {caller: self._here[caller] for caller in self._told}
        fresh = {caller: count - self._told[caller] for caller, count in here.items()}
        if not fresh:
            return
        names = {caller: f"reads:{window}:{self._named(caller)}" for caller in fresh}
        with suppress(EngineAwayError):  # each process counts alone meanwhile
            sums = await self._cache.add({names[caller]: more for caller, more in fresh.items()}, 2 * READ_WINDOW_SECONDS)
            if window == self._window:
                self._told |= here
                self._elsewhere |= {caller: sums[name] - here[caller] for caller, name in names.items()}

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Tell the others in the background until the block ends."""
        task = asyncio.create_task(self._until_cancelled())
        try:
            yield
        finally:
            await ended(task)

    def metered(self, identify: Identification, proxies: int) -> Identification:
        """Return what finds out who asks, and counts it when they read."""
        if not self._most:
            return identify

        async def counted(scope: HTTPScope) -> None:
            await identify(scope)
            if scope["method"] in READS and (caller := caller_of(scope, proxies)):
                self.spend(caller)

        return counted

    async def _until_cancelled(self) -> None:
        while True:
            await asyncio.sleep(READS_TOLD_EVERY_SECONDS)
            try:
                await self.tell()
            except Exception as error:  # noqa: BLE001  # a count that fails must not end all counting
                log.warning("reads.not_told", why=str(error))

    def _begin(self, window: int) -> None:
        self._window = window
        self._here, self._elsewhere, self._told = {}, {}, {}


def caller_of(scope: HTTPScope, proxies: int) -> str:
    """Return who reads: a person, a key, a network or a machine; empty for this machine itself."""
    who = who_asks(scope)
    if who is not ANONYMOUS:
        return str(who)
    return _caller(place_of(scope, proxies).address, bool(header(scope, b"x-forwarded-for")))


@lru_cache(maxsize=CLIENTS_KNOWN_MAX)
def _caller(address: str, forwarded: bool) -> str:  # what is remembered is told by position
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a socket has none, and a proxy may not know one
        return f"network/{address or 'unknown'}" if forwarded else ""
    if found.is_loopback and not forwarded:
        return ""
    return f"network/{network_of(address)}" if found.is_global else f"address/{address}"

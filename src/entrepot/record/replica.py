"""A streaming replica of the record, for reads that may be a little old: how old it is at most, and what it has seen.

It is looked at all the time: the primary's end of the write-ahead log is noted with the moment, and once the replica has
replayed that far it is at least as new as that moment. So a replica that stands still, or that nobody feeds, is soon too old,
whatever it says of itself; and clocks of two machines are never compared. Decides nothing: who cannot be answered here asks
the primary (``Record.recent``).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from entrepot.base import limits
from entrepot.base.ending import ended
from entrepot.base.engine_limits import REPLICA_AGE_SECONDS_MAX, REPLICA_ENDS_MAX, REPLICA_LOOK_SECONDS
from entrepot.base.event import Position
from entrepot.record.named import queries
from entrepot.record.pool import UNREACHABLE, Pool, by, open_pool
from entrepot.record.transaction import Connection, NotHereError, give_back, whole

log = structlog.get_logger()

SQL = queries("entrepot.record", "replica.sql")

# Also what PostgreSQL says to a reader in the way of what is replayed.
_FAILS = (*UNREACHABLE, asyncpg.PostgresError)


class Replica:
    """One replica as one process has it. ``why`` says why nobody is answered from it; it is empty while somebody is."""

    def __init__(self, primary: Pool, pool: Pool, tenants: Pool, seconds_max: float) -> None:
        self.why = "it has not been looked at yet"
        self._primary, self._pool, self._tenants, self._seconds = primary, pool, tenants, seconds_max
        self._ends: deque[tuple[float, int]] = deque(maxlen=REPLICA_ENDS_MAX)
        self._as_of = 0.0
        self._task = asyncio.get_running_loop().create_task(self._watch())

    @property
    def age_seconds(self) -> float:
        """How old what it shows is at most."""
        return asyncio.get_running_loop().time() - self._as_of

    @property
    def near(self) -> bool:
        """Whether it answers, and is not older than reads may be."""
        return not self.why and self.age_seconds <= REPLICA_AGE_SECONDS_MAX

    @property
    def sentence(self) -> str:
        """Why nobody is answered from it; empty while somebody is."""
        return "" if self.near else self.why or f"it is {self.age_seconds:.0f} s behind"

    @asynccontextmanager
    async def snapshot(self, at_least: Position | None, *, tenant: bool) -> AsyncIterator[Connection]:
        """Open a snapshot here that has seen this position; ``NotHereError`` where that cannot be, also in the midst of it."""
        if not self.near:
            raise NotHereError(self.sentence)
        pool = self._tenants if tenant else self._pool
        try:
            async with asyncio.timeout(self._seconds):
                connection = await pool.acquire(timeout=self._seconds)
                try:
                    async with whole(connection, connection.transaction(isolation="repeatable_read", readonly=True)):
                        if at_least is not None and not await connection.fetchval(SQL["has_seen"], str(at_least.txid)):
                            raise NotHereError("it has not seen that yet")
                        yield connection
                finally:
                    await give_back(pool, connection)
        except _FAILS as error:
            self._leave(str(error) or type(error).__name__)
            raise NotHereError(self.why) from error

    async def close(self) -> None:
        """Stop looking and give the connections back."""
        await ended(self._task)
        for pool in {self._pool, self._tenants}:
            pool.terminate()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._look()
            except _FAILS as error:
                self._leave(str(error) or f"no answer within {self._seconds:g} s")
            await asyncio.sleep(REPLICA_LOOK_SECONDS)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        cluster: int | None = None
        with contextlib.suppress(*UNREACHABLE):  # without its primary a replica is as new as it was, and grows old
            end = await self._primary.fetchrow(SQL["end"])
            assert end is not None
            cluster = end["cluster"]
            self._ends.append((now, end["at"]))
        seen = await self._pool.fetchrow(SQL["replayed"])
        assert seen is not None
        if not seen["follows"]:
            self._leave("it takes writes: ENTREPOT_RECORD_REPLICA_URL is to lead to a streaming replica")
        elif cluster is not None and seen["cluster"] != cluster:
            self._leave("it is a replica of another server than ENTREPOT_RECORD_URL: let it follow that one")
        else:
            while self._ends and self._ends[0][1] <= seen["at"]:
                self._as_of = self._ends.popleft()[0]
            if self.why:
                log.info("replica.near", was=self.why)
            self.why = ""

    def _leave(self, why: str) -> None:
        if self.why != why:
            log.warning("replica.left", why=why)
        self.why = why


async def open_replica(primary: Pool, url: str, tenant_url: str, seconds_max: float) -> Replica:
    """Return a replica that is looked at from now on, whether it answers yet or not."""
    pool = await open_pool(url, limits.POOL_CONNECTIONS_MAX, 0)
    place = url.rpartition("@")[2].partition("/")[0]
    tenants = await open_pool(by(place, tenant_url), limits.TENANT_CONNECTIONS_MAX, 0) if tenant_url else pool
    return Replica(primary, pool, tenants, seconds_max)

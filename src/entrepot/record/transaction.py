"""The transaction: the only place that commits. Rows and the events that tell of them go in together or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.breaker import Breaker, Patience
from entrepot.base.engine_limits import DOUBT_SHARE, ENGINE_SECONDS_MAX
from entrepot.base.errors import BadInputError, ConflictError, EntrepotError
from entrepot.base.event import Position, Token
from entrepot.base.ids import IdSource
from entrepot.base.principal import Principal
from entrepot.base.seals import Seals
from entrepot.base.time import OURS, HybridClock
from entrepot.record.cause import about, cause_of_this
from entrepot.record.named import queries
from entrepot.record.pool import AWAY, UNREACHABLE, Pool, away, check_clock, open_pool

if TYPE_CHECKING:  # asyncpg's proxies are generic in its stubs only
    Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.pool.PoolConnectionProxy

SQL = queries("entrepot.record", "append.sql")

T = TypeVar("T")


class NotHereError(Exception):
    """A replica cannot answer this: it is away, too old, or has not seen the position. The primary can."""


class Snapshots(Protocol):
    """What a replica is to who reads: ``entrepot.record.replica``."""

    @property
    def near(self) -> bool:
        """Whether it answers, and is not older than reads may be."""
        ...

    @property
    def age_seconds(self) -> float:
        """How old what it shows is at most."""
        ...

    @property
    def sentence(self) -> str:
        """Why nobody is answered from it; empty while somebody is."""
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...

    def snapshot(self, at_least: Position | None, *, tenant: bool) -> AbstractAsyncContextManager[Connection]:
        """Open a snapshot that has seen this position; ``NotHereError`` where that cannot be, also in the midst of it."""
        ...


# A transaction may take its time, as long as the record answers at all.
_AS_LONG_AS_IT_ANSWERS = Patience(DOUBT_SHARE * ENGINE_SECONDS_MAX, None)

# What a function or trigger of ours refuses with, in a sentence to be told as it is.
REFUSED_IN_WORDS = "EP001"


class Fact(Struct, frozen=True):
    """An event about to be appended: its key's next version is known by the command that holds the key's row lock.

    What of it is personal is no part of the body: it goes ``sealed`` under the key of the ``subject``.
    """

    kind: str
    key: str
    version: int
    body: Struct
    subject: UUID | None = None
    sealed: bytes | None = None


class Transaction:
    """A transaction of one command in one cell. ``append`` may be called many times; all commits together."""

    def __init__(
        self,
        connection: Connection,
        cell: int,
        actor: str,
        clock: HybridClock,
        ids: IdSource,
        seals: Seals | None = None,
        keys: str = "",
    ) -> None:
        self.connection = connection
        self.keys = keys
        self._seals = seals
        self.cell = cell
        self.actor = actor
        self.clock = clock
        self.ids = ids
        self.position: Position | None = None

    @property
    def sealing(self) -> Seals:
        """What seals personal data for this transaction's rows and events."""
        return _given(self._seals)

    async def append(self, facts: Sequence[Fact]) -> Token:
        """Append events to the log and return the position of the last one."""
        row = await self.connection.fetchrow(
            SQL["append"],
            self.cell,
            [self.ids.fresh() for _ in facts],
            [self.clock.tick() for _ in facts],
            [fact.kind for fact in facts],
            [fact.key for fact in facts],
            [fact.version for fact in facts],
            [msgspec.json.encode(fact.body).decode() for fact in facts],
            [fact.subject for fact in facts],
            self.actor,
            cause_of_this(),
            [fact.sealed for fact in facts],
        )
        assert row is not None
        about(*(fact.subject for fact in facts))
        self.position = Position(row["txid"], row["seq"])
        return Token(self.cell, self.position)


class Record:
    """The system of record as one process holds it: its pool, its clock, its ids, who wants to be woken, and what seals."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: HybridClock | None = None,
        ids: IdSource | None = None,
        wake: Callable[[int], None] | None = None,
        seals: Seals | None = None,
        tenants: Pool | None = None,
        tenant: Principal | None = None,
    ) -> None:
        self.pool = pool
        self.breaker: Breaker | None = None  # whoever answers requests gives it one
        self.replica: Snapshots | None = None  # as above, where the settings name one
        self._tenants = tenants or pool
        self._platform: Record | None = None
        self._tenant = tenant
        self._seals = seals
        self.clock = clock or HybridClock(OURS)
        self.ids = ids or IdSource()
        self._wake = wake

    @property
    def sealing(self) -> Seals:
        """What seals and opens personal data; a record that was opened without keys has none."""
        return _given(self._seals)

    def as_tenant(self, who: Principal) -> "Record":
        """Return the record as a tenant has it: no rows but those of the sellers and companies that they act for."""
        own = Record(self._tenants, clock=self.clock, ids=self.ids, wake=self._wake, seals=self._seals, tenant=who)
        own.breaker, own.replica = self.breaker, self.replica
        own._platform = self
        return own

    @property
    def platform(self) -> "Record":
        """The record as the platform has it, for what a tenant asks and reaches rows of others: whoever takes it says why."""
        return self._platform or self

    @property
    def keys_of(self) -> str:
        """What idempotency keys begin with: a tenant's are its own, so that nobody is given another's answer."""
        who = self._tenant
        return ",".join([*sorted(who.sellers), *sorted(who.companies)]) + ";" if who else ""

    @asynccontextmanager
    async def transaction(self, cell: int, actor: str = "system") -> AsyncIterator[Transaction]:
        """Open a transaction; commits when the block ends, rolls back when it raises, wakes the log's readers after."""
        async with self._connection() as connection:
            async with whole(connection, connection.transaction()):
                await self._become(connection)
                tx = Transaction(connection, cell, actor, self.clock, self.ids, self._seals, self.keys_of)
                yield tx
            if tx.position is not None:
                self.wake(cell)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Open a snapshot that cannot write: every query in the block sees the same moment."""
        async with self._connection() as connection:
            snapshot = connection.transaction(isolation="repeatable_read", readonly=True)
            async with whole(connection, snapshot):
                await self._become(connection)
                yield connection

    async def recent(self, ask: Callable[[Connection], Awaitable[T]], at_least: Token | None = None) -> T:
        """Ask what may be some seconds old: a replica that is near and has seen this position, else the primary.

        ``ask`` may be called twice: a replica that goes away in the midst of it costs no answer.
        """
        if self.replica is not None:
            with contextlib.suppress(NotHereError):
                position = at_least.position if at_least else None
                async with self.replica.snapshot(position, tenant=self._tenant is not None) as connection:
                    await self._become(connection)
                    return await ask(connection)
        async with self.reading() as connection:
            return await ask(connection)

    @asynccontextmanager
    async def committing(self) -> AsyncIterator[Connection]:
        """Open a bare connection, each statement a transaction of its own: for set-based functions such as the hot path."""
        assert self._tenant is None, "a tenant is one for a transaction: use transaction() or reading()"
        async with self._connection() as connection:
            yield connection

    def wake(self, cell: int) -> None:
        """Tell the log's readers that this cell has new events (coalesced and outside any transaction; see ``wake``)."""
        if self._wake is not None:
            self._wake(cell)

    async def close(self) -> None:
        """Give the connections back to the server."""
        if self.replica is not None:
            await self.replica.close()
        await self.pool.close()
        if self._tenants is not self.pool:
            await self._tenants.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        await self.close()

    async def _become(self, connection: Connection) -> None:
        """Make the transaction its tenant's; with it ends all that was set, so connections may be pooled by transaction."""
        if self._tenant is not None:
            sellers, companies = ",".join(sorted(self._tenant.sellers)), ",".join(sorted(self._tenant.companies))
            await connection.execute(SQL["become_tenant"], sellers, companies, self.keys_of)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with self.breaker.waiting(_AS_LONG_AS_IT_ANSWERS) if self.breaker else contextlib.nullcontext():
            try:
                connection = await self.pool.acquire(timeout=limits.CONNECT_SECONDS_MAX)
            except UNREACHABLE as error:
                raise away(error) from error
            try:
                yield connection
            except AWAY as error:
                raise away(error) from error
            except asyncpg.DataError as error:  # a NUL in a text, a number beyond its column
                raise BadInputError(f"A value cannot be stored: {error}.") from error
            except asyncpg.PostgresError as error:
                if error.sqlstate != REFUSED_IN_WORDS:
                    raise
                raise ConflictError(str(error)) from error
            except asyncio.CancelledError:
                if self.breaker and self.breaker.why:  # it hangs, and would not answer to being asked to stop either
                    connection.terminate()
                raise
            finally:
                await give_back(self.pool, connection)


@asynccontextmanager
async def whole(connection: Connection, transaction: asyncpg.transaction.Transaction) -> AsyncIterator[None]:
    """Commit when the block ends, roll back when it raises; when it is cut, end the connection, which undoes it too.

    (A server that hangs would not answer to a rollback; asyncpg's own block waits for that as long as for any statement.)
    """
    await transaction.start()
    try:
        yield
    except asyncio.CancelledError:
        connection.terminate()
        raise
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


async def give_back(pool: Pool, connection: Connection) -> None:
    """Give a connection back; one whose server hangs is ended, and hides neither an answer nor the reason why there is none."""
    with contextlib.suppress(*UNREACHABLE):
        await pool.release(connection, timeout=limits.RELEASE_SECONDS_MAX)


def _given(seals: Seals | None) -> Seals:
    assert seals is not None, "whoever deals with personal data opens the record with its keys (app.opened)"
    return seals


async def open_record(
    url: str,
    *,
    tenant_url: str = "",
    pooler: str = "",
    connections: int = limits.POOL_CONNECTIONS_MAX,
    clock: HybridClock | None = None,
    ids: IdSource | None = None,
    wake: Callable[[int], None] | None = None,
    seals: Seals | None = None,
) -> Record:
    """Connect to the system of record at ``url`` (postgresql://...), or say that it does not answer.

    What tenants ask goes by a small pool of its own where they have a user of their own (``tenant_url``). ``pooler`` is the
    ``host:port`` of one that pools by transaction, such as PgBouncer, before the same server: the limits that a session
    would set are then those of the database user.
    """
    pool = await open_pool(url, connections, 1, pooler)
    try:
        await check_clock(pool, OURS)
        tenants = await open_pool(tenant_url, limits.TENANT_CONNECTIONS_MAX, 0, pooler) if tenant_url else None
    except EntrepotError:
        await pool.close()
        raise
    return Record(pool, clock=clock, ids=ids, wake=wake, seals=seals, tenants=tenants)

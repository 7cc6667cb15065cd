"""Connections to the system of record: a pool of them to one server, and what its failures mean."""

from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from entrepot.base import limits
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.time import Clock, check_together
from entrepot.record.named import queries

if TYPE_CHECKING:  # asyncpg's pool is generic in its stubs only
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool

SQL = queries("entrepot.record", "pool.sql")

# What says that the server cannot do it now, whoever asks: away, going away, out of connections, disk or patience.
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # it has become a replica, or somebody has stopped its writes
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg raises on a connection that the server ended while it lay idle
    ConnectionError,
    TimeoutError,
)
UNREACHABLE = (*AWAY, OSError)

# What no later try mends: the URL is wrong.
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ClientConfigurationError,
)


async def open_pool(url: str, connections: int, at_once: int, pooler: str = "") -> Pool:
    """Return a pool of connections to one server, of which so many are made at once."""
    session = {
        "application_name": "entrepot",
        "lock_timeout": f"{limits.LOCK_SECONDS_MAX:.0f}s",
        "statement_timeout": f"{limits.STATEMENT_SECONDS_MAX:.0f}s",
        # Every reader of the log waits for the oldest open transaction: a forgotten one must not hold them for long.
        "idle_in_transaction_session_timeout": f"{limits.IDLE_TRANSACTION_SECONDS_MAX:.0f}s",
    }
    # A pooler's next transaction may be on a connection that has never heard of a statement's name.
    given: dict[str, Any] = {"statement_cache_size": 0} if pooler else {"server_settings": session}
    try:
        return await asyncpg.create_pool(
            by(pooler, url),
            min_size=at_once,
            max_size=connections,
            timeout=limits.CONNECT_SECONDS_MAX,
            command_timeout=limits.STATEMENT_SECONDS_MAX,
            reset=_leave_as_it_is,
            **given,
        )
    except REFUSED as error:
        raise BadInputError(
            f"PostgreSQL refuses ENTREPOT_RECORD_URL ({error}): mend its user, password or database."
        ) from error
    except (*UNREACHABLE, asyncpg.PostgresError) as error:
        raise away(error) from error


def by(pooler: str, url: str) -> str:
    """Return the URL of the same database by way of a pooler."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}{pooler}")) if pooler else url


async def check_clock(pool: Pool, clock: Clock) -> None:
    """Refuse a system of record whose clock is far from ours: ids and stamps tell of the day of whoever made them."""
    try:
        there = await pool.fetchval(SQL["moment"])
    except (*UNREACHABLE, asyncpg.PostgresError) as error:
        raise away(error) from error
    check_together("record", there, clock.millis())


def away(error: BaseException) -> EngineAwayError:
    """Return the record's being away, told by what the connection met."""
    why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    return EngineAwayError("record", str(error) or why)


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Nothing sets session state, so there is none to reset: a round trip less, and PgBouncer may pool by transaction."""

"""How every driver that speaks the Redis protocol reaches its server: with bounded waiting and few tries."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from entrepot.base.limits import CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX

# A server that is full, or has become a replica, answers, but not to us: the caller waits for it just as well.
AWAY = (OSError, TimeoutError, RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError)


def connect(url: str, *, seconds_max: float, wait_seconds_max: float | None = None, tries: int = 2) -> Redis:
    """Return a client of this server that has not connected yet; no single answer takes longer than ``seconds_max``.

    ``wait_seconds_max`` is how long a command may wait for a connection that is free (as long as for an answer, unless given).

    A command is tried again when its connection turns out to be closed, never when it was too slow: everything our
    drivers send may be repeated, but what is slow would only be slowed down more.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_CONNECTIONS_MAX,
        timeout=wait_seconds_max or seconds_max,
        socket_timeout=seconds_max,
        socket_connect_timeout=CONNECT_SECONDS_MAX,
        retry=Retry(NoBackoff(), tries - 1, supported_errors=(RedisConnectionError,)),
    )
    return Redis.from_pool(pool)

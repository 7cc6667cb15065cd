"""How every driver that speaks the Redis protocol reaches its server: with bounded waiting and few tries.

``redis://`` is one server; ``redis+cluster://`` a cluster, of which any master is named; ``redis+sentinel://`` whoever
sentinels call the master of ``?name=``. ``rediss`` for TLS. ``?also=host:port,host:port`` names others to ask first.

On a cluster what one script touches lies in one slot: its keys share a hash tag, everywhere and from the first day.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterError,
    InvalidResponse,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from entrepot.base.errors import BadInputError
from entrepot.base.limits import CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX
from entrepot.engines.redis_sending import send_promptly, send_promptly_to_nodes

# A server that is full, or has become a replica, answers, but not to us; a cluster may miss a part of its slots: the caller
# waits for it just as well.
AWAY = (
    OSError,
    TimeoutError,
    RedisConnectionError,
    RedisTimeoutError,
    OutOfMemoryError,
    ReadOnlyError,
    ClusterError,
    RedisClusterException,
)

# Neither client lets who wants a connection wait for one: more than are ever asked for at once.
_CONNECTIONS_MAX = 32 * POOL_CONNECTIONS_MAX
_SENTINEL_PORT = 26_379


def connect(url: str, *, seconds_max: float, wait_seconds_max: float | None = None, tries: int = 2) -> Redis:
    """Return a client of this server that has not connected yet; no single answer takes longer than ``seconds_max``.

    ``wait_seconds_max`` is how long a command may wait for a connection that is free (as long as for an answer, unless given).

    A command is tried again when its connection turns out to be closed, never when it was too slow: everything our
    drivers send may be repeated, but what is slow would only be slowed down more.
    """
    retry = Retry(NoBackoff(), tries - 1, supported_errors=(RedisConnectionError,))
    plain, kind, options = _parts(url)
    if kind == "cluster":
        cluster = RedisCluster.from_url(
            plain,
            startup_nodes=[ClusterNode(host, port) for host, port in _hosts(options)],
            max_connections=_CONNECTIONS_MAX,
            socket_timeout=seconds_max,
            socket_connect_timeout=CONNECT_SECONDS_MAX,
            retry=retry,
        )
        send_promptly_to_nodes(cluster)
        return cast("Redis", cluster)  # it is none, but has every command that our drivers use
    if kind == "sentinel":
        return _of_sentinels(plain, options, seconds_max, retry)
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_CONNECTIONS_MAX,
        timeout=wait_seconds_max or seconds_max,
        socket_timeout=seconds_max,
        socket_connect_timeout=CONNECT_SECONDS_MAX,
        retry=retry,
    )
    send_promptly(pool)
    return Redis.from_pool(pool)


@contextmanager
def opening(role: str, product: str) -> Iterator[None]:
    """Tell of what no later try mends: what answers is another product, or refuses the password."""
    wrong = f"mend ENTREPOT_{role.upper()}_URL."
    try:
        yield
    except AuthenticationError as error:
        raise BadInputError(f"The {role} engine refuses this user and password: {wrong}", role=role) from error
    except AWAY:
        raise
    except (InvalidResponse, ResponseError) as error:
        raise BadInputError(f"What answers as the {role} engine is no {product} ({error}): {wrong}", role=role) from error


def _of_sentinels(url: str, options: dict[str, str], seconds_max: float, retry: Retry) -> Redis:
    """Return a client that asks the sentinels for the master at each new connection."""
    given: dict[str, Any] = dict(parse_url(url))
    waiting: dict[str, Any] = {
        "socket_timeout": seconds_max,
        "socket_connect_timeout": CONNECT_SECONDS_MAX,
        "retry": retry,
        **({"ssl": True} if url.startswith("rediss") else {}),
        **{name: value for name, value in given.items() if name.startswith("ssl_")},
    }
    login = {name: given[name] for name in ("username", "password") if name in given}
    first = (given["host"], given.get("port", _SENTINEL_PORT))
    known = waiting | (login if options.get("auth") == "sentinels" else {})
    asked = Sentinel(  # type: ignore[no-untyped-call]  # the client leaves it so
        [first, *_hosts(options)], sentinel_kwargs=known
    )
    master: Redis = asked.master_for(options["name"], max_connections=_CONNECTIONS_MAX, **waiting, **login)
    for one in (master, *asked.sentinels):
        send_promptly(one.connection_pool)
    return master


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Return a URL as the client takes it, the kind of its installation, and what only we understand of its query."""
    parts = urlsplit(url)
    scheme, _, kind = parts.scheme.partition("+")
    query = dict(parse_qsl(parts.query))
    options: dict[str, str] = {name: query.pop(name) for name in ("also", "name", "auth") if kind and name in query}
    if kind == "sentinel" and not options.get("name"):
        raise BadInputError("The URL of sentinels names no master: say which by ?name=, as the sentinels call it.")
    return urlunsplit(parts._replace(scheme=scheme, query=urlencode(query, safe="/:"))), kind, options


def _hosts(options: dict[str, str]) -> list[tuple[str, int]]:
    named = [one.rpartition(":") for one in options.get("also", "").split(",") if one]
    if bad := [f"{host}:{port}" for host, _, port in named if not host or not port.isdecimal()]:
        raise BadInputError(f"?also= has {bad[0]!r}: give host:port, and commas between.")
    return [(host, int(port)) for host, _, port in named]

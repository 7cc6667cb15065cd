"""How every driver of ClickHouse reaches it over HTTP, and what its failures mean to a caller."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from entrepot.base.engine_limits import COLUMNS_SECONDS_MAX
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.late import Late
from entrepot.base.limits import CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX
from entrepot.base.time import OURS, Clock, check_together
from entrepot.base.trust import authority, certificate
from entrepot.engines.columns.clickhouse_cluster import SETTINGS

if TYPE_CHECKING:
    import aiohttp
    import clickhouse_connect
    from clickhouse_connect.driver import exceptions as errors
    from clickhouse_connect.driver.asyncclient import AsyncClient
else:
    aiohttp = Late("aiohttp")
    clickhouse_connect, errors = Late("clickhouse_connect"), Late("clickhouse_connect.driver.exceptions")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

# ClickHouse's codes for what passes: time-outs, too busy, out of memory, no keeper, read-only replica, table not made yet.
_PASSING = frozenset({60, 159, 202, 209, 210, 225, 241, 242, 252, 999})


def cluster_of(url: str) -> str:
    """Return the cluster that a URL names by ``?cluster=``, as the servers' configuration has it; none, if it names none."""
    name = dict(parse_qsl(urlsplit(url).query)).get("cluster", "")
    if name and not _NAME.fullmatch(name):
        raise BadInputError(f"A ClickHouse cluster is called {name!r} in the URL: letters, digits, _ and - name one.")
    return name


async def connect(url: str, role: str, clock: Clock = OURS) -> "AsyncClient":
    """Return a client of ``clickhouse(s)://user:password@host:port/database`` that has learnt what server it is.

    One whose clock is far from ours is refused: it ends rows by its own (``TTL``).
    """
    parts = urlsplit(url)
    spread = SETTINGS if cluster_of(url) else {}
    shown = certificate(url)
    _leave_out_pandas()
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    with answering(role):
        client = await clickhouse_connect.get_async_client(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 0,
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.strip("/")) or "default",
            secure=parts.scheme == "clickhouses",
            ca_cert=authority(url),
            client_cert=shown[0] if shown else None,
            client_cert_key=shown[1] if shown else None,
            # With a password the certificate opens the way alone, and is not who asks.
            tls_mode="strict" if shown and parts.password else None,
            compress=False if local else "lz4",
            connect_timeout=CONNECT_SECONDS_MAX,
            send_receive_timeout=COLUMNS_SECONDS_MAX,
            connector_limit=POOL_CONNECTIONS_MAX,
            tz_mode="aware",
            autogenerate_session_id=False,  # a session allows one statement at a time
            # Inserts are acknowledged when they are there: the position must not run ahead of them.
            settings={"max_execution_time": int(COLUMNS_SECONDS_MAX), "async_insert": 0, **spread},
        )
        try:
            [[server]] = (await client.query("SELECT toUnixTimestamp64Milli(now64(3))")).result_rows
            check_together(role, server, clock.millis())
        except BaseException:
            await client.close()
            raise
    return client


def _leave_out_pandas() -> None:
    """Tell the client that there is no pandas, which it would load at its first insert: the event loop stood still for it.

    We give it no frames; where chDB is installed, pandas is, too.
    """
    driver_options = import_module("clickhouse_connect.driver.options")
    vars(driver_options).update(pd=None, pd_time_test=None)


@contextmanager
def answering(role: str) -> Iterator[None]:
    """Tell what passes as an engine that is away, and leave every other refusal of ClickHouse as it is."""
    try:
        yield
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        raise EngineAwayError(role, str(error) or type(error).__name__) from error
    except errors.DatabaseError as error:
        lost = isinstance(error, errors.OperationalError) and error.code is None
        if lost or error.code in _PASSING:
            raise EngineAwayError(role, str(error)) from error
        raise

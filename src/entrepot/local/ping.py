"""A real question to each engine, ours or another's, by its URL; the answer is its version.

A client is imported when its engine is asked: those of all products together take seconds, and a command asks few of them.
"""

# ruff: noqa: PLC0415  # for the sake of that

import asyncio
import base64
import importlib
import importlib.metadata
import json
import os
import urllib.request
from collections.abc import Awaitable, Callable
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from entrepot.base.engine_limits import PING_SECONDS_MAX
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.trust import authority, context


async def ping(role: str, url: str) -> str:
    """Return the version of the engine that answers at the URL."""
    ask = _QUESTIONS.get(urlsplit(url).scheme)
    if ask is None:
        raise BadInputError(f"The {role} engine has the scheme {urlsplit(url).scheme!r}, which cannot be asked.", role=role)
    if ask in _CLIENTS:  # before the engine's time begins to run: on a busy machine this takes longer than its answer
        await asyncio.to_thread(importlib.import_module, _CLIENTS[ask])
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            return await ask(url)
    except TimeoutError:
        raise EngineAwayError(role, f"no answer in {PING_SECONDS_MAX:.0f} s") from None
    except Exception as error:  # each client has its own errors; whichever comes, the engine is away
        raise EngineAwayError(role, str(error) or type(error).__name__) from error


def address(url: str) -> str:
    """Return the URL without its password, fit to be shown; a user that stands alone is a key, and is left out too."""
    parts = urlsplit(url)
    if parts.hostname is None:
        return url
    user = f"{parts.username}@" if parts.username and parts.password else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname}{port}{parts.path}"


async def _postgresql(url: str) -> str:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=PING_SECONDS_MAX)
    try:
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()


async def _redis(url: str) -> str:
    """Ask a server, any master of a cluster, or a sentinel; who asks for its password is told it."""
    from redis.asyncio import Redis

    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    scheme, _, kind = parts.scheme.partition("+")
    known = urlencode({name: value for name, value in query.items() if name.startswith("ssl_")}, safe="/:")
    place = parts.netloc if kind != "sentinel" or query.get("auth") == "sentinels" else parts.netloc.rpartition("@")[2]
    async with Redis.from_url(urlunsplit((scheme, place, parts.path, known, ""))) as client:
        return str((await client.info("server"))["redis_version"])


async def _falkor(url: str) -> str:
    from redis.asyncio import Redis

    async with Redis.from_url(url.replace("falkor", "redis", 1), decode_responses=True) as client:
        modules = await client.module_list()
    number = next(int(module["ver"]) for module in modules if module["name"] == "graph")
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


async def _neo4j(url: str) -> str:
    from neo4j import AsyncGraphDatabase

    parts = urlsplit(url)
    scheme, _, secure = parts.scheme.partition("+")
    async with AsyncGraphDatabase.driver(
        f"{scheme}://{parts.hostname}:{parts.port or 7687}",
        auth=(unquote(parts.username or ""), unquote(parts.password or "")),
        ssl_context=context(url) if secure else None,
        connection_timeout=PING_SECONDS_MAX,
    ) as client:
        return (await client.get_server_info()).agent.removeprefix("Neo4j/")


async def _mongodb(url: str) -> str:
    from pymongo import AsyncMongoClient

    parts = urlsplit(url)
    scheme = "mongodb+srv" if parts.scheme == "mongodb+srv" else "mongodb"
    trusted: dict[str, Any] = {"tlsCAFile": authority(url)} if authority(url) else {}
    async with AsyncMongoClient[dict[str, object]](
        f"{scheme}://{parts.netloc}/",
        tls=parts.scheme != "mongodb",
        serverSelectionTimeoutMS=PING_SECONDS_MAX * 1000,
        authSource=dict(parse_qsl(parts.query)).get("authSource", "admin"),
        **trusted,
    ) as client:
        return str((await client.server_info())["version"])


async def _clickhouse(url: str) -> str:
    return await asyncio.to_thread(_get_version, urlsplit(url))


def _get_version(url: SplitResult) -> str:
    login = f"{unquote(url.username or 'default')}:{unquote(url.password or '')}"
    basic = "Basic " + base64.b64encode(login.encode()).decode()
    with _asked(url, "/?query=SELECT%20version()", 8123, {"Authorization": basic}) as answer:
        return str(answer.read().decode().strip())


async def _elasticsearch(url: str) -> str:
    return await asyncio.to_thread(_get_number, urlsplit(url))


def _get_number(url: SplitResult) -> str:
    user, password = unquote(url.username or ""), unquote(url.password or "")
    login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else f"ApiKey {password}"
    with _asked(url, "/", 9200, {"Authorization": login} if password else {}) as answer:
        return str(json.load(answer)["version"]["number"])


def _asked(url: SplitResult, path: str, port: int, headers: dict[str, str]) -> HTTPResponse:
    """Return the answer of a server whose scheme ends with an s where it is asked by HTTPS."""
    scheme = "https" if url.scheme.endswith("s") else "http"
    address = f"{scheme}://{url.hostname}:{url.port or port}{path}"
    request = urllib.request.Request(address, headers=headers)  # noqa: S310  # the scheme is one of the two above
    trusted = context(url.geturl()) if scheme == "https" else None
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=PING_SECONDS_MAX, context=trusted)  # noqa: S310  # as above
    return answer


async def _influxdb(url: str) -> str:
    return await asyncio.to_thread(_get_header, urlsplit(url))


def _get_header(url: SplitResult) -> str:
    """Ask what needs no password in any version, and tells it in a header."""
    with _asked(url, "/ping", 8086, {}) as answer:
        return answer.headers.get("X-Influxdb-Version", "").removeprefix("v")


async def _s3(url: str) -> str:
    return await asyncio.to_thread(_head_bucket, urlsplit(url))


def _head_bucket(url: SplitResult) -> str:
    import boto3
    from botocore.config import Config

    scheme = "https" if url.scheme.endswith("s") else "http"
    client = boto3.client(
        "s3",
        endpoint_url=f"{scheme}://{url.hostname}" + (f":{url.port}" if url.port else ""),
        verify=authority(url.geturl()) or True,
        aws_access_key_id=unquote(url.username or ""),
        aws_secret_access_key=unquote(url.password or ""),
        region_name="us-east-1",
        config=Config(connect_timeout=PING_SECONDS_MAX, read_timeout=PING_SECONDS_MAX, retries={"total_max_attempts": 1}),
    )
    answer = client.head_bucket(Bucket=url.path.strip("/"))
    return str(answer["ResponseMetadata"]["HTTPHeaders"].get("server", "")).rpartition(" ")[2]


async def _sandbox(url: str) -> str:
    return await asyncio.to_thread(_get_ping, urlsplit(url))


def _get_ping(url: SplitResult) -> str:
    request = f"http://{url.hostname}:{url.port}/ping"
    with urllib.request.urlopen(request, timeout=PING_SECONDS_MAX) as answer:
        return str(json.load(answer)["version"])


async def _tantivy(url: str) -> str:
    folder = Path(urlsplit(url).path)
    if not os.access(folder, os.W_OK):
        raise FileNotFoundError(f"{folder} is missing or not writable")
    return importlib.metadata.version("tantivy")


_QUESTIONS: dict[str, Callable[[str], Awaitable[str]]] = {
    "postgresql": _postgresql,
    **dict.fromkeys(
        ("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"),
        _redis,
    ),
    "falkor": _falkor,
    "falkors": _falkor,
    **dict.fromkeys(("bolt", "bolt+s", "neo4j", "neo4j+s"), _neo4j),
    **dict.fromkeys(("mongodb", "mongodbs", "mongodb+srv"), _mongodb),
    "clickhouse": _clickhouse,
    "clickhouses": _clickhouse,
    "elasticsearch": _elasticsearch,
    "elasticsearchs": _elasticsearch,
    "influxdb": _influxdb,
    "influxdbs": _influxdb,
    "s3": _s3,
    "s3s": _s3,
    "tantivy": _tantivy,
    "sandbox": _sandbox,
}

_CLIENTS = {
    _postgresql: "asyncpg",
    _redis: "redis.asyncio",
    _falkor: "redis.asyncio",
    _neo4j: "neo4j",
    _mongodb: "pymongo",
    _s3: "boto3",
}

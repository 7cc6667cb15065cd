"""Every key of a Redis, or of a cluster, with all that it holds; of FalkorDB, which is one, every node and edge."""

from collections.abc import Iterator

from redis.asyncio import Redis

from entrepot.base.limits import JOB_SECONDS_MAX
from entrepot.engines.redis_connection import connect
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

_AT_ONCE = 1_000
_READ: dict[bytes, tuple[str, ...]] = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"list": ("LRANGE", "0", "-1"),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", "0", "-1", "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}
_GRAPH = (
    "MATCH (n) RETURN labels(n), properties(n)",
    "MATCH ()-[e]->() WHERE size(keys(e)) > 0 RETURN type(e), properties(e)",
)


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search a server."""
    looking = Looking(source, needles, ids=True)
    client = connect(url.replace("falkor", "redis", 1), seconds_max=JOB_SECONDS_MAX)
    try:
        keys: list[bytes] = []
        async for key in client.scan_iter(count=_AT_ONCE):
            keys.append(key)
            if len(keys) == _AT_ONCE:
                await _look(client, keys, looking)
                keys = []
        await _look(client, keys, looking)
    finally:
        await client.aclose()
    return looking.end()


async def _look(client: Redis, keys: list[bytes], looking: Looking) -> None:
    async with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        kinds = await pipe.execute()
    async with client.pipeline(transaction=False) as pipe:
        for key, kind in zip(keys, kinds, strict=True):
            for command in _commands(key, kind):
                pipe.execute_command(*command)
        answers = await pipe.execute(raise_on_error=True)
    at = iter(answers)
    for key, kind in zip(keys, kinds, strict=True):
        for _ in _commands(key, kind):
            looking.look(key.decode(errors="replace"), key + b"\n" + b"\n".join(_flat(next(at))))


def _commands(key: bytes, kind: bytes) -> list[tuple[str | bytes, ...]]:
    if kind == b"graphdata":
        return [("GRAPH.RO_QUERY", key, query) for query in _GRAPH]
    if kind in _READ:
        name, *rest = _READ[kind]
        return [(name, key, *rest)]
    return [("DUMP", key)]


def _flat(answer: object) -> Iterator[bytes]:
    match answer:
        case bytes():
            yield answer
        case str() | int() | float():
            yield str(answer).encode()
        case dict():
            for name, value in answer.items():
                yield from _flat(name)
                yield from _flat(value)
        case list() | tuple() | set():
            for one in answer:
                yield from _flat(one)

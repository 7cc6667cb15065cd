"""A drawer in Redis: bytes under names, changed by compare-and-set in one script, with an index of who was not touched lately.

Names are spread over buckets; a bucket's hash tag holds its names and its index together, so that one script may touch both
on a cluster too. What a script has answered is as durable as the server's append-only file: with ``appendfsync always`` (as
the local Redis runs) a kill -9 loses nothing that was answered; with ``everysec`` it may lose up to two seconds.
"""

import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from hashlib import sha1

from redis.exceptions import NoScriptError

from entrepot.base.limits import DRAWER_SECONDS_MAX, READ_SECONDS_MAX
from entrepot.engines import answering
from entrepot.engines.redis_connection import AWAY, connect
from entrepot.engines.redis_together import Together

ROLE = "memory"

# Enough to spread over any cluster, few enough that asking all of them (idle) stays one small pipeline.
BUCKETS = 64
READ_AT_ONCE = 1_000

# KEYS: the name, the bucket's index. ARGV: what must be there ('' nothing), what shall be, its milliseconds, the name, when it
# was touched ('' leaves the index).
_PUT = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if ARGV[5] == '' then
    redis.call('ZREM', KEYS[2], ARGV[4])
else
    redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
end
return 1
"""
_PUT_SHA = sha1(_PUT.encode(), usedforsecurity=False).hexdigest()

# KEYS: the bucket's index. ARGV: name, when it was touched, name, when ...
_DISMISS = """
for i = 1, #ARGV, 2 do
    if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
        redis.call('ZREM', KEYS[1], ARGV[i])
    end
end
"""


class RedisDrawer:
    """Bytes under names; ``label`` tells this drawer from others on the same server."""

    def __init__(self, url: str, label: str) -> None:
        self._redis = connect(url, seconds_max=DRAWER_SECONDS_MAX, wait_seconds_max=READ_SECONDS_MAX)
        self._together = Together(self._redis)
        self._label = label

    async def open(self) -> None:
        """Make sure that Redis answers."""
        with answering(ROLE, *AWAY):
            await self._redis.ping()

    async def close(self) -> None:
        """Give every connection back."""
        await self._redis.aclose()

    async def load(self, name: str) -> bytes | None:
        """Return what is kept under this name."""
        with answering(ROLE, *AWAY):
            found = await self._together.ask("GET", self._keys(name)[0])
        assert found is None or isinstance(found, bytes)
        return found

    async def put(self, name: str, was: bytes | None, now: bytes, *, touched: int | None, seconds: float) -> bool:
        """Keep ``now`` for so long if exactly ``was`` is there; says whether it was."""
        given = (*self._keys(name), was or b"", now, int(seconds * 1000), name, "" if touched is None else touched)
        with answering(ROLE, *AWAY):
            try:
                return bool(await self._together.ask("EVALSHA", _PUT_SHA, 2, *given))
            except NoScriptError:  # the first time, and the first after the server was started anew
                return bool(await self._together.ask("EVAL", _PUT, 2, *given))

    async def idle(self, before: int, most: int) -> Sequence[tuple[str, int]]:
        """Return names last touched before this moment, the longest ago of each bucket first."""
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket in range(BUCKETS):
                    pipe.zrange(self._index(bucket), "-inf", f"({before}", byscore=True, offset=0, num=most, withscores=True)
                answers = await pipe.execute()
        return [(name.decode(), int(score)) for found in answers for name, score in found][:most]

    async def dismiss(self, idle: Sequence[tuple[str, int]]) -> None:
        """Leave these out of ``idle`` until they are touched again."""
        by_bucket = defaultdict[int, list[str | int]](list)
        for name, touched in idle:
            by_bucket[_bucket(name)] += [name, touched]
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket, given in by_bucket.items():
                    pipe.eval(_DISMISS, 1, self._index(bucket), *given)
                await pipe.execute()

    async def names(self) -> AsyncIterator[str]:
        """Yield every name that something is kept under; one that is put meanwhile may be left out."""
        with answering(ROLE, *AWAY):
            async for key in self._redis.scan_iter(match=f"{{{self._label}:*", count=READ_AT_ONCE):
                _, _, name = key.decode().partition("}:")
                if name != "touched":
                    yield name

    def _keys(self, name: str) -> tuple[str, str]:
        bucket = _bucket(name)
        return f"{self._tag(bucket)}:{name}", self._index(bucket)

    def _index(self, bucket: int) -> str:
        return f"{self._tag(bucket)}:touched"

    def _tag(self, bucket: int) -> str:
        return f"{{{self._label}:{bucket:02}}}"


def _bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS

"""Items in Redis: each generation is 64 buckets, each a hash of bodies and a sorted set of the ids that live.

Both keys of a bucket carry its hash tag, so that a script may touch them together on a cluster too. An id's bucket
follows from its first two parts, so that everything beneath one key lies together and is read in one call.

Redis has no transaction over buckets: items are written first, each bucket by one script that checks versions, and the
position after the last bucket has answered. A cluster that promotes a replica may lose answered writes of one bucket
and keep the position in another: ``verify`` finds and mends that.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from entrepot.base.event import START, Position
from entrepot.base.limits import STATEMENT_SECONDS_MAX
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import Packed, answering, newest, pack
from entrepot.engines.redis_connection import AWAY, connect, opening

ROLE = "memory"

# Enough to spread over any cluster, few enough that asking all of them (scan) stays one small pipeline.
BUCKETS = 64

# ARGV: id, version, body, id, version, body ...; a value is "<version> <body>", that of a tombstone "<version> ".
_APPLY = """
for i = 1, #ARGV, 3 do
    local id, version, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local old = redis.call('HGET', KEYS[1], id)
    if not old or tonumber(string.match(old, '^%d+')) < tonumber(version) then
        redis.call('HSET', KEYS[1], id, version .. ' ' .. body)
        if body == '' then
            redis.call('ZREM', KEYS[2], id)
        else
            redis.call('ZADD', KEYS[2], 0, id)
        end
    end
end
"""

# ARGV as above; whatever is there is replaced, and an empty body leaves nothing.
_PUT = """
for i = 1, #ARGV, 3 do
    local id, version, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if body == '' then
        redis.call('HDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[2], id)
    else
        redis.call('HSET', KEYS[1], id, version .. ' ' .. body)
        redis.call('ZADD', KEYS[2], 0, id)
    end
end
"""

# ARGV: low, high, low, high ... as ZRANGEBYLEX takes them; returns id, value, id, value ... An id whose value was deleted
# behind our back is left out, so that ``verify`` calls it missing and ``put`` brings it back.
_LIST = """
local found = {}
for i = 1, #ARGV, 2 do
    for _, id in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[i], ARGV[i + 1])) do
        local value = redis.call('HGET', KEYS[1], id)
        if value then
            found[#found + 1] = id
            found[#found + 1] = value
        end
    end
end
return found
"""

# Positions are text of fixed width, which compares as their numbers do (Lua's own numbers end at 2^53).
_ADVANCE = """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or old < ARGV[2] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
"""


class RedisMemory:
    """``MemoryStore`` on a Redis."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url, seconds_max=STATEMENT_SECONDS_MAX)

    async def open(self) -> None:
        """Make sure that Redis answers."""
        with answering(ROLE, *AWAY), opening(ROLE, "Redis"):
            await self._redis.ping()

    async def close(self) -> None:
        """Give every connection back."""
        await self._redis.aclose()

    async def create(self, target: Target) -> None:
        """Do nothing: a hash comes into being with its first field."""

    async def drop(self, target: Target) -> None:
        """Delete the buckets and the positions, positions first: a cut between leaves buckets that are filled again."""
        with answering(ROLE, *AWAY):
            await self._redis.unlink(_positions(target))
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket in range(BUCKETS):
                    pipe.execute_command("UNLINK", *_keys(target, bucket))  # a cluster's pipe.unlink sends nothing
                await pipe.execute()

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        with answering(ROLE, *AWAY):
            text = await self._redis.hget(_positions(target), _slot(slot))
        return START if text is None else Position(int(text[:20]), int(text[21:]))

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        by_bucket = defaultdict[int, list[str]](list)
        for id_ in ids:
            by_bucket[_bucket(id_)].append(id_)
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket, its_ids in by_bucket.items():
                    pipe.hmget(_keys(target, bucket)[0], its_ids)
                answers = await pipe.execute()
        return {
            id_: _item(id_, value)
            for its_ids, values in zip(by_bucket.values(), answers, strict=True)
            for id_, value in zip(its_ids, values, strict=True)
            if value is not None
        }

    async def beneath(self, target: Target, keys: Sequence[str]) -> dict[str, list[Item]]:
        """Return for each of these keys the live items whose ids go on from it."""
        by_bucket = defaultdict[int, list[bytes]](list)
        for key in keys:
            prefix = f"{key}/".encode()
            by_bucket[_bucket(key)] += [b"[" + prefix, b"(" + prefix + b"\xff"]  # no UTF-8 text holds this byte
        found: dict[str, list[Item]] = {key: [] for key in keys}
        for item in await self._list(target, by_bucket):
            found[_key(item.id)].append(item)
        return found

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer, bucket by bucket, then move the position; it never goes back."""
        packed, refused = pack(newest(items))
        await self._write(_APPLY, target, packed)
        with answering(ROLE, *AWAY):
            text = f"{position.txid:020}.{position.seq:020}"
            await self._redis.eval(_ADVANCE, 1, _positions(target), _slot(slot), text)
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        bounds = [b"[" + low.encode() if low else b"-", b"+" if high is None else b"(" + high.encode()]
        return await self._list(target, dict.fromkeys(range(BUCKETS), bounds))

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing."""
        packed, refused = pack(items)
        if refused:
            raise ValueError(f"{refused[0].id} cannot be repaired: {refused[0].reason}")
        await self._write(_PUT, target, packed)

    async def _write(self, script: str, target: Target, packed: Iterable[Packed]) -> None:
        by_bucket = defaultdict[int, list[str | int | bytes]](list)
        for item in packed:
            by_bucket[_bucket(item.id)] += [item.id, item.version, item.json or b""]
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket, arguments in by_bucket.items():
                    pipe.eval(script, 2, *_keys(target, bucket), *arguments)
                await pipe.execute()

    async def _list(self, target: Target, by_bucket: dict[int, list[bytes]]) -> list[Item]:
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for bucket, bounds in by_bucket.items():
                    pipe.eval(_LIST, 2, *_keys(target, bucket), *bounds)
                answers = await pipe.execute()
        items = [_item(id_.decode(), value) for found in answers for id_, value in zip(found[::2], found[1::2], strict=True)]
        return sorted(items, key=lambda item: item.id)


def _key(id_: str) -> str:
    return "/".join(id_.split("/", 2)[:2])


def _bucket(id_: str) -> int:
    return zlib.crc32(_key(id_).encode()) % BUCKETS


def _keys(target: Target, bucket: int) -> tuple[str, str]:
    tag = f"{{{target.name}:{bucket:02}}}"
    return f"{tag}:items", f"{tag}:ids"


def _positions(target: Target) -> str:
    return f"{{{target.name}}}:positions"


def _slot(slot: Slot) -> str:
    return f"{slot.cell}.{slot.shard}.{slot.shards}"


def _item(id_: str, value: bytes) -> Item:
    version, _, body = value.partition(b" ")
    return Item(id_, int(version), msgspec.json.decode(body) if body else None)

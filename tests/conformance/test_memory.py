"""Every product of the memory role keeps the store contract, lists what lies beneath a key, and can be a cache."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import CACHE_SECONDS_MAX, ITEM_BYTES_MAX
from entrepot.base.projection import Body, Item
from entrepot.engines.memory.redis import RedisMemory
from entrepot.engines.memory.redis_cache import RedisCache
from tests.conformance.store_suite import Case, RefusingStoreSuite, fresh, tombstone

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(scope="module")
async def store(memory_url: str) -> AsyncIterator[RedisMemory]:
    store = RedisMemory(memory_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: RedisMemory) -> Case:
    return Case(store, lambda number: {"available": number, "parts": {"é" * number: [number / 2, None]}})


@pytest.fixture(params=["half a surrogate pair", "too large"])
def unfit(request: pytest.FixtureRequest) -> Body:
    return {"text": {"half a surrogate pair": "\ud83d", "too large": "x" * ITEM_BYTES_MAX}[request.param]}


@pytest.fixture
async def cache(memory_url: str) -> AsyncIterator[RedisCache]:
    cache = RedisCache(memory_url)
    await cache.open()
    yield cache
    await cache.close()


class TestRedis(RefusingStoreSuite):
    """Items in Redis."""


async def test_beneath_gives_what_lies_under_each_key_and_nothing_of_its_neighbours(case: Case, store: RedisMemory) -> None:
    ids = ["stock/a/1", "stock/a/2", "stock/a", "stock/ab/1", "stock/b/1/x", "stock/c/1"]
    async with fresh(case) as home:
        items = {id_: home.item(id_, 1) for id_ in ids}
        await home.apply(*items.values(), tombstone("stock/a/3", 1))
        found = await store.beneath(home.target, ["stock/a", "stock/b", "stock/none"])
    assert found == {"stock/a": [items["stock/a/1"], items["stock/a/2"]], "stock/b": [items["stock/b/1/x"]], "stock/none": []}


async def test_a_dropped_generation_leaves_no_key_behind(case: Case, store: RedisMemory) -> None:
    async with fresh(case) as home:
        await home.apply(*(home.item(f"thing/{number}", 1) for number in range(200)), tombstone("gone", 1))
        assert [key async for key in store._redis.scan_iter(match=f"*{home.target.name}*")]
    assert not [key async for key in store._redis.scan_iter(match=f"*{home.target.name}*")]


async def test_a_value_deleted_behind_our_back_is_not_there_and_can_be_put_again(case: Case, store: RedisMemory) -> None:
    async with fresh(case) as home:
        item, other = home.item("stock/a/1", 1), home.item("stock/a/2", 1)
        await home.apply(item, other)
        for key in [key async for key in store._redis.scan_iter(match=f"*{home.target.name}*:items")]:
            await store._redis.hdel(key, item.id)
        assert await store.beneath(home.target, ["stock/a"]) == {"stock/a": [other]}
        assert await store.scan(home.target, "", None) == [other]
        await store.put(home.target, [item])
        assert await store.scan(home.target, "", None) == [item, other]


async def test_a_redis_that_is_not_there_is_told_as_away() -> None:
    store = RedisMemory(NOWHERE)
    with pytest.raises(EngineAwayError, match="memory engine does not answer"):
        await store.open()
    await store.close()


async def test_a_redis_that_ends_every_connection_is_found_again(case: Case, store: RedisMemory) -> None:
    async with fresh(case) as home:
        await store._redis.client_kill_filter(_type="normal", skipme=True)
        await home.apply(home.item("thing/1", 1))
        assert await home.live() == [Item("thing/1", 1, case.body(1))]


async def test_the_cache_keeps_and_forgets(cache: RedisCache) -> None:
    await cache.keep("a", b"1", seconds=60)
    await cache.keep("b", b"2", seconds=60)
    await cache.forget("b", "never")
    assert await cache.get("a", "b", "c") == [b"1", None, None]


async def test_a_cached_entry_expires(cache: RedisCache) -> None:
    await cache.keep("short", b"1", seconds=0.001)
    async with asyncio.timeout(CACHE_SECONDS_MAX):
        while await cache.get("short") != [None]:
            pass


async def test_only_one_can_claim_a_name_until_it_is_forgotten(cache: RedisCache) -> None:
    answers = await asyncio.gather(*(cache.claim("work", seconds=60) for _ in range(5)))
    assert sorted(answers) == [False, False, False, False, True]
    await cache.forget("work")
    assert await cache.claim("work", seconds=60)


async def test_what_many_add_under_a_name_is_summed_until_its_time_is_over(cache: RedisCache) -> None:
    sums = await asyncio.gather(*(cache.add({"many": 2, f"own{n}": n}, seconds=60) for n in range(5)))
    assert sorted(one["many"] for one in sums) == [2, 4, 6, 8, 10]
    assert [one[f"own{n}"] for n, one in enumerate(sums)] == [0, 1, 2, 3, 4]
    await cache.add({"many": 1}, seconds=0.001)
    async with asyncio.timeout(CACHE_SECONDS_MAX):
        while await cache.get("many") != [None]:
            pass


async def test_a_cache_that_is_not_there_is_told_as_away() -> None:
    cache = RedisCache(NOWHERE)
    with pytest.raises(EngineAwayError):
        await cache.get("a")
    await cache.close()

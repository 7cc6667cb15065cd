"""Redis as a cluster of three masters, and under a sentinel: items, cache, carts and drawer as on a single one.

The tests of the single Redis run here as they are: this module's ``memory_url`` is the cluster's.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Body
from entrepot.engines.memory.redis import RedisMemory
from entrepot.engines.memory.redis_cache import RedisCache
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.local.ping import ping
from tests.conformance.store_suite import Case, RefusingStoreSuite, fresh
from tests.conformance.test_memory import (
    cache,  # noqa: F401  # a fixture
    test_a_cached_entry_expires,  # noqa: F401  # run on the cluster
    test_beneath_gives_what_lies_under_each_key_and_nothing_of_its_neighbours,  # noqa: F401  # run on the cluster
    test_only_one_can_claim_a_name_until_it_is_forgotten,  # noqa: F401  # run on the cluster
    test_the_cache_keeps_and_forgets,  # noqa: F401  # run on the cluster
)
from tests.engines.redis_cluster import cluster, sentinel
from tests.log_case import until
from tests.store.test_drawer import (
    drawer,  # noqa: F401  # a fixture
    test_a_server_that_has_forgotten_the_script_is_told_it_again,  # noqa: F401  # run on the cluster
    test_every_change_of_many_writers_who_try_again_is_kept,  # noqa: F401  # run on the cluster
    test_idle_names_are_found_until_they_are_dismissed_or_touched,  # noqa: F401  # run on the cluster
    test_of_many_who_change_the_same_one_does_and_the_others_are_told,  # noqa: F401  # run on the cluster
    test_of_what_is_asked_together_each_has_its_own_answer_or_error,  # noqa: F401  # run on the cluster
    test_only_who_knows_what_is_there_may_change_it,  # noqa: F401  # run on the cluster
    test_what_is_put_in_is_found_until_its_time_is_over,  # noqa: F401  # run on the cluster
)
from tests.store.test_redis_sending import (
    test_no_cancellation_is_forgotten_whenever_it_comes,  # run on the cluster, too
)


@pytest.fixture(scope="module")
async def memory_url(engines_home: Path) -> AsyncIterator[str]:
    async with cluster(engines_home / "redis-cluster") as url:
        yield url


@pytest.fixture(scope="module")
async def store(memory_url: str) -> AsyncIterator[RedisMemory]:
    store = RedisMemory(memory_url)
    await store.open()
    yield store
    await store.close()


def body(number: int) -> Body:
    return {"available": number, "parts": {"é" * number: [number / 2, None]}}


@pytest.fixture(scope="module")
def case(store: RedisMemory) -> Case:
    return Case(store, body)


@pytest.fixture(params=["half a surrogate pair", "too large"])
def unfit(request: pytest.FixtureRequest) -> Body:
    return {"text": {"half a surrogate pair": "\ud83d", "too large": "x" * ITEM_BYTES_MAX}[request.param]}


class TestRedisCluster(RefusingStoreSuite):
    """Items on three masters: the keys of one script share a hash tag."""


async def test_names_of_a_drawer_are_found_on_every_master(memory_url: str) -> None:
    opened = RedisDrawer(memory_url, f"test-{uuid4().hex}")
    names = {f"cart-{number}" for number in range(100)}
    await asyncio.gather(*(opened.put(name, None, b"x", touched=1, seconds=60) for name in names))
    assert {name async for name in opened.names()} == names
    assert {name for name, _ in await opened.idle(10, 1_000)} == names
    await opened.close()


async def test_a_cluster_says_its_version_by_any_of_its_masters(memory_url: str) -> None:
    assert (await ping("memory", memory_url)).count(".") == 2


@pytest.mark.parametrize(
    ("url", "error", "told"),
    [
        ("redis+cluster://127.0.0.1:1", EngineAwayError, "memory engine does not answer"),
        ("redis+sentinel://127.0.0.1:1?name=main", EngineAwayError, "memory engine does not answer"),
        ("redis+sentinel://127.0.0.1:1", BadInputError, "names no master"),
        ("redis+cluster://127.0.0.1:1?also=here", BadInputError, "give host:port"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said(url: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        await RedisCache(url).open()


async def test_no_cancellation_is_forgotten_where_sentinels_are_asked(engines_home: Path) -> None:
    async with sentinel(engines_home / "redis-sentinel-asked") as (url, _):
        await test_no_cancellation_is_forgotten_whenever_it_comes(url)


async def replicated(master: Client) -> bool:
    """Say whether the replica has all that the master took; asked for less long than the client waits for an answer."""
    return int(await master.wait(1, 500)) > 0


async def test_when_the_master_ends_the_sentinel_names_its_replica_and_writes_go_on(engines_home: Path) -> None:
    async with sentinel(engines_home / "redis-sentinel") as (url, master):
        store = RedisMemory(url)
        await store.open()
        async with fresh(Case(store, body)) as home:
            await home.apply(home.item("thing/1", 1), at=1)
            await until(lambda: replicated(master))
            with contextlib.suppress(RedisConnectionError, RedisTimeoutError):  # it ends without an answer
                await master.shutdown(nosave=True, now=True)

            async def written() -> bool:
                try:
                    await home.apply(home.item("thing/1", 2), at=2)
                except EngineAwayError:
                    return False
                return True

            await until(written)
            assert await home.live() == [home.item("thing/1", 2)]
        await store.close()

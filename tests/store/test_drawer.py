"""The drawer on a real Redis: compare-and-set, the index of idle names, and what a kill -9 leaves."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import ResponseError

from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import DRAWER_SECONDS_MAX
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.local.process import running
from entrepot.local.redis import Redis
from tests.conftest import SECRET

DAY = 86_400.0


@pytest.fixture
async def drawer(memory_url: str) -> AsyncIterator[RedisDrawer]:
    """Return a drawer that nobody has put anything in."""
    opened = RedisDrawer(memory_url, f"test-{uuid4().hex}")
    await opened.open()
    yield opened
    await opened.close()


async def test_what_is_put_in_is_found_until_its_time_is_over(drawer: RedisDrawer) -> None:
    assert await drawer.load("a") is None
    assert await drawer.put("a", None, b"1", touched=5, seconds=DAY)
    assert await drawer.load("a") == b"1"
    assert await drawer.put("a", b"1", b"2", touched=6, seconds=0.001)
    async with asyncio.timeout(DRAWER_SECONDS_MAX):
        while await drawer.load("a") is not None:
            pass


async def test_only_who_knows_what_is_there_may_change_it(drawer: RedisDrawer) -> None:
    assert not await drawer.put("a", b"0", b"1", touched=1, seconds=DAY)
    assert await drawer.put("a", None, b"1", touched=1, seconds=DAY)
    assert not await drawer.put("a", None, b"2", touched=2, seconds=DAY)
    assert not await drawer.put("a", b"3", b"2", touched=2, seconds=DAY)
    assert await drawer.load("a") == b"1"


async def test_of_many_who_change_the_same_one_does_and_the_others_are_told(drawer: RedisDrawer) -> None:
    await drawer.put("a", None, b"0", touched=1, seconds=DAY)
    answers = await asyncio.gather(*(drawer.put("a", b"0", b"%d" % n, touched=n, seconds=DAY) for n in range(1, 30)))
    assert sorted(answers) == [False] * 28 + [True]
    assert await drawer.load("a") == b"%d" % (answers.index(True) + 1)


async def test_every_change_of_many_writers_who_try_again_is_kept(drawer: RedisDrawer) -> None:
    async def count_one() -> None:
        done = False
        while not done:
            was = await drawer.load("counter")
            done = await drawer.put("counter", was, b"%d" % (int(was or 0) + 1), touched=1, seconds=DAY)

    await asyncio.gather(*(count_one() for _ in range(30)))
    assert await drawer.load("counter") == b"30"


async def test_idle_names_are_found_until_they_are_dismissed_or_touched(drawer: RedisDrawer) -> None:
    for number in range(1, 6):
        await drawer.put(f"cart-{number}", None, b"x", touched=number * 1000, seconds=DAY)
    assert sorted(await drawer.idle(3000, 10)) == [("cart-1", 1000), ("cart-2", 2000)]
    assert len(await drawer.idle(10_000, 2)) == 2
    await drawer.put("cart-1", b"x", b"y", touched=9000, seconds=DAY)
    await drawer.dismiss([("cart-1", 1000), ("cart-2", 2000)])
    assert dict(await drawer.idle(10_000, 10)) == {"cart-1": 9000, "cart-3": 3000, "cart-4": 4000, "cart-5": 5000}
    await drawer.put("cart-3", b"x", b"z", touched=None, seconds=DAY)
    assert "cart-3" not in dict(await drawer.idle(10_000, 10))


async def test_a_server_that_has_forgotten_the_script_is_told_it_again(drawer: RedisDrawer) -> None:
    await drawer.put("a", None, b"1", touched=1, seconds=DAY)
    await drawer._redis.script_flush()
    assert await drawer.put("a", b"1", b"2", touched=1, seconds=DAY)


async def test_of_what_is_asked_together_each_has_its_own_answer_or_error(drawer: RedisDrawer) -> None:
    await drawer.put("a", None, b"1", touched=1, seconds=DAY)
    await drawer._redis.hset(drawer._keys("no text")[0], "field", "value")
    asked = [drawer.load(name) for name in ("a", "no text", "b", "a")]
    first, second, third, fourth = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, third, fourth) == (b"1", None, b"1")
    assert isinstance(second, ResponseError)


async def test_what_was_answered_survives_a_kill_of_the_server_at_any_moment(engines_home: Path) -> None:
    home = engines_home / f"drawer_{uuid4().hex[:8]}"
    home.mkdir(mode=0o755)
    answered: dict[str, bytes] = {}
    async with running(Redis(), home, SECRET) as urls:
        drawer = RedisDrawer(urls["memory"], "test")
        writers = [asyncio.create_task(_write_until_away(drawer, f"cart-{n}", answered)) for n in range(8)]
        await _until_all_have_written(answered, 8)
        async with Client.from_url(urls["memory"]) as client:
            os.kill((await client.info("server"))["process_id"], signal.SIGKILL)
        await asyncio.gather(*writers)
        await drawer.close()
    async with running(Redis(), home, SECRET) as urls:
        drawer = RedisDrawer(urls["memory"], "test")
        found = {name: await drawer.load(name) for name in answered}
        assert [name for name, value in answered.items() if int(found[name] or 0) < int(value)] == []
        assert len(await drawer.idle(10**9, 100)) == len(answered)
        await drawer.close()


async def _until_all_have_written(answered: dict[str, bytes], names: int) -> None:
    async with asyncio.timeout(DRAWER_SECONDS_MAX):
        while True:
            await asyncio.sleep(0.01)
            if len(answered) == names and min(map(int, answered.values())) >= 20:
                return


async def _write_until_away(drawer: RedisDrawer, name: str, answered: dict[str, bytes]) -> None:
    """Count up under a name and note what was answered, until the server is gone."""
    was: bytes | None = None
    for number in range(1, 1_000_000):
        now = b"%d" % number
        try:
            if not await drawer.put(name, was, now, touched=number, seconds=DAY):
                return  # the answer to the last one was lost with the connection
        except EngineAwayError:
            return
        answered[name] = was = now


async def test_a_server_that_is_away_is_told_as_such() -> None:
    drawer = RedisDrawer("redis://127.0.0.1:1", "test")
    with pytest.raises(EngineAwayError, match="memory engine does not answer"):
        await drawer.load("a")
    await drawer.close()

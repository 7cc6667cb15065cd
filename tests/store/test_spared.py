"""What an old engine still answers is added up where every process sees it, and is told later where that does not answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from entrepot.base.projection import Target
from entrepot.engines.memory.redis_cache import RedisCache
from entrepot.moving import spared as counting
from entrepot.moving.spared import Spared, spared
from tests.gate import gate_before

SECONDS_MAX = 60.0


@pytest.fixture
async def cache(memory_url: str) -> AsyncIterator[RedisCache]:
    opened = RedisCache(memory_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def targets() -> list[Target]:
    """Return two generations that no other test counts for."""
    return [Target(f"pages_{uuid4().hex}", 1), Target(f"facts_{uuid4().hex}", 3)]


async def until_counted(cache: RedisCache, names: Sequence[str]) -> int:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if counted := await spared(cache, names):
                return counted
            await asyncio.sleep(0.01)


async def test_all_processes_are_counted_together(cache: RedisCache, targets: list[Target]) -> None:
    pages, facts = targets
    for target in (pages, pages, facts):
        one = Spared(cache)
        one.note(target)
        await one.close()
    both = [pages.name, facts.name]
    assert (await spared(cache, both), await spared(cache, [facts.name]), await spared(cache, [])) == (3, 1, 0)


async def test_it_is_told_soon_while_the_process_goes_on(
    cache: RedisCache, targets: list[Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOVE_TELL_SECONDS", 0.001)
    one = Spared(cache)
    one.note(targets[0])
    assert await until_counted(cache, [each.name for each in targets]) == 1
    await one.close()


async def test_what_could_not_be_told_is_told_later_and_once(memory_url: str, cache: RedisCache, targets: list[Target]) -> None:
    port = urlsplit(memory_url).port
    assert port is not None
    async with gate_before(port) as gate:
        behind = RedisCache(memory_url.replace(f":{port}", f":{gate.port}"))
        one = Spared(behind)
        await gate.stand("refusing")
        one.note(targets[0])
        await one.close()
        assert await spared(cache, [targets[0].name]) == 0
        await gate.stand("open")
        one.note(targets[0])
        await one.close()
        await one.close()
        await behind.close()
    assert await spared(cache, [targets[0].name]) == 2

"""What an old engine still answers is added up where every process sees it, and is told later where that does not answer."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import pytest

from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Target
from entrepot.moving import spared as counting
from entrepot.moving.spared import Spared, spared

PAGES, FACTS = Target("pages", 1), Target("facts", 3)
NAMES = [PAGES.name, FACTS.name]
SECONDS_MAX = 60.0


class Shared:
    """A cache that several processes share; away for as long as it is told to be."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.away, self.told = False, asyncio.Event()

    async def add(self, amounts: Mapping[str, int], seconds: float) -> dict[str, int]:
        """Add them, for longer than a test lasts."""
        assert seconds
        self.told.set()
        if self.away:
            raise EngineAwayError("memory", "refused")
        self.kept.update(amounts)
        return {name: self.kept[name] for name in amounts}

    async def get(self, *names: str) -> list[bytes | None]:
        """Return what is kept."""
        return [str(self.kept[name]).encode() if name in self.kept else None for name in names]

    async def keep(self, name: str, value: bytes, seconds: float) -> None:
        """Nobody does."""
        raise NotImplementedError

    async def claim(self, name: str, seconds: float) -> bool:
        """Nobody does."""
        raise NotImplementedError

    async def forget(self, *names: str) -> None:
        """Nobody does."""
        raise NotImplementedError


async def test_all_processes_are_counted_together() -> None:
    cache = Shared()
    for target in (PAGES, PAGES, FACTS):
        one = Spared(cache)
        one.note(target)
        await one.close()
    assert (await spared(cache, NAMES), await spared(cache, [FACTS.name]), await spared(cache, [])) == (3, 1, 0)


async def test_it_is_told_soon_while_the_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOVE_TELL_SECONDS", 0.001)
    cache = Shared()
    one = Spared(cache)
    one.note(PAGES)
    async with asyncio.timeout(SECONDS_MAX):
        await cache.told.wait()
    assert await spared(cache, NAMES) == 1
    await one.close()


async def test_what_could_not_be_told_is_told_later_and_once() -> None:
    cache = Shared()
    cache.away = True
    one = Spared(cache)
    one.note(PAGES)
    await one.close()
    cache.away = False
    one.note(PAGES)
    await one.close()
    await one.close()
    assert await spared(cache, NAMES) == 2

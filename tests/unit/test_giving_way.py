"""Who fills a generation gives way where readers are slow, for a while, and goes on where they are quick or nobody reads."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from entrepot.base.errors import EngineAwayError
from entrepot.log import giving_way
from entrepot.log.giving_way import GivingWay

SLOW_SECONDS = 0.2


class Read:
    """What is read: takes as long as it is told, each time."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = list(seconds)

    @property
    def left(self) -> int:
        return len(self._seconds)

    async def ask(self) -> None:
        await asyncio.sleep(self._seconds.pop(0))


async def given_way(read: Read) -> int:
    """Ask once to learn how quick it is, and then give way; return how many answers were left over."""
    way = GivingWay()
    await way.until_quick(read.ask)
    await way.until_quick(read.ask)
    return read.left


async def test_who_fills_waits_until_readers_are_answered_quickly_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", SLOW_SECONDS / 4)
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS_MAX", 100 * SLOW_SECONDS)
    assert await given_way(Read(0.0, SLOW_SECONDS, SLOW_SECONDS, 0.0, 0.0)) <= 1


async def test_who_fills_goes_on_after_a_while_however_slow_readers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", 0.001)
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS_MAX", 0.0)
    assert await given_way(Read(0.0, SLOW_SECONDS, SLOW_SECONDS)) == 1


@pytest.mark.parametrize("way", ["quick", "away"])
async def test_who_fills_goes_on_at_once_where_nobody_is_held_up(way: str) -> None:
    async def away() -> None:
        raise EngineAwayError("search", "it is away")

    read = Read(0.0)
    ask: Callable[[], Awaitable[None]] = read.ask if way == "quick" else away
    await GivingWay().until_quick(ask)
    assert read.left == (way == "away")

"""Gathering: what is asked at the same time is one call, and calls that are dear begin some time apart."""

import asyncio
from collections.abc import Sequence

from entrepot.record.gathering import Gathering

APART_SECONDS = 0.02


async def double(asked: Sequence[int]) -> list[int]:
    return [2 * one for one in asked]


async def test_a_lone_one_waits_for_nobody_and_those_that_come_too_soon_are_the_next_call() -> None:
    gathering = Gathering[int, int](double, apart_seconds=APART_SECONDS)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await gathering.ask(1) == 2
    assert loop.time() - began < APART_SECONDS
    assert await asyncio.gather(*(gathering.ask(n) for n in (2, 3, 4))) == [4, 6, 8]
    assert loop.time() - began >= APART_SECONDS
    assert gathering.sizes == {1: 1, 3: 1}


async def test_a_gathering_that_is_closed_answers_what_waits_for_its_time() -> None:
    gathering = Gathering[int, int](double, apart_seconds=APART_SECONDS)
    waiting = [gathering.put(n) for n in (1, 2)]
    await gathering.close()
    late = gathering.put(3)
    await gathering.close()
    assert [one.result() for one in (*waiting, late)] == [2, 4, 6]

"""How many reads one caller has: counted by each process, summed over all of them, with or without the memory engine."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from entrepot.api.read_budget import ReadBudget, TooManyReadsError
from entrepot.base.time import FixedClock
from entrepot.engines.memory.redis_cache import RedisCache

NOWHERE = "redis://127.0.0.1:1"
NOON = 1_700_000_000_000 // 60_000 * 60_000
MOST = 100


@pytest.fixture
async def cache(memory_url: str) -> AsyncIterator[RedisCache]:
    opened = RedisCache(memory_url)
    yield opened
    await opened.close()


def spend(budget: ReadBudget, times: int, caller: str = "person/1") -> None:
    for _ in range(times):
        budget.spend(caller)


async def test_what_processes_count_apart_is_one_budget(cache: RedisCache) -> None:
    make = partial(ReadBudget, FixedClock(NOON), MOST, cache, "sum-of-{}".format)
    one, other = make(), make()
    spend(one, 60)
    spend(other, 40)
    for budget in (one, other, one):
        await budget.tell()
    with pytest.raises(TooManyReadsError, match="100 reads in 60 s"):
        spend(one, 1)
    spend(one, 1, "person/2")


async def test_the_next_minute_is_another_budget_and_an_old_sum_does_not_count_in_it(cache: RedisCache) -> None:
    clock = FixedClock(NOON)
    budget = ReadBudget(clock, MOST, cache, "next-{}".format)
    spend(budget, MOST)
    with pytest.raises(TooManyReadsError) as full:
        spend(budget, 1)
    assert full.value.facts["retry_seconds"] == 60
    await budget.tell()
    clock.now += 60_000
    spend(budget, MOST)


async def test_without_the_memory_engine_each_process_counts_alone() -> None:
    away = RedisCache(NOWHERE)
    budget = ReadBudget(FixedClock(NOON), MOST, away, str)
    spend(budget, MOST)
    await budget.tell()
    with pytest.raises(TooManyReadsError):
        spend(budget, 1)
    await away.close()

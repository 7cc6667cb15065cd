"""The work of `bench engines`, a little of it, on a real engine."""

import pytest

from entrepot.bench import BenchError
from entrepot.bench.engines.filling import Place, filled, opened_work
from entrepot.bench.engines.measure import measure, server_at

SHARE = 0.01


async def test_an_engine_is_filled_asked_and_left_empty(memory_url: str) -> None:
    async with opened_work(Place("memory", memory_url, SHARE)) as work:
        made: list[tuple[int, int | None]] = []

        async def fill(generation: int, read: int | None) -> float:
            made.append((generation, read))
            await work.fill(generation, read)
            return 0.1

        found = await measure(work, fill, memory_url, None, kill=False)
        assert (found.unit, found.amount) == ("levels", 200)
        assert min(found.cold, found.warm, found.rebuilt_seconds, found.p50) > 0
        assert found.p99 >= found.p50
        assert made == [(1, None), (2, None), (3, 2)]
        assert found.memory_bytes
        with pytest.raises(BenchError, match="with nothing"):
            await work.ask(0)


async def test_another_process_fills_what_this_one_asks(memory_url: str) -> None:
    async with opened_work(Place("memory", memory_url, SHARE)) as work:
        assert await filled(Place("memory", memory_url, SHARE), 4) > 0
        assert await filled(Place("memory", memory_url, SHARE), 5, 4) > 0
        work.answers_from(5)
        await work.ask(0)
        for generation in (4, 5):
            await work.drop(generation)


def test_the_server_behind_a_url_is_found_on_this_machine_only(memory_url: str) -> None:
    here = server_at(memory_url)
    assert here is not None
    assert "redis" in here.name()
    assert server_at("redis://example.org:6379") is None

"""The breaker: opens when an engine hangs, not when a question is hard; lets go of who waits; closes by itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from entrepot.base.breaker import Breaker, Patience, guarded
from entrepot.base.engine_limits import RETURN_ROOM_MAX
from entrepot.base.errors import EngineAwayError
from entrepot.base.return_by_degrees import Return

SECONDS_MAX = 60.0
SOON = Patience(0.001, None)


LONG = Patience(SECONDS_MAX, None)


class Counted:
    """Answers after a round of everybody else, and notes how many are asked at once."""

    def __init__(self) -> None:
        self.now, self.at_once = 0, list[int]()

    async def ask(self) -> str:
        self.now += 1
        self.at_once.append(self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return "answer"


class Engine:
    """Answers while ``there`` is set; notes that it was ``asked``, and how many are ``asking``.

    ``hard`` questions wait for their own answer.
    """

    def __init__(self) -> None:
        self.asked, self.asking = asyncio.Event(), 0
        self.there, self.hard = asyncio.Event(), asyncio.Event()

    async def ask(self) -> str:
        self.asked.set()
        self.asking += 1
        try:
            await self.there.wait()
        finally:
            self.asking -= 1
        return "answer"

    async def work(self) -> str:
        await self.hard.wait()
        return "found"


@pytest.fixture
async def engine() -> Engine:
    return Engine()


@pytest.fixture
async def breaker(engine: Engine) -> AsyncIterator[Breaker]:
    made = Breaker("memory", engine.ask, 0.05)
    yield made
    await made.close()


async def until_closed(breaker: Breaker) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if not breaker.doubted:
                return
            await asyncio.sleep(0.001)


async def test_whoever_waits_for_an_engine_that_hangs_is_let_go(engine: Engine, breaker: Breaker) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        with pytest.raises(EngineAwayError, match="hangs"):
            await guarded(engine, breaker, SOON).ask()


async def test_whoever_comes_while_it_is_open_is_not_kept_waiting(engine: Engine, breaker: Breaker) -> None:
    with pytest.raises(EngineAwayError):
        await guarded(engine, breaker, SOON).ask()
    with pytest.raises(EngineAwayError):
        breaker.waiting(Patience(SECONDS_MAX, None))
    assert breaker.sentence.startswith("The memory engine does not answer")


async def test_it_closes_when_the_engine_answers_again(engine: Engine, breaker: Breaker) -> None:
    with pytest.raises(EngineAwayError):
        await guarded(engine, breaker, SOON).ask()
    engine.there.set()
    await until_closed(breaker)
    assert (breaker.sentence, await guarded(engine, breaker, SOON).ask()) == ("", "answer")


async def test_a_hard_question_to_an_engine_that_answers_opens_nothing(engine: Engine, breaker: Breaker) -> None:
    engine.there.set()
    working = asyncio.ensure_future(guarded(engine, breaker, SOON).work())
    async with asyncio.timeout(SECONDS_MAX):
        await engine.asked.wait()
    await until_closed(breaker)
    engine.hard.set()
    assert await working == "found"


async def test_an_engine_that_is_busy_with_others_is_not_away(engine: Engine) -> None:
    busy = Breaker("memory", engine.ask, 0.2)  # it does not answer what the breaker asks, but a question meanwhile
    working = asyncio.ensure_future(guarded(engine, busy, LONG).work())
    busy.doubt()
    async with asyncio.timeout(SECONDS_MAX):
        await engine.asked.wait()
        engine.hard.set()
        assert await working == "found"
    await until_closed(busy)
    assert busy.back is None, "it was open"
    await busy.close()


async def test_an_engine_that_answers_late_is_back_at_once(engine: Engine) -> None:
    late = Breaker("memory", engine.ask, SECONDS_MAX)
    late._seconds = 0.05  # as soon as in the other tests; and then it may take as long as it wants
    with pytest.raises(EngineAwayError):
        await guarded(engine, late, SOON).ask()
    engine.asked.clear()
    engine.there.set()
    await until_closed(late)
    assert not engine.asked.is_set(), "it was asked again"
    await late.close()


async def test_who_comes_to_an_engine_that_is_back_is_let_in_by_degrees(engine: Engine, breaker: Breaker) -> None:
    with pytest.raises(EngineAwayError):
        await guarded(engine, breaker, SOON).ask()
    engine.there.set()
    await until_closed(breaker)
    asked = Counted()
    asking = [asyncio.ensure_future(guarded(asked, breaker, LONG).ask()) for _ in range(RETURN_ROOM_MAX + 8)]
    async with asyncio.timeout(SECONDS_MAX):
        assert await asyncio.gather(*asking) == ["answer"] * len(asking)
    assert asked.at_once[:3] == [1, 1, 2]
    assert breaker.back is None, "somebody is still kept waiting"


async def test_who_waits_for_a_turn_waits_no_longer_than_for_an_answer(engine: Engine, breaker: Breaker) -> None:
    breaker.back = Return()
    working = asyncio.ensure_future(guarded(engine, breaker, LONG).work())
    with pytest.raises(EngineAwayError, match="no answer within"):
        await guarded(engine, breaker, Patience(0.001, 0.01)).work()
    engine.hard.set()
    assert await working == "found"
    assert await guarded(engine, breaker, LONG).work() == "found"


async def test_who_does_as_well_without_does_not_wait_for_the_doubt_to_be_cleared(engine: Engine, breaker: Breaker) -> None:
    breaker.doubt()
    with pytest.raises(EngineAwayError):
        await guarded(engine, breaker, Patience(SECONDS_MAX, None, beside=True)).ask()


async def test_a_breaker_that_is_closed_asks_nobody_any_longer(engine: Engine, breaker: Breaker) -> None:
    waiting = asyncio.create_task(guarded(engine, breaker, SOON).ask())
    await engine.asked.wait()
    engine.asked.clear()
    await engine.asked.wait()  # the breaker asks, too
    await breaker.close()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert engine.asking == 0


async def test_an_engine_that_refuses_at_once_is_heard_by_who_asks() -> None:
    async def refuse() -> None:
        raise EngineAwayError("memory", "connection refused")

    breaker = Breaker("memory", refuse, 0.05)
    breaker.doubt()
    await until_closed(breaker)
    with pytest.raises(EngineAwayError, match="connection refused"):
        await breaker.check()

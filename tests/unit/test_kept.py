"""While a move keeps two engines fed, the old one answers what the new one does not; nobody waits, and it is counted."""

import asyncio

import pytest

from entrepot.base.breaker import Breaker, Patience
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.projection import Target
from entrepot.engines import kept
from entrepot.engines.kept import KeptReader, Side

NEW, OLD = Target("things", 2, engine="new"), Target("things", 1, engine="old")
SOON = Patience(0.01, 0.05)


class Engines:
    """Both of them behind one port; each does as it is told, and notes who was asked."""

    def __init__(self) -> None:
        self.does: dict[str, str] = {}
        self.asked: list[str] = []

    async def search(self, target: Target, text: str) -> str:
        """Answer, hang, be away, or know no such cursor."""
        self.asked.append(target.engine)
        await asyncio.sleep(0)
        match self.does.get(target.engine, "answers"):
            case "hangs":
                await asyncio.Event().wait()
            case "is away":
                raise EngineAwayError("search", "refused")
            case "knows no such cursor":
                raise BadInputError("This is no cursor.")
        return f"{text} from {target.engine}"


class Reading(KeptReader):
    """A reader of two engines, until ``fed`` says that there is but one."""

    def __init__(self, engines: Engines) -> None:
        self.fed, self.breaker = True, Breaker("search", lambda: asyncio.sleep(0), 1.0)
        new, old = Side(self.breaker, SOON), Side(self.breaker, SOON)
        self.told: list[str] = []
        spared = lambda target: self.told.append(target.engine)  # noqa: E731  # one line says it
        super().__init__(engines, lambda _: OLD if self.fed else None, spared, alone=new, new=new, old=old)


async def ask(reading: KeptReader) -> object:
    return await reading.search(NEW, "pots")  # type: ignore[operator]  # a call of the port, found by its name


@pytest.fixture
def engines() -> Engines:
    return Engines()


@pytest.mark.parametrize("way", ["hangs", "is away", "knows no such cursor"])
async def test_what_the_new_engine_does_not_answer_the_old_one_answers_and_it_is_counted(engines: Engines, way: str) -> None:
    reading, engines.does = Reading(engines), {"new": way}
    assert await ask(reading) == "pots from old"
    assert (engines.asked, reading.told) == (["new", "old"], ["old"])


async def test_the_new_engine_answers_as_long_as_it_does(engines: Engines) -> None:
    reading = Reading(engines)
    assert (await ask(reading), reading.told) == ("pots from new", [])


async def test_an_engine_that_has_failed_is_left_alone_for_a_moment_and_then_asked_again(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, engines.does = Reading(engines), {"new": "is away"}
    await ask(reading)
    await ask(reading)
    assert engines.asked == ["new", "old", "old"]
    monkeypatch.setattr(kept, "KEPT_REST_SECONDS", 0.0)
    rested, engines.does = Reading(engines), {"new": "is away"}
    await ask(rested)
    engines.does = {}
    assert await ask(rested) == "pots from new"


async def test_where_the_old_engine_cannot_answer_the_new_one_is_asked_after_all(engines: Engines) -> None:
    reading, engines.does = Reading(engines), {"new": "is away"}
    await ask(reading)
    engines.does = {"old": "knows no such cursor"}
    assert await ask(reading) == "pots from new"


async def test_where_neither_answers_that_is_told(engines: Engines) -> None:
    reading, engines.does = Reading(engines), {"new": "is away", "old": "hangs"}
    with pytest.raises(EngineAwayError):
        await ask(reading)


async def test_an_engine_that_is_alone_is_asked_as_ever(engines: Engines) -> None:
    reading, engines.does = Reading(engines), {"new": "is away"}
    reading.fed = False
    with pytest.raises(EngineAwayError):
        await ask(reading)
    assert engines.asked == ["new"]


async def test_a_new_engine_is_asked_one_question_at_once_at_first_and_the_old_one_the_others(engines: Engines) -> None:
    reading = Reading(engines)
    answers = await asyncio.gather(*(ask(reading) for _ in range(3)))
    assert sorted(map(str, answers)) == ["pots from new", "pots from old", "pots from old"]
    assert reading.told == ["old", "old"]


async def test_an_engine_that_readers_were_at_before_is_asked_everything_at_once(engines: Engines) -> None:
    """As it is after a way back: nobody waits for the one that was left for its faults."""
    reading = Reading(engines)
    reading.fed = False
    await ask(reading)
    reading.fed = True
    assert await asyncio.gather(*(ask(reading) for _ in range(3))) == ["pots from new"] * 3
    other = Reading(engines)
    await asyncio.gather(*(ask(other) for _ in range(2)))  # of which the old one answered one
    engines.asked.clear()
    await asyncio.gather(*(other.search(OLD, "pots") for _ in range(3)))  # type: ignore[operator]  # as above
    assert engines.asked == ["old"] * 3

"""Who fills a generation gives way where readers are slow, and goes on where they are quick or nobody reads."""

import pytest

from entrepot.base.engine_limits import GIVE_WAY_SECONDS
from entrepot.base.errors import EngineAwayError
from entrepot.log.giving_way import GivingWay


def test_an_answer_is_slow_that_takes_far_longer_than_the_quickest_has() -> None:
    way = GivingWay()
    said = [way.is_quick(seconds) for seconds in (0.5, 0.001, 0.001 + GIVE_WAY_SECONDS, 0.5, 0.002)]
    assert said == [True, True, True, False, True]


@pytest.mark.parametrize("away", [False, True])
async def test_who_fills_goes_on_at_once_where_nobody_is_held_up(*, away: bool) -> None:
    asked = []

    async def ask() -> None:
        asked.append(away)
        if away:
            raise EngineAwayError("search", "it is away")

    await GivingWay().until_quick(ask)
    assert asked == [away]


async def test_who_fills_asks_again_until_readers_are_answered_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    way, said = GivingWay(), [True, False, False]
    asked = []

    async def ask() -> None:
        asked.append(len(said))

    monkeypatch.setattr(way, "is_quick", lambda _: said.pop())
    await way.until_quick(ask)
    assert asked == [3, 2, 1]

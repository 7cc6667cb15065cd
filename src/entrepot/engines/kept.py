"""Reads while a role is moved: what the new engine does not answer in time is asked of the old one, as long as that is fed.

Equal answers are what a move proves before it switches readers, so nobody can tell who has answered; it is counted, the engine
room says so, and ``spared`` hears of each. The new engine is given as many questions at once as it answers soon, one at first
(``intake``), and is left alone for a moment where it has failed: what is too slow gets less to do.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from msgspec import Struct

from entrepot.base.breaker import Breaker, Patience
from entrepot.base.engine_limits import INTAKE_SLOW_SHARE, KEPT_REST_SECONDS
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.projection import Target
from entrepot.engines.intake import Intake

log = structlog.get_logger()

Kept = Callable[[Target], Target | None]
Spare = Callable[[Target], None]
Method = Callable[..., Awaitable[object]]


class Side(Struct, frozen=True):
    """One of two engines as a reader sees it: its breaker, and how long is waited for it."""

    breaker: Breaker
    patience: Patience


class KeptReader:
    """Keeps a role's port for who answers requests: each call is bounded, and has a second engine while there are two.

    ``alone`` is how the engine that is read is waited for where there is no other; ``new`` and ``old`` where there is.
    """

    def __init__(self, driver: object, kept: Kept, spared: Spare, alone: Side, new: Side, old: Side) -> None:
        self._driver, self._kept, self._spared = driver, kept, spared
        self._alone, self._new, self._old = alone, new, old
        self._resting_until = 0.0
        self._used_to: str | None = None
        self._intake_of: str | None = None

    def __getattr__(self, name: str) -> object:
        """Return a call of the port."""
        if name.startswith("_"):
            raise AttributeError(name)
        call = partial(self._call, getattr(self._driver, name))
        setattr(self, name, call)  # the next call finds it without asking here
        return call

    async def _call(self, method: Method, target: Target, *given: object, **named: object) -> object:
        kept = self._kept(target)
        if kept is None:
            self._used_to = target.engine
            async with self._alone.breaker.waiting(self._alone.patience):
                return await method(target, *given, **named)

        async def new() -> object:
            async with self._new.breaker.waiting(self._new.patience):
                return await method(target, *given, **named)

        async def old() -> object:
            async with self._old.breaker.waiting(self._old.patience):
                answer = await method(kept, *given, **named)
            self._used_to = kept.engine
            self._spared(kept)
            return answer

        intake = self._entered(target)
        if intake is None:
            try:
                return await old()
            except (BadInputError, EngineAwayError):  # of a place in a list that the new engine gave, say
                return await new()
        try:
            return await self._taken_in(intake, new)
        except (BadInputError, EngineAwayError):  # the first the other way round: a list that was begun before goes on
            return await old()

    def _entered(self, target: Target) -> Intake | None:
        """Take a place at the new engine; None where there is none. One that readers were at before has places for all."""
        if target.engine != self._intake_of:
            places = math.inf if target.engine == self._used_to else 1.0
            self._intake_of, self._intake = target.engine, Intake(INTAKE_SLOW_SHARE * self._new.patience.doubt_seconds, places)
        now = asyncio.get_running_loop().time()
        return self._intake if now >= self._resting_until and self._intake.enter(now) else None

    async def _taken_in(self, intake: Intake, ask: Callable[[], Awaitable[object]]) -> object:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            return await ask()
        except EngineAwayError as error:
            if now() >= self._resting_until:
                intake.fail()
                log.warning("engine.old_one_answers", role=self._new.breaker.role, why=str(error))
            self._resting_until = now() + KEPT_REST_SECONDS
            raise
        finally:
            intake.leave(now() - began)

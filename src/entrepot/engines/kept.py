"""Reads while a role is moved: what the new engine does not answer in time is asked of the old one, as long as that is fed.

Equal answers are what a move proves before it switches readers, so nobody can tell who has answered; it is counted, the engine
room says so, and ``spared`` hears of each. An engine that has just failed is left alone for a moment: what is too slow gets
less to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from msgspec import Struct

from entrepot.base.breaker import Breaker, Patience
from entrepot.base.engine_limits import KEPT_REST_SECONDS
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.projection import Target

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
            async with self._alone.breaker.waiting(self._alone.patience):
                return await method(target, *given, **named)

        async def of(side: Side, which: Target) -> object:
            async with side.breaker.waiting(side.patience):
                answer = await method(which, *given, **named)
            if side is self._old:
                self._spared(which)
            return answer

        if asyncio.get_running_loop().time() < self._resting_until:
            try:
                return await of(self._old, kept)
            except (BadInputError, EngineAwayError):  # of a place in a list that the new engine gave, say
                return await of(self._new, target)
        try:
            return await of(self._new, target)
        except EngineAwayError as error:
            self._rest(error)
            return await of(self._old, kept)
        except BadInputError:  # the other way round: a list that was begun before readers were switched goes on
            return await of(self._old, kept)

    def _rest(self, error: EngineAwayError) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._resting_until:
            log.warning("engine.old_one_answers", role=self._new.breaker.role, why=str(error))
        self._resting_until = now + KEPT_REST_SECONDS

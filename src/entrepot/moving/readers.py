"""The engines as those have them who answer requests: each call bounded, and with a second engine where a move keeps one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from msgspec import structs

from entrepot.base import limits
from entrepot.base.breaker import Breaker, Patience, guarded
from entrepot.base.engine_limits import BESIDE_SHARE, DOUBT_SHARE, NEEDED_SHARE
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Position
from entrepot.base.projection import Projection, Slot, Target
from entrepot.engines.kept import KeptReader, Side
from entrepot.log.live import LiveTargets
from entrepot.moving.places import MOVABLE
from entrepot.moving.stores import Stores
from entrepot.settings import Settings


def needed(settings: Settings) -> Patience:
    """Return how long a request waits for an engine that it needs."""
    return Patience(DOUBT_SHARE * settings.engine_seconds, NEEDED_SHARE * settings.engine_seconds)


def beside(settings: Settings) -> Patience:
    """Return how long a request waits for an engine that it does as well without."""
    seconds = BESIDE_SHARE * settings.engine_seconds
    return Patience(seconds / 2, seconds, beside=True)


def breakers_of(settings: Settings, stores: Stores, live: LiveTargets, every: Sequence[Projection]) -> dict[str, Breaker]:
    """Return a breaker for the engine of each projection; it asks for a position, the least that a reader asks."""
    slot = Slot(settings.cell)

    def breaker(one: Projection) -> Breaker:
        return Breaker(one.role, lambda: stores.of(one).position(live.target(one.name), slot), settings.engine_seconds)

    return {one.role: breaker(one) for one in every}


@asynccontextmanager
async def open_readers(
    settings: Settings, stores: Stores, live: LiveTargets, every: Sequence[Projection], breakers: Mapping[str, Breaker]
) -> AsyncIterator[Stores]:
    """Return the stores for who answers requests. Sums over years may take their time, of an engine that answers."""
    kept = _kept_breakers(settings, stores, live, every)
    patience = {role: needed(settings) for role in breakers}
    patience["columns"] = Patience(patience["columns"].doubt_seconds, limits.SUM_SECONDS_MAX)
    # Both of two engines have to find their place in what a request may wait.
    half = Patience(needed(settings).doubt_seconds / 2, NEEDED_SHARE * settings.engine_seconds / 2)
    read: dict[str, object] = {}
    for role, one in breakers.items():
        driver = getattr(stores, role)
        if role in kept:
            alone, new, old = Side(one, patience[role]), Side(one, half), Side(kept[role], half)
            read[role] = KeptReader(driver, lambda target: live.kept(target.projection), alone, new, old)
        else:
            read[role] = guarded(driver, one, patience[role])
    try:
        yield structs.replace(stores, **read)
    finally:
        for breaker in kept.values():
            await breaker.close()


def _kept_breakers(settings: Settings, stores: Stores, live: LiveTargets, every: Sequence[Projection]) -> dict[str, Breaker]:
    """Return a breaker for the engine that a role's move has left and keeps fed; it asks for a position there."""
    return {
        one.role: Breaker(one.role, partial(_asked_kept, settings, stores, live, one), settings.engine_seconds)
        for one in every
        if one.role in MOVABLE
    }


async def _asked_kept(settings: Settings, stores: Stores, live: LiveTargets, one: Projection) -> Position:
    target: Target | None = live.kept(one.name)
    if target is None:
        raise EngineAwayError(one.role, "the move that kept it has ended")
    return await stores.of(one).position(target, Slot(settings.cell))

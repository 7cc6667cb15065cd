"""The engines as those have them who answer requests: each call bounded, and with a second engine where a move keeps one."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
from entrepot.engines.memory.port import Cache
from entrepot.log.live import LiveTargets
from entrepot.moving.places import MOVABLE
from entrepot.moving.spared import Spared
from entrepot.moving.stores import Stores
from entrepot.settings import Settings


def needed(settings: Settings) -> Patience:
    """Return how long a request waits for an engine that it needs."""
    return Patience(DOUBT_SHARE * settings.engine_seconds, NEEDED_SHARE * settings.engine_seconds)


def beside(settings: Settings) -> Patience:
    """Return how long a request waits for an engine that it does as well without."""
    seconds = BESIDE_SHARE * settings.engine_seconds
    return Patience(seconds / 2, seconds, beside=True)


def breakers_of(
    settings: Settings, stores: Stores, every: Sequence[Projection], lies: Callable[[str], Target | None]
) -> dict[str, Breaker]:
    """Return a breaker for the engine where each role's projection lies; it asks for a position, the least a reader asks."""

    async def ask(one: Projection) -> Position:
        if (target := lies(one.name)) is None:
            raise EngineAwayError(one.role, "the move that kept it has ended")
        return await stores.of(one).position(target, Slot(settings.cell))

    return {one.role: Breaker(one.role, partial(ask, one), settings.engine_seconds) for one in every}


@asynccontextmanager
async def open_readers(
    settings: Settings,
    stores: Stores,
    live: LiveTargets,
    every: Sequence[Projection],
    breakers: Mapping[str, Breaker],
    cache: Cache,
) -> AsyncIterator[Stores]:
    """Return the stores for who answers requests. Sums over years may take their time, of an engine that answers."""
    kept, spared = breakers_of(settings, stores, [one for one in every if one.role in MOVABLE], live.kept), Spared(cache)
    patience = {role: needed(settings) for role in breakers}
    patience["columns"] = Patience(patience["columns"].doubt_seconds, limits.SUM_SECONDS_MAX)
    # Both of two engines have to find their place in what a request may wait.
    half = Patience(needed(settings).doubt_seconds / 2, NEEDED_SHARE * settings.engine_seconds / 2)
    read: dict[str, object] = {}
    for role, one in breakers.items():
        driver = getattr(stores, role)
        if role in kept:
            alone, new, old = Side(one, patience[role]), Side(one, half), Side(kept[role], half)
            read[role] = KeptReader(driver, lambda target: live.kept(target.projection), spared.note, alone, new, old)
        else:
            read[role] = guarded(driver, one, patience[role])
    try:
        yield structs.replace(stores, **read)
    finally:
        await spared.close()
        for breaker in kept.values():
            await breaker.close()

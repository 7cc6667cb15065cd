"""What the engine that a move has left still answers in the place of the new one, of all processes together.

Each process counts for itself and adds it in the cache; there it is known until nothing was added for a while. So whoever
finishes a move sees whether the new engine can be alone. Owns these counts and nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from entrepot.base.ending import ended
from entrepot.base.engine_limits import MOVE_CALM_SECONDS, MOVE_TELL_SECONDS
from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Target
from entrepot.engines.memory.port import Cache
from entrepot.log.generations import generations
from entrepot.record.transaction import Record

log = structlog.get_logger()

_NAME = "move/spared/"


class Spared:
    """Counts what old engines have answered here, and tells it about once a second."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._counts: Counter[str] = Counter()
        self._telling: asyncio.Task[None] | None = None

    def note(self, target: Target) -> None:
        """Count one question that this generation of an old engine has answered."""
        self._counts[target.name] += 1
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell_soon())

    async def close(self) -> None:
        """Tell what is left to be told."""
        if self._telling is not None:
            await ended(self._telling)
        if self._counts:
            await self._tell()

    async def _tell_soon(self) -> None:
        await asyncio.sleep(MOVE_TELL_SECONDS)
        await self._tell()

    async def _tell(self) -> None:
        counts = dict(self._counts)
        try:
            await self._cache.add({f"{_NAME}{name}": count for name, count in counts.items()}, MOVE_CALM_SECONDS)
        except EngineAwayError as error:
            log.warning("move.spared_not_told", why=str(error))  # it is told with what is counted next
        else:
            self._counts.subtract(counts)
            self._counts = +self._counts


async def spared(cache: Cache, names: Sequence[str]) -> int:
    """Return how many questions these generations have answered since nobody asked them for a while; 0 while that is so."""
    found = await cache.get(*(f"{_NAME}{name}" for name in names)) if names else []
    return sum(int(each) for each in found if each is not None)


async def spared_beside(record: Record, cache: Cache, projections: Sequence[str]) -> int:
    """Return the same of what lies beside of these projections: of the engine that a move has left."""
    left = await generations(record, projections, ("beside",))
    return await spared(cache, [one.target.name for one in left])

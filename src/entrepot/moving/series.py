"""Series on the move: points go to both engines, those of before are copied, and what was copied is compared point by point.

Points are in no log, so they are read where they are and written where they shall be; the same point overwrites, so what is
copied twice counts once. A process looks in the record every few seconds where series are: a copy begins when all must have.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from msgspec import Struct

from entrepot.base.engine_limits import SERIES_IN_MOTION_SECONDS, SERIES_KNOWN_SECONDS, SERIES_LOOK_SECONDS
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.time import Clock
from entrepot.engines.products import driver
from entrepot.engines.series.port import MINUTE_NS, MINUTES_DAYS, RAW_HOURS, Asked, Point, PointRefusal, SeriesStore, Span, Tier
from entrepot.log import moves
from entrepot.moving.places import Places
from entrepot.projections.service_pulse.query import ROLLED
from entrepot.record.transaction import Record

ROLE = "series"
NAMES = sorted({name for name, _, _ in ROLLED})

# How much of each tier is copied at once; an end of what is kept is left out, where points are going away.
_STEPS_NS: dict[Tier, int] = {"raw": 10 * MINUTE_NS, "minutes": 1_440 * MINUTE_NS}
_KEPT_NS: dict[Tier, int] = {"raw": (RAW_HOURS * 60 - 10) * MINUTE_NS, "minutes": (MINUTES_DAYS - 1) * 1_440 * MINUTE_NS}


class FollowedSeries:
    """``SeriesStore`` of the series' engine, wherever it is; while it is moved both are written, the live one is read."""

    def __init__(self, record: Record, places: Places) -> None:
        self._record, self._places = record, places
        self._stores: dict[str, SeriesStore] = {}
        self._left: list[SeriesStore] = []
        self._fed: list[str] = []
        self._missing = ""  # why one that is fed and not read cannot be
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None

    async def open(self) -> None:
        """Look where series are, and connect there."""
        self._looked_at = None
        await self._look()

    async def close(self) -> None:
        """Give every connection back."""
        stores, self._stores, self._left = [*self._stores.values(), *self._left], {}, []
        for store in stores:
            with suppress(EntrepotError):
                await store.close()

    async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
        """Keep these points in each engine that is fed; where one does not answer none is said to be kept.

        However long that takes, what is said to be kept is in all that were fed a look ago: a copy waits no longer than that.
        """
        refused, written = list[PointRefusal](), set[str]()
        while True:
            await self._look()
            if self._missing:
                raise EngineAwayError(ROLE, self._missing)
            missing = [(url, self._stores[url]) for url in self._fed if url not in written]
            if not missing:
                return refused
            for url, store in missing:
                refused += [one for one in await store.write(points, tier) if one not in refused]
                written.add(url)

    async def spans(self, asked: Asked) -> list[Span]:
        """Return what a field was, by step and by tags."""
        await self._look()
        return await self._stores[self._fed[0]].spans(asked)

    async def points(self, name: str, since_ns: int, until_ns: int, tier: Tier = "raw") -> list[Point]:
        """Return every point of a name."""
        await self._look()
        return await self._stores[self._fed[0]].points(name, since_ns, until_ns, tier)

    async def _look(self) -> None:
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._looked_at is None or now - self._looked_at >= SERIES_LOOK_SECONDS:
                await self._follow()
                self._looked_at = now

    async def _follow(self) -> None:
        """Connect where series are now. What is left is let go of at the next look: somebody may be asking it still."""
        async with self._record.committing() as connection:
            live = (await moves.live_engines(connection)).get(ROLE)
            move = await moves.under_way(connection, ROLE)
        names = [str(live.id) if live else "", *([str(move.beside_id)] if move else [])]
        fed = [await self._places.url(ROLE, name) for name in names]
        missing = ""
        for url in [url for url in fed if url not in self._stores]:
            store: SeriesStore = driver(ROLE, url)
            try:
                await store.open()
            except EngineAwayError as error:
                await store.close()
                if url == fed[0]:
                    raise
                missing = str(error)
            else:
                self._stores[url] = store
        self._missing = missing
        left, self._left = self._left, [self._stores.pop(url) for url in list(self._stores) if url not in fed]
        self._fed = fed
        for store in left:
            with suppress(EntrepotError):
                await store.close()


class Copied(Struct):
    """What a copy found: how many points there are, and how many of them were not there yet."""

    points: int = 0
    missing: int = 0


async def copied(from_: SeriesStore, to: SeriesStore, clock: Clock) -> Copied:
    """Copy until the other engine lacks nothing, once every process must know that it writes there, too; say what is there."""
    begun = clock.millis()
    while True:
        began = clock.millis()
        found = await _copy(from_, to, began * 1_000_000 - int(SERIES_IN_MOTION_SECONDS * 1e9))
        known = began - begun > (SERIES_KNOWN_SECONDS + SERIES_IN_MOTION_SECONDS) * 1_000
        if known and not found.missing:
            return found
        await asyncio.sleep(SERIES_LOOK_SECONDS)


async def _copy(from_: SeriesStore, to: SeriesStore, now_ns: int) -> Copied:
    """Write to another engine what it lacks, or has otherwise, of all that is kept until a moment; say how much that was."""
    found = Copied()
    async for tier, name, since_ns, until_ns in _parts(from_, now_ns):
        here = await from_.points(name, since_ns, until_ns, tier)
        if here:
            there = {_whole(one) for one in await to.points(name, since_ns, until_ns, tier)}
            missing = [one for one in here if _whole(one) not in there]
            await to.write(missing, tier)
            found.points, found.missing = found.points + len(here), found.missing + len(missing)
    return found


async def _parts(of: SeriesStore, until_ns: int) -> AsyncIterator[tuple[Tier, str, int, int]]:
    """Yield the parts of time in which there is something, by tier and name."""
    for tier, step_ns in _STEPS_NS.items():
        since_ns = (until_ns - _KEPT_NS[tier]) // step_ns * step_ns + step_ns
        for name in NAMES:
            fields = [field if tier == "raw" else f"{field}_count" for each, field, _ in ROLLED if each == name]
            asked = [
                Asked(name=name, field=field, since_ns=since_ns, until_ns=until_ns, step_ns=step_ns, tier=tier)
                for field in fields
            ]
            for at_ns in sorted({span.at_ns for each in asked for span in await of.spans(each)}):
                yield tier, name, at_ns, min(at_ns + step_ns, until_ns)


def _whole(one: Point) -> tuple[int, frozenset[tuple[str, str]], frozenset[tuple[str, float]]]:
    return one.at_ns, frozenset(one.tags.items()), frozenset(one.fields.items())

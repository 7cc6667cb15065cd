"""Points on their way to the series engine: acknowledged by the spool, sent when the engine is there."""

from collections.abc import Sequence

import structlog
from msgspec import msgpack

from entrepot.engines.series.port import Point, SeriesStore
from entrepot.engines.spool import Forwarder, Spool

log = structlog.get_logger()

_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(list[Point]).decode


class Collector:
    """Takes points in, and sends them when the engine is there."""

    def __init__(self, store: SeriesStore, spool: Spool) -> None:
        self._forwarder = Forwarder(_Packs(store), spool)

    async def keep(self, points: Sequence[Point]) -> None:
        """Acknowledge a batch: from now on it is not lost, wherever the engine is."""
        await self._forwarder.keep(_encode(list(points)))

    async def send(self) -> int:
        """Send all that waits, and return how many points that were; an ``EngineAwayError`` leaves the rest waiting."""
        return await self._forwarder.send()

    async def run(self) -> None:
        """Send until cancelled; while the engine is away, try ever more seldom."""
        await self._forwarder.run()


class _Packs:
    """A series engine as what packs of points go to: the same point overwrites."""

    def __init__(self, store: SeriesStore) -> None:
        self._store = store

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    async def take(self, packs: Sequence[bytes]) -> int:
        points = [point for pack in packs for point in _decode(pack)]
        for refusal in await self._store.write(points):
            log.warning("series.point_refused", series=refusal.point.name, why=refusal.reason)
        return len(points)

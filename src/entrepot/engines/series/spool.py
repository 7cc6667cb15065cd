"""What was said of a series and has not reached its engine yet: kept on disk, within bounds, until the engine has it.

A batch is acknowledged when it lies in a file of its own, whole and synced; its file goes only after the engine has answered.
A crash between the two sends it again, which changes nothing. Several processes may share the folder. When it is full, what is
new is refused and what was acknowledged stays.
"""

import asyncio
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from msgspec import msgpack

from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.ids import IdSource
from entrepot.engines.series.port import Point, SeriesStore

log = structlog.get_logger()

SPOOL_BYTES_MAX = 64 << 20
# After a try that found no engine: this long, then twice as long, at most the second.
AGAIN_SECONDS, AGAIN_SECONDS_MAX = 0.5, 30.0

# The engine works on one batch while the next is made ready. Which comes first is all the same: who makes a point again makes
# the same one.
BATCHES_AT_ONCE = 4

_SUFFIX = ".points"
_CHECK_BYTES = 4
_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(list[Point]).decode


class Spool:
    """Batches of points in a folder, the oldest first."""

    def __init__(self, folder: Path, ids: IdSource, bytes_max: int = SPOOL_BYTES_MAX) -> None:
        self._folder, self._ids, self._bytes_max = folder, ids, bytes_max
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, points: Sequence[Point]) -> None:
        """Keep a batch for good; a full spool is an ``EngineAwayError`` with what to do."""
        packed = _encode(list(points))
        kept = sum(size for _, size in self._sized())
        if kept + len(packed) > self._bytes_max:
            raise EngineAwayError(
                "series", f"and its spool in {self._folder} is full ({kept} bytes): bring the engine back, nothing new is kept"
            )
        name = self._ids.fresh().hex  # it begins with the time
        aside = self._folder / f"{name}.part"
        with aside.open("wb") as file:
            file.write(zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big") + packed)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self._folder / f"{name}{_SUFFIX}")
        folder = os.open(self._folder, os.O_RDONLY)  # a rename lasts when its folder does
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def waiting(self) -> list[Path]:
        """Return the batches that wait, the oldest first."""
        return sorted(path for path, _ in self._sized())

    def read(self, path: Path) -> list[Point] | None:
        """Return a batch; None when another process has sent it meanwhile, or the disk has damaged it (it is set aside)."""
        try:
            kept = path.read_bytes()
        except FileNotFoundError:
            return None
        check, packed = kept[:_CHECK_BYTES], kept[_CHECK_BYTES:]
        if zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big") != check:
            log.error("series.batch_damaged", path=str(path))
            path.replace(path.with_suffix(".damaged"))
            return None
        return _decode(packed)

    def forget(self, path: Path) -> None:
        """Keep a batch no longer: the engine has it."""
        path.unlink(missing_ok=True)

    def _sized(self) -> Iterator[tuple[Path, int]]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX):
                    try:
                        yield Path(entry.path), entry.stat().st_size
                    except FileNotFoundError:  # sent by another process between the two calls
                        continue


class Collector:
    """Takes points in, and sends them when the engine is there."""

    def __init__(self, store: SeriesStore, spool: Spool) -> None:
        self._store, self._spool = store, spool
        self._opened = False
        self._came = asyncio.Event()

    async def keep(self, points: Sequence[Point]) -> None:
        """Acknowledge a batch: from now on it is not lost, wherever the engine is."""
        await asyncio.to_thread(self._spool.keep, points)
        self._came.set()

    async def send(self) -> int:
        """Send all that waits, and return how many points that were; an ``EngineAwayError`` leaves the rest waiting."""
        if not self._opened:
            await self._store.open()
            self._opened = True
        paths = await asyncio.to_thread(self._spool.waiting)
        sent = 0
        for start in range(0, len(paths), BATCHES_AT_ONCE):
            some = map(self._send, paths[start : start + BATCHES_AT_ONCE])
            # All are waited for, also when one fails: none may go on behind the back of who asked.
            for done in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done
                sent += done
        return sent

    async def _send(self, path: Path) -> int:
        points = await asyncio.to_thread(self._spool.read, path)
        if points is None:
            return 0
        for refusal in await self._store.write(points):
            log.warning("series.point_refused", series=refusal.point.name, why=refusal.reason)
        await asyncio.to_thread(self._spool.forget, path)
        return len(points)

    async def run(self) -> None:
        """Send until cancelled; while the engine is away, try ever more seldom."""
        again = AGAIN_SECONDS
        try:
            while True:
                self._came.clear()
                try:
                    await self.send()
                except EntrepotError as error:  # away, or it refuses our URL: what waits is kept either way
                    log.warning("series.waiting", why=str(error))
                    await asyncio.sleep(again)
                    again = min(2 * again, AGAIN_SECONDS_MAX)
                else:
                    again = AGAIN_SECONDS
                    await self._came.wait()
        finally:
            await self._store.close()

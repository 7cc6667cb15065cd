"""What was acknowledged and has not reached its engine yet: kept on disk, within bounds, until the engine has it.

A pack of bytes is acknowledged when it lies in a file of its own, whole and synced; its file goes only after the engine has
answered. A crash between the two sends it again, which must change nothing: that is up to who takes it. Several processes may
share the folder. When it is full, what is new is refused and what was acknowledged stays.
"""

import asyncio
import fcntl
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import structlog
from msgspec import Struct

from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.ids import IdSource

log = structlog.get_logger()

SPOOL_BYTES_MAX = 64 << 20
# After a try that found no engine: this long, then twice as long, at most the second.
AGAIN_SECONDS, AGAIN_SECONDS_MAX = 0.5, 30.0
# Packs that another process has left behind are looked for this often.
LOOK_SECONDS = 10.0

# The engine works on one group of packs while the next is made ready. Which comes first is all the same: who takes a pack
# again is none the wiser.
GROUPS_AT_ONCE = 4

_SUFFIX = ".points"  # what the files were called when points alone were kept: an older process's packs are sent, too
_CHECK_BYTES = 4


class Spool:
    """Packs in a folder, the oldest first; ``role`` names the engine that they wait for."""

    def __init__(self, folder: Path, ids: IdSource, bytes_max: int = SPOOL_BYTES_MAX, *, role: str = "series") -> None:
        self.role, self._folder, self._ids, self._bytes_max = role, folder, ids, bytes_max
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, pack: bytes) -> None:
        """Keep a pack for good; a full spool is an ``EngineAwayError`` with what to do."""
        kept = sum(size for _, size in self._sized())
        if kept + len(pack) > self._bytes_max:
            raise EngineAwayError(
                self.role, f"and its spool in {self._folder} is full ({kept} bytes): bring the engine back, nothing new is kept"
            )
        name = self._ids.fresh().hex  # it begins with the time
        aside = self._folder / f"{name}.part"
        try:
            with aside.open("wb") as file:
                file.write(zlib.crc32(pack).to_bytes(_CHECK_BYTES, "big") + pack)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(self._folder / f"{name}{_SUFFIX}")
            self._sync()  # a rename lasts when its folder does
        except OSError as error:  # the disk is full
            aside.unlink(missing_ok=True)
            raise EngineAwayError(self.role, f"and nothing can be kept in {self._folder} ({error.strerror})") from error

    def waiting(self) -> list[Path]:
        """Return the packs that wait, the oldest first."""
        return sorted(path for path, _ in self._sized())

    def read(self, path: Path) -> bytes | None:
        """Return a pack; None when another process has sent it meanwhile, or the disk has damaged it (it is set aside)."""
        try:
            kept = path.read_bytes()
        except FileNotFoundError:
            return None
        check, pack = kept[:_CHECK_BYTES], kept[_CHECK_BYTES:]
        if zlib.crc32(pack).to_bytes(_CHECK_BYTES, "big") != check:
            log.error("spool.pack_damaged", path=str(path))
            path.replace(path.with_suffix(".damaged"))
            return None
        return pack

    def forget(self, path: Path) -> None:
        """Keep a pack no longer: the engine has it."""
        path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Say whether this is the one who sends what waits here, of all processes of this machine, until the block ends."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield True
                return
            yield False
        finally:
            os.close(folder)

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _sized(self) -> Iterator[tuple[Path, int]]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX):
                    try:
                        yield Path(entry.path), entry.stat().st_size
                    except FileNotFoundError:  # sent by another process between the two calls
                        continue


class Sink(Protocol):
    """Where packs go. An engine that does not answer is an ``EngineAwayError``; the same packs again must change nothing."""

    async def open(self) -> None:
        """Connect, and make what packs go into."""
        ...

    async def take(self, packs: Sequence[bytes]) -> int:
        """Have the engine keep what is in these packs, and return how much that was."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class Rhythm(Struct, frozen=True, kw_only=True):
    """How packs are sent: so many ``together``, and after a round nothing for ``rest`` seconds, in which more may gather."""

    together: int = 1
    rest: float = 0.0


class Forwarder:
    """Takes packs in, and sends them when the engine is there."""

    def __init__(self, sink: Sink, spool: Spool, rhythm: Rhythm | None = None) -> None:
        self._sink, self._spool, self._rhythm = sink, spool, rhythm or Rhythm()
        self._opened = False
        self._came = asyncio.Event()

    async def keep(self, pack: bytes) -> None:
        """Acknowledge a pack: from now on it is not lost, wherever the engine is."""
        await asyncio.to_thread(self._spool.keep, pack)
        self._came.set()

    async def send(self) -> int:
        """Send all that waits, and return how much that was; an ``EngineAwayError`` leaves the rest waiting.

        Nothing is sent while another process sends.
        """
        if not self._opened:
            await self._sink.open()
            self._opened = True
        with self._spool.alone() as alone:
            return await self._send_all() if alone else 0

    async def _send_all(self) -> int:
        paths = await asyncio.to_thread(self._spool.waiting)
        groups = [paths[start : start + self._rhythm.together] for start in range(0, len(paths), self._rhythm.together)]
        sent = 0
        for start in range(0, len(groups), GROUPS_AT_ONCE):
            some = map(self._send, groups[start : start + GROUPS_AT_ONCE])
            # All are waited for, also when one fails: none may go on behind the back of who asked.
            for done in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done
                sent += done
        return sent

    async def _send(self, paths: Sequence[Path]) -> int:
        packs = await asyncio.to_thread(lambda: [pack for path in paths if (pack := self._spool.read(path)) is not None])
        sent = await self._sink.take(packs) if packs else 0

        def forget() -> None:
            for path in paths:
                self._spool.forget(path)

        await asyncio.to_thread(forget)
        return sent

    async def run(self) -> None:
        """Send until cancelled; while the engine is away, try ever more seldom."""
        again = AGAIN_SECONDS
        try:
            while True:
                self._came.clear()
                try:
                    await self.send()
                except EntrepotError as error:  # away, or it refuses our URL: what waits is kept either way
                    log.warning("spool.waiting", role=self._spool.role, why=str(error))
                    await asyncio.sleep(again)
                    again = min(2 * again, AGAIN_SECONDS_MAX)
                else:
                    again = AGAIN_SECONDS
                    await asyncio.sleep(self._rhythm.rest)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._came.wait()
        finally:
            await self._sink.close()

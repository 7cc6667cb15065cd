"""Measures one product: how fast it is filled, cold and warm, how fast it answers, quiet and beside a rebuild, what it takes.

Memory is that of the server's processes, disk what its folder grew by; both only where the server is on this machine, and the
folder is known. Killed it is only where that was asked for; whoever keeps it running starts it again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.bench.engines.work import Work
from entrepot.local.control import resident_bytes

# Fills a generation in a process of its own, as a projector does (beside another that is read), and returns how many seconds
# that took.
Fill = Callable[[int, int | None], Coroutine[None, None, float]]

QUESTIONS_WARM, QUESTIONS = 100, 1_000
BACK_SECONDS_MAX = 180.0
ANY_ADDRESS = {"127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "*"}  # noqa: S104  # nothing is bound: what a listener shows
# They pass a container's port on, and are not the server.
PROXIES = {"docker-proxy", "rootlessport", "slirp4netns"}


class Measured(Struct, frozen=True, kw_only=True):
    """What was measured of one product; None where it could not be."""

    unit: str
    amount: int
    cold: float
    warm: float
    rebuilt_seconds: float
    p50: float
    p99: float
    p99_beside: float
    memory_bytes: int | None
    disk_bytes: int | None
    back_seconds: float | None


async def measure(work: Work, fill: Fill, url: str, folder: Path | None, *, kill: bool) -> Measured:
    """Do the work on the engine behind this URL, three generations of it, and leave nothing that can be dropped."""
    before = await asyncio.to_thread(_bytes_in, folder)
    try:
        cold = await fill(1, None)
        warm = await fill(2, None)
        work.answers_from(2)
        await _answered(work, QUESTIONS_WARM)
        quiet = await _answered(work, QUESTIONS)
        took, beside = await _rebuilt(work, partial(fill, 3, 2))
        server = await asyncio.to_thread(server_at, url)
        memory = await asyncio.to_thread(resident_bytes, server) if server else None
        after = await asyncio.to_thread(_bytes_in, folder)
        back = await _killed(work, server) if kill and server else None
    finally:
        for generation in (1, 2, 3):
            await work.drop(generation)
    return Measured(
        unit=work.unit,
        amount=work.amount,
        cold=work.amount / cold,
        warm=work.amount / warm,
        rebuilt_seconds=took,
        p50=_percentile(quiet, 50),
        p99=_percentile(quiet, 99),
        p99_beside=_percentile(beside, 99),
        memory_bytes=memory,
        disk_bytes=after - before if before is not None and after is not None else None,
        back_seconds=back,
    )


async def _answered(work: Work, count: int) -> list[float]:
    """Ask so many questions one after the other and return, sorted, how long each took, in milliseconds."""
    return sorted([await work.ask(number) for number in range(count)])


async def _rebuilt(work: Work, fill: Callable[[], Coroutine[None, None, float]]) -> tuple[float, list[float]]:
    """Fill one more generation while questions are asked; returns its seconds and their milliseconds, sorted."""
    filling = asyncio.create_task(fill())
    beside: list[float] = []
    while not filling.done():
        beside.append(await work.ask(len(beside)))
    return await filling, sorted(beside)


async def _killed(work: Work, server: psutil.Process) -> float:
    """Kill the server with no warning; returns after how many seconds a question is answered again."""
    began = time.perf_counter()
    server.kill()
    while True:
        try:
            await work.ask(0)
        except EntrepotError as error:
            if time.perf_counter() - began > BACK_SECONDS_MAX:
                raise EngineAwayError("killed", f"nobody has started it again within {BACK_SECONDS_MAX:.0f} s") from error
            await asyncio.sleep(limits.POLL_SECONDS)
        else:
            return time.perf_counter() - began


def server_at(url: str) -> psutil.Process | None:
    """Return the server that listens where the URL leads, if that is this machine."""
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"} or not parts.port:
        return None
    for one in psutil.net_connections("tcp"):
        ip, port = one.laddr or ("", 0)
        if one.status == psutil.CONN_LISTEN and one.pid and port == parts.port and ip in ANY_ADDRESS:
            process = psutil.Process(one.pid)
            return None if process.name() in PROXIES else process
    return None


def _bytes_in(folder: Path | None) -> int | None:
    """Return what lies in a folder, in bytes of disk; a file that goes meanwhile counts nothing."""
    if folder is None:
        return None
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return found


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

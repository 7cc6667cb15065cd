"""One engine's process: started, waited for, told from strangers, stopped. Nothing here decides when; see ``supervisor``."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import psutil

from entrepot.base.engine_limits import LOG_BYTES_MAX, STOP_SECONDS_MAX
from entrepot.local.place import Engine, LocalEngineError, Place

ASK_AGAIN_SECONDS = 0.05
# Below the range that the kernel gives to outgoing connections, so that a remembered port stays free between two starts.
PORTS = range(21_000, 30_000)


def free_ports(home: Path, count: int, taken: Iterable[int]) -> tuple[int, ...]:
    """Return ports nobody listens on; each home begins its search elsewhere, so that two homes seldom meet."""
    start = zlib.crc32(str(home).encode()) % len(PORTS)
    avoid = set(taken)
    found: list[int] = []
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        if port not in avoid and port_is_free(port):
            found.append(port)
            if len(found) == count:
                return tuple(found)
    raise LocalEngineError(f"No {count} free ports between {PORTS.start} and {PORTS.stop}: stop some servers of this machine.")


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's remains are no reason against it
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def launch(engine: Engine, place: Place) -> psutil.Process:
    """Start the server in a session of its own, its output going to its log."""
    place.log.parent.mkdir(parents=True, exist_ok=True)
    engine.tidy(place)
    engine.prepare(place)
    if place.log.exists() and place.log.stat().st_size > LOG_BYTES_MAX:
        place.log.replace(place.log.with_suffix(".log.1"))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}  # PGPORT and its kind mislead it
    with place.log.open("ab") as log:
        return psutil.Popen(
            engine.command(place),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environ | engine.environ(place),
            start_new_session=True,
        )


async def until_ready(engine: Engine, place: Place, process: psutil.Process) -> None:
    """Return once the engine answers; a process that ends before, or takes too long, is told with its last words."""
    deadline = time.monotonic() + engine.ready_seconds
    while True:
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
                await engine.settle(place)
        except LocalEngineError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a half-started server answers, the deadline decides
            why = str(error) or type(error).__name__
        else:
            return
        if not alive(process):
            raise LocalEngineError(
                f"{engine.product} ended before it was ready; the end of {place.log} says: {last_words(place)}"
            )
        if time.monotonic() > deadline:
            raise LocalEngineError(
                f"{engine.product} does not answer after {engine.ready_seconds:.0f} s ({why}); see {place.log}."
            )
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def alive(process: psutil.Process) -> bool:
    """Return whether the process runs; one that has ended but was not collected is not alive."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def stop(engine: Engine, process: psutil.Process) -> None:
    """End the server as it wishes to be ended."""
    await stop_process(process, engine.stop_signal, engine.stop_seconds)


async def stop_process(process: psutil.Process, sign: signal.Signals, seconds: float) -> None:
    """Ask the process to end, wait, and only then kill it; psutil refuses to signal a pid that was given away since."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(sign)
        if not await _ended(process, seconds):
            process.kill()
            await _ended(process, STOP_SECONDS_MAX)
    collect(process)


async def _ended(process: psutil.Process, seconds: float) -> bool:
    """Wait for the end itself, not for somebody to collect the dead: pid 1 of a container may take seconds for that."""
    deadline = time.monotonic() + seconds
    while alive(process):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    return True


def collect(process: psutil.Process) -> None:
    """Take the exit status of a dead child, which would else stay in the process table."""
    with contextlib.suppress(psutil.Error):
        process.wait(0)


def find(engine: Engine, place: Place) -> list[tuple[psutil.Process, list[str]]]:
    """Return the running servers of this engine on this very folder, whoever started them, each with its command line.

    A process is known by its program and by the arguments that name our folder, read now: a remembered pid may by now be
    another program's, and a program that merely looks into our folder is not ours.
    """
    expected = engine.command(place)
    ours = {argument for argument in expected if str(place.data) in argument}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if line and line[0] in expected and ours <= set(line) and alive(process):
                found.append((process, line))
    return found


def last_words(place: Place) -> str:
    """Return the last lines of the engine's log, or of these only what ended it, where it says so."""
    try:
        with place.log.open("rb") as log:
            log.seek(max(0, place.log.stat().st_size - 1_500))
            lines = log.read().decode(errors="replace").strip().splitlines()
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return fatal[-1] if fatal else " | ".join(lines[-4:])
    except OSError as error:
        return f"(unreadable: {error})"


@contextlib.asynccontextmanager
async def running(engine: Engine, home: Path, secret: str) -> AsyncIterator[dict[str, str]]:
    """Run one engine without a supervisor, as a test wants it; give the URL of each role it plays."""
    place = Place(home, engine.role, free_ports(home, engine.ports, ()), secret)
    process = await asyncio.to_thread(launch, engine, place)
    try:
        await until_ready(engine, place, process)
        yield engine.urls(place)
    finally:
        await stop(engine, process)
        engine.tidy(place)

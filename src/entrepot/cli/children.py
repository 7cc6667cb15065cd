"""Verbs of Entrepôt as child processes of a longer one: started together, started again when one dies, ended together."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from entrepot.base import engine_limits
from entrepot.settings import Settings

# Says to a child that its standard input is a pipe whose other end closes when its parent dies, however that comes about.
_TIED = "ENTREPOT_TIED_TO_PARENT"


def end_with_parent(environ: MutableMapping[str, str]) -> None:
    """End this process, as SIGTERM does, when the parent that keeps it has gone; one that nobody keeps goes on."""
    if environ.pop(_TIED, ""):
        threading.Thread(target=_outlived, name="end-with-parent", daemon=True).start()


class Children:
    """Keeps verbs running, each in a process of its own that writes to ``<home>/logs/<verb>.log``."""

    def __init__(self, settings: Settings, verbs: Sequence[Sequence[str]]) -> None:
        self._settings = settings
        self._verbs = verbs
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._keep(verb)) for verb in self._verbs]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, verb: Sequence[str]) -> None:
        log = Path(self._settings.home) / "logs" / f"{verb[0]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        own = {"ENTREPOT_HOME": str(self._settings.home), "ENTREPOT_MARKET": self._settings.market, _TIED: "yes"}
        own |= {"ENTREPOT_PORT": str(self._settings.port)}  # where links in letters lead
        own |= {"ENTREPOT_DEMO": str(int(self._settings.demo))}
        environment = {**os.environ, **own}
        while True:
            with log.open("ab") as out:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "entrepot", *verb, env=environment, stdin=asyncio.subprocess.PIPE,
                    stdout=out, stderr=out, start_new_session=True,
                )  # fmt: skip
            self._running[verb[0]] = process
            try:
                await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            await asyncio.sleep(engine_limits.RESTART_BACKOFF_SECONDS_MIN)


def _outlived() -> None:
    os.read(0, 1)  # nothing is ever written: this returns at the end of the pipe
    os.kill(os.getpid(), signal.SIGTERM)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), engine_limits.STOP_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()

"""Verbs of Entrepôt as child processes of a longer one: started together, started again when one dies, ended together."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from entrepot.base import limits
from entrepot.settings import Settings


class Children:
    """Keeps verbs running, each in a process of its own that writes to ``<home>/logs/<verb>.log``."""

    def __init__(self, settings: Settings, verbs: Sequence[Sequence[str]]) -> None:
        self._settings = settings
        self._verbs = verbs
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.subprocess.Process] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each verb that runs."""
        return {verb: process.pid for verb, process in self._running.items()}

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
        environment = {**os.environ, "ENTREPOT_HOME": str(self._settings.home), "ENTREPOT_MARKET": self._settings.market}
        while True:
            with log.open("ab") as out:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "entrepot", *verb, env=environment, stdin=asyncio.subprocess.DEVNULL,
                    stdout=out, stderr=out, start_new_session=True,
                )  # fmt: skip
            self._running[verb[0]] = process
            try:
                await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            await asyncio.sleep(limits.RESTART_BACKOFF_SECONDS_MIN)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), limits.STOP_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()

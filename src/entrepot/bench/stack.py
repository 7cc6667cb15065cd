"""A whole stack of a bench's own: every engine, the API and the projector, on empty data, ended afterwards; what it costs."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from msgspec import Struct

from entrepot.app import prepare
from entrepot.bench.process import running
from entrepot.bench.served import served
from entrepot.local import control
from entrepot.local.state import read_state
from entrepot.settings import Engines, Settings

# By what a process of ours is told from the others: a word of its command line.
OURS = {"project": "projector", "serve": "API"}


class Stack(Struct, frozen=True):
    """A stack that runs: its settings, and where its API listens."""

    settings: Settings
    host: str
    port: int

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU seconds that each part has used so far; this process, which makes the load, is none."""
        state = read_state(Path(self.settings.home))
        assert state is not None
        processes = {role: [psutil.Process(engine.pid)] for role, engine in state.engines.items() if engine.pid}
        for process in psutil.Process().children():
            words = process.cmdline()
            processes.setdefault(next((part for word, part in OURS.items() if word in words), "other"), []).append(process)
        return {part: sum(with_children(one) for one in ones) for part, ones in processes.items()}


@asynccontextmanager
async def own_stack() -> AsyncIterator[Stack]:
    """Start everything on empty data until the block ends."""
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)  # the database server's own user must reach it
        empty = Settings(home=Path(folder), engines=Engines())
        settings = await control.start(empty)
        try:
            await prepare(settings)
            async with running(settings, "project"), served(settings) as (host, port):
                yield Stack(settings, host, port)
        finally:
            await control.stop(empty)


def with_children(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and all below it; of a child that has ended, its parent keeps them."""
    used = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            times = one.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used

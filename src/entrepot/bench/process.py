"""A verb of Entrepôt in a process of its own, with given settings, ended when the block ends."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import structs

from entrepot.base import engine_limits
from entrepot.bench import BenchError
from entrepot.settings import Settings


class EndedError(BenchError):
    """A process ended otherwise than well, with this code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@asynccontextmanager
async def running(settings: Settings, *arguments: str) -> AsyncIterator[Process]:
    """Run ``entrepot`` with these arguments on these settings until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", *arguments, env=_environment(settings), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), engine_limits.STOP_SECONDS_MAX)


async def done(settings: Settings, *arguments: str) -> None:
    """Run ``entrepot`` with these arguments on these settings to its end, which must be a good one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", *arguments, env=_environment(settings), stdout=DEVNULL, stderr=PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise EndedError(f"'entrepot {arguments[0]}' ended with {process.returncode}: {last}", process.returncode)


def _environment(settings: Settings) -> dict[str, str]:
    urls = {f"ENTREPOT_{role.upper()}_URL": url for role, url in structs.asdict(settings.engines).items() if url}
    environment = {**os.environ, **urls, "ENTREPOT_HOME": str(settings.home), "ENTREPOT_CELL": str(settings.cell)}
    environment["ENTREPOT_READS_PER_MINUTE"] = "0"  # one caller reads as much as can be answered
    return environment

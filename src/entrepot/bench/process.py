"""A verb of Entrepôt in a process of its own, with given settings, ended when the block ends."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import structs

from entrepot.base import engine_limits
from entrepot.settings import Settings


@asynccontextmanager
async def running(settings: Settings, *arguments: str) -> AsyncIterator[Process]:
    """Run ``entrepot`` with these arguments on these settings until the block ends."""
    urls = {f"ENTREPOT_{role.upper()}_URL": url for role, url in structs.asdict(settings.engines).items() if url}
    environment = {**os.environ, **urls, "ENTREPOT_HOME": str(settings.home), "ENTREPOT_CELL": str(settings.cell)}
    environment["ENTREPOT_READS_PER_MINUTE"] = "0"  # one caller reads as much as can be answered
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", *arguments, env=environment, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), engine_limits.STOP_SECONDS_MAX)

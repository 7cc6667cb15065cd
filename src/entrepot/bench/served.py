"""Entrepôt over HTTP for a bench: the same ``entrepot serve`` that users run, in a process of its own, ended afterwards."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from entrepot.base import engine_limits, limits
from entrepot.base.errors import EngineAwayError
from entrepot.bench.load import get, load
from entrepot.bench.process import running
from entrepot.settings import Settings

HOST = "127.0.0.1"


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """Serve these settings on a free port of loopback until the block ends; gives host and port."""
    with closing(socket.socket()) as free:
        free.bind((HOST, 0))
        port = int(free.getsockname()[1])
    async with running(settings, "serve", "--host", HOST, "--port", str(port)) as process:
        await _until_up(process, port)
        yield HOST, port


async def _until_up(process: asyncio.subprocess.Process, port: int) -> None:
    until = time.monotonic() + engine_limits.READY_SECONDS_MAX
    while time.monotonic() < until and process.returncode is None:
        try:
            answer = await load(HOST, port, lambda _: get("/healthz"), total=1, connections=1)
        except OSError:
            await asyncio.sleep(limits.POLL_SECONDS)
        else:
            if set(answer.statuses) == {200}:
                return
    raise EngineAwayError("API", f"it did not answer on port {port} within {engine_limits.READY_SECONDS_MAX:.0f} s")

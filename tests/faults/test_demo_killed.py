"""A demo that is killed leaves nothing behind that would hold its port or its work: its processes end with it."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from entrepot.base.engine_limits import READY_SECONDS_MAX, STOP_SECONDS_MAX
from entrepot.local import control
from entrepot.settings import Engines, Settings
from tests.faults.test_demo_survives import VERBS, write_orders


@pytest.fixture
async def home(engines_home: Path) -> AsyncIterator[Path]:
    place = engines_home / "orphaned"
    place.mkdir()
    yield place
    await control.stop(Settings(home=place, engines=Engines()))


async def until_kept_by(demo: psutil.Process) -> list[psutil.Process]:
    """Return the projector, the API and what they started, once both run."""
    async with asyncio.timeout(2 * READY_SECONDS_MAX):
        while True:
            found = [child for child in demo.children() if set(VERBS) & set(child.cmdline())]
            below = [grandchild for child in found for grandchild in child.children()]
            if len(found) == len(VERBS) and below:
                return [*found, *below]
            await asyncio.sleep(0.1)


@pytest.mark.timeout(180)
async def test_what_a_demo_keeps_ends_when_the_demo_is_killed(home: Path, tmp_path: Path) -> None:
    write_orders(tmp_path / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ENTREPOT_HOME": str(home), "ENTREPOT_DATA": str(tmp_path / "data")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", "demo", "--port", str(port), env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    kept = await until_kept_by(psutil.Process(process.pid))
    process.kill()
    await process.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, kept, 2 * STOP_SECONDS_MAX)
    assert alive == []

"""`entrepot project`: keeps the projections up with the log, until it is stopped; run as many as there is work for."""

import asyncio
import os
import signal

import uvloop

from entrepot.app import opened, prepare
from entrepot.base.settled import settled
from entrepot.cli.logs import to_stderr
from entrepot.duties import keep_up
from entrepot.settings import Settings, load


def project() -> None:
    """Keep the projections up with the log until interrupted; several processes share the work by leases."""
    to_stderr()
    uvloop.run(until_stopped(load(os.environ)))


async def until_stopped(settings: Settings) -> None:
    """Write projections until SIGTERM or SIGINT, then let go of the leases."""
    await prepare(settings)
    async with opened(settings) as app:
        work = asyncio.create_task(keep_up(app))
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, work.cancel)
        with settled():
            await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            await work  # raises what ended it

"""`entrepot relay`: relays the log to a stream, until it is stopped."""

import asyncio
import os
import signal
import socket

import uvloop

from entrepot.app import opened
from entrepot.base.errors import BadInputError
from entrepot.cli.logs import to_stderr
from entrepot.engines import products
from entrepot.jobs.schemas import schemas
from entrepot.log.reader import LogReader
from entrepot.log.relay import Relay
from entrepot.settings import Settings, load


def relay() -> None:
    """Relay this cell's log to ENTREPOT_STREAM_URL until interrupted; a second one waits, and goes on if the first ends."""
    to_stderr()
    uvloop.run(until_stopped(load(os.environ)))


async def until_stopped(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT, then undo what is open and let go of the lease."""
    if not settings.engines.stream:
        raise BadInputError("No stream engine is known: set ENTREPOT_STREAM_URL to a Kafka of yours, kafka://host:9092.")
    async with opened(settings) as app:
        holder = f"{socket.gethostname()}/{app.record.ids.fresh()}"
        events, stream = LogReader(app.record, app.archived), products.driver("stream", settings.engines.stream)
        work = asyncio.create_task(Relay(app.record, app.bell, events, stream, settings.cell, schemas(), holder).run())
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, work.cancel)
        await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            await work  # raises what ended it

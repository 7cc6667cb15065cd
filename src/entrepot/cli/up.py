"""``entrepot up``: start the embedded engines and say where each of them is."""

import asyncio
import contextlib
import os
import signal

from entrepot import settings
from entrepot.cli.status import show
from entrepot.local import control


async def up(*, json: bool = False, foreground: bool = False) -> int:
    """Start the engines, or find them running, and print the address of each.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    foreground
        Stay until Ctrl-C (or SIGTERM), then stop the engines.
    """
    given = settings.given_roles(os.environ)
    ready = await control.start(settings.load(os.environ), given)
    code = show(await control.status(ready, given), as_json=json)
    if foreground:
        await _until_interrupted()
        await control.stop(ready)
    return code


async def _until_interrupted() -> None:
    told = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    with contextlib.suppress(asyncio.CancelledError):
        await told.wait()

"""Ends tasks that would go on for ever. Knows nothing of what they do."""

import asyncio
from typing import Any

ASKED_AGAIN_SECONDS = 1.0


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these tasks, and return once they have ended.

    They are asked again: ``asyncio.wait_for`` of Python 3.11, which the client of MongoDB sends each command in, forgets a
    cancellation that comes together with its end. (So did that of Redis: see ``engines/redis_sending.py``.)
    """
    for task in tasks:
        task.cancel()
    while going := [task for task in tasks if not task.done()]:
        for late in (await asyncio.wait(going, timeout=ASKED_AGAIN_SECONDS))[1]:
            late.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

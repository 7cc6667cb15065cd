"""Computes beside the event loop, a piece at a time: threads of Python only take turns, and each more delays the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")


async def computed(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a piece of work returns; pieces are done in the order they come, so keep each below some 50 ms.

    For what Python itself computes. Who waits for a disk, a lock or another language's code asks ``asyncio.to_thread``.
    """
    return await asyncio.wrap_future(_WORKER.submit(work, *args, **kwargs))

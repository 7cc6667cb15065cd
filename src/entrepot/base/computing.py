"""Computes beside the event loop, a piece at a time: threads of Python only take turns, and each more delays the loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class _Worker:
    """The one thread that computes; a process that is forked has one of its own, for none comes along."""

    def __init__(self) -> None:
        self.open()
        os.register_at_fork(after_in_child=self.open)

    def open(self) -> None:
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")


_WORKER = _Worker()


async def computed(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a piece of work returns; pieces are done in the order they come, so keep each below some 50 ms.

    For what Python itself computes. Who waits for a disk, a lock or another language's code asks ``asyncio.to_thread``.
    """
    return await asyncio.wrap_future(_WORKER.thread.submit(work, *args, **kwargs))

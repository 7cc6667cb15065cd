"""Group commit: the changes of all requests that wait are made one after the other, and made durable by one commit.

The loop itself makes the changes (microseconds each); only the commit, which waits for the disk, goes to the writer's thread.
The two never run at once, so that the connection needs no lock.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from entrepot.local.gateway.messages import RefusedError

T = TypeVar("T")


class Writer:
    """Makes changes durable, many at once. A change refuses (``RefusedError``) before it writes anything."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._thread = ThreadPoolExecutor(1, "writer")
        self._task: asyncio.Task[None] | None = None

    async def run(self, change: Callable[[], T]) -> T:
        """Make a change and return what it returned, once it is on the disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    def close(self) -> None:
        """Wait for the commit that is under way."""
        self._thread.shutdown()

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                outcomes = await self._commit([change for change, _ in batch])
            except Exception as error:  # noqa: BLE001  # whatever it was (a full disk, a bug): nothing of this batch happened
                self._connection.rollback()
                outcomes = [error] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.cancelled():
                    continue
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    async def _commit(self, changes: list[Callable[[], Any]]) -> list[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        outcomes: list[Any] = []
        for change in changes:
            try:
                outcomes.append(change())
            except (RefusedError, msgspec.MsgspecError) as refused:
                outcomes.append(refused)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.commit)
        return outcomes

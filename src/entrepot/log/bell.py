"""Hears what PostgreSQL notifies, on one connection of its own for the whole process; a bell that is broken mends itself.

A message says "look" and is never a fact: who waits here also polls, so one that is lost costs only the wait until then.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Self

import asyncpg
import stamina

from entrepot.base import limits
from entrepot.record.pool import UNREACHABLE

Heard = Callable[[str | None], None]


class Bell:
    """Listens to channels; ``hear`` calls back with the message, or with None when some may have been missed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._heard: dict[str, list[Heard]] = defaultdict(list)
        self._rings: Counter[str] = Counter()
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._changed = asyncio.Event()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def hear(self, channel: str, heard: Heard) -> None:
        """Call back on every message of a channel, from now on."""
        self._heard[channel].append(heard)
        self._changed.set()

    def rings(self, channel: str) -> int:
        """Return how often a channel has rung: ask before looking, and give it to ``wait``, so that no ring is lost between."""
        return self._rings[channel]

    def ring(self, channel: str) -> None:
        """Ring a channel for this process alone: something has come that no message tells of."""
        self._rings[channel] += 1
        for rung in self._waiting[channel]:
            rung.set()

    async def wait(self, channel: str, rings: int, seconds: float) -> None:
        """Wait until the channel has rung more often than ``rings``, at most so long."""
        if channel not in self._heard:
            self.hear(channel, _nothing)
        if self._rings[channel] != rings:
            return
        rung = asyncio.Event()
        self._waiting[channel].add(rung)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await rung.wait()
        finally:
            self._waiting[channel].discard(rung)

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run())
        with contextlib.suppress(TimeoutError):  # without the server, everyone polls until it is back
            async with asyncio.timeout(limits.LEASE_SECONDS):
                await self._listening.wait()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        lost = (*UNREACHABLE, asyncpg.InterfaceError, asyncpg.PostgresError)
        while True:
            async for attempt in stamina.retry_context(
                on=lost, attempts=None, timeout=None, wait_initial=limits.POLL_SECONDS, wait_max=limits.BACKOFF_SECONDS_MAX
            ):
                with attempt:
                    connection = await asyncpg.connect(self._url, timeout=limits.CONNECT_SECONDS_MAX)
            try:
                await self._listen(connection)
            except lost:
                continue
            finally:
                connection.terminate()

    async def _listen(self, connection: asyncpg.Connection) -> None:
        """Listen until the connection is lost; on each start everyone is rung once, for what was said meanwhile."""
        listening: set[str] = set()
        connection.add_termination_listener(lambda _: self._changed.set())
        while not connection.is_closed():
            self._changed.clear()
            for channel in set(self._heard) - listening:
                await connection.add_listener(channel, self._message)
                listening.add(channel)
                self._ring(channel, None)
            self._listening.set()
            await self._changed.wait()

    def _message(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._ring(channel, str(payload))

    def _ring(self, channel: str, message: str | None) -> None:
        for heard in self._heard[channel]:
            heard(message)
        self.ring(channel)


def _nothing(_message: str | None) -> None:
    """Hear nothing: for a channel that is only waited on."""

"""Wakes the readers of the log: the first commit at once, those that follow closely by one NOTIFY, outside any transaction.

NOTIFY inside a transaction takes a lock that all commits of the database queue for; a wake-up that is lost costs a reader
only the wait until its next poll, so it need not be transactional (docs/decisions/0004).
"""

import asyncio

import asyncpg

from entrepot.base import limits
from entrepot.base.ending import ended
from entrepot.record.pool import UNREACHABLE

CHANNEL = "log_event"


class Waker:
    """Sends coalesced wake-ups on a connection of its own; ``wake`` never blocks and never fails."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cells: set[int] = set()
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self, cell: int) -> None:
        """Note that this cell has new events; the note is sent at once, or soon after the one before."""
        self._cells.add(cell)
        self._due.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop sending."""
        if self._task is not None:
            await ended(self._task)

    async def _run(self) -> None:
        try:
            connection = await asyncpg.connect(self._url, timeout=limits.CONNECT_SECONDS_MAX)
        except (asyncpg.PostgresError, *UNREACHABLE):
            return  # readers poll; the next wake tries again
        try:
            while not connection.is_closed():
                await self._due.wait()
                self._due.clear()
                cells, self._cells = self._cells, set()
                for cell in sorted(cells):
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(cell))
                await asyncio.sleep(limits.WAKES_APART_SECONDS)
        except (asyncpg.PostgresError, *UNREACHABLE):
            return
        finally:
            connection.terminate()

"""Asks the record the least that it can be asked, by a connection of its own: those of the pool may all be waiting for it."""

import asyncio

import asyncpg

from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import CONNECT_SECONDS_MAX


class Probe:
    """One connection, made when it is first asked, and again whenever it did not answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def ask(self) -> None:
        """Return when the record answers; who asks bounds the wait."""
        async with self._turn:
            await self._ask()

    async def _ask(self) -> None:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS_MAX)
            await self._connection.execute("SELECT")
        except asyncio.CancelledError:
            await self.close()
            raise
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            raise EngineAwayError("record", str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Let go of the connection, without a word to a server that may hang."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

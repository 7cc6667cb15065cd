"""Who fills a generation beside one that is read gives way to its readers. Knows no engine: it is told how to ask one."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from entrepot.base.engine_limits import GIVE_WAY_SECONDS, GIVE_WAY_SECONDS_MAX, GIVE_WAY_TIMES
from entrepot.base.errors import EngineAwayError


class GivingWay:
    """Remembers how quickly what is read has answered, and so knows when it is slow."""

    def __init__(self) -> None:
        self._quickest = math.inf

    def is_quick(self, seconds: float) -> bool:
        """Say whether an answer that took so long took about as long as the quickest that there was."""
        self._quickest = min(self._quickest, seconds)
        return seconds <= GIVE_WAY_TIMES * self._quickest + GIVE_WAY_SECONDS

    async def until_quick(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Wait until what is read answers about as quickly as it has, or is away; not for long, so that filling goes on."""
        loop = asyncio.get_running_loop()
        until = loop.time() + GIVE_WAY_SECONDS_MAX
        while True:
            began = loop.time()
            try:
                await ask()
            except EngineAwayError:  # nobody reads it now
                return
            took = loop.time() - began
            if self.is_quick(took) or loop.time() > until:
                return
            await asyncio.sleep(GIVE_WAY_SECONDS + took)

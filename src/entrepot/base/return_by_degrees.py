"""Who comes to an engine that was away is let in by degrees: one, and one more for each that was answered. Knows no engine.

Let in all at once, those who have waited would keep a busy engine from answering any of them in time. They wait for their turn
within what they may wait anyway, so nobody is refused for it.
"""

import asyncio
from collections import deque

from entrepot.base.engine_limits import RETURN_ROOM_MAX


class Return:
    """Gives turns: so many at once as were answered, and one more."""

    def __init__(self) -> None:
        self._room, self._inside = 1, 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Wait for a turn; who has had one gives it back by ``leave``."""
        if self._inside < self._room:
            self._inside += 1
            return
        mine = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the turn came when nobody waited for it any more
                self.leave(answered=False)
            raise

    def leave(self, *, answered: bool) -> bool:
        """Give a turn back; say whether everybody may come in from now on."""
        self._inside -= 1
        self._room += answered
        while self._queue and self._inside < self._room:
            following = self._queue.popleft()
            if not following.done():
                self._inside += 1
                following.set_result(None)
        return self._room > RETURN_ROOM_MAX and not self._queue

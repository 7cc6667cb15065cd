"""Gathers what arrives at the same time into one call of a set-based function; each waits only for its own answer.

While a call is under way the next ones gather, so the batch grows with the load and a lone one waits for nobody. Where a call
costs much however little it does, calls begin some time apart (``apart_seconds``): what comes sooner gathers for the next.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeAlias, TypeVar

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, EntrepotError

Asked = TypeVar("Asked")
Given = TypeVar("Given")
Act: TypeAlias = Callable[[Sequence[Asked]], Awaitable[Sequence[Given | EntrepotError]]]


class Gathering(Generic[Asked, Given]):
    """Calls ``act`` with all that was asked meanwhile. ``sizes`` counts the calls by how many each took."""

    def __init__(self, act: Act[Asked, Given], *, calls_max: int = limits.GATHER_CALLS_MAX, apart_seconds: float = 0.0) -> None:
        self._act = act
        self._calls_max = calls_max
        self._apart_seconds = apart_seconds
        self._next_at = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._queue: deque[tuple[Asked, asyncio.Future[Given | EntrepotError]]] = deque()
        self.sizes: dict[int, int] = {}

    def put(self, asked: Asked) -> "asyncio.Future[Given | EntrepotError]":
        """Put something among what is asked next; its answer, or the reason why it has none, comes later."""
        if len(self._queue) >= limits.GATHER_QUEUE_MAX:
            raise EngineAwayError("record", f"{len(self._queue)} are waiting")
        answer: asyncio.Future[Given | EntrepotError] = asyncio.get_running_loop().create_future()
        self._queue.append((asked, answer))
        self._call()
        return answer

    async def ask(self, asked: Asked) -> Given:
        """Return the answer, or raise the reason why there is none."""
        return await answered(self.put(asked))

    async def close(self) -> None:
        """Wait until everything under way has its answer."""
        while self._calls or self._queue:
            await asyncio.gather(*self._calls, *(answer for _, answer in self._queue), return_exceptions=True)

    def _call(self) -> None:
        if self._queue and len(self._calls) < self._calls_max and not self._too_soon():
            # A call is of many requests: the context of the one that happens to begin it (``record.cause``) is not theirs.
            task = asyncio.get_running_loop().create_task(self._run(), context=Context())
            self._calls.add(task)
            task.add_done_callback(self._called)

    def _too_soon(self) -> bool:
        """Say whether the last call began too short a time ago; the next one then begins by itself when it may."""
        loop = asyncio.get_running_loop()
        soon = loop.time() < self._next_at
        if not soon:
            self._next_at = loop.time() + self._apart_seconds
        elif self._later is None:
            self._later = loop.call_at(self._next_at, self._due)
        return soon

    def _due(self) -> None:
        self._later = None
        self._call()

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._call()

    async def _run(self) -> None:
        if not self._queue:
            return  # a call that began before this one took them all
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), limits.GATHER_ORDERS_MAX))]
        self.sizes[len(batch)] = self.sizes.get(len(batch), 0) + 1
        try:
            answers = await self._act([asked for asked, _ in batch])
        except EntrepotError as error:
            answers = [error] * len(batch)
        except Exception as error:
            for _, waiting in batch:
                waiting.set_exception(error)
            raise
        for (_, waiting), answer in zip(batch, answers, strict=True):
            waiting.set_result(answer)


async def answered(waiting: "asyncio.Future[Given | EntrepotError]") -> Given:
    """Wait for an answer that others may wait for too: a caller that goes away must not cancel theirs."""
    answer = await asyncio.shield(waiting)
    if isinstance(answer, EntrepotError):
        raise answer
    return answer

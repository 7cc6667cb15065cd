"""Gathers orders that arrive at the same time into one call of the hot path; each waits only for its own answer.

While a call is under way the next orders gather, so the batch grows with the load and a lone order waits for nobody.
"""

import asyncio
from collections import deque

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, EntrepotError, KeyReusedError
from entrepot.commerce.checkout.place import Answer, place_orders
from entrepot.commerce.checkout.requests import OrderRequest, Placed
from entrepot.record.idempotency import check_key
from entrepot.record.transaction import Record


class _Waiting(Struct, frozen=True):
    key: str
    request: OrderRequest
    answer: asyncio.Future[Answer]


class Gatherer:
    """Places orders for one process and one cell. ``sizes`` counts the calls by how many orders each took."""

    def __init__(self, record: Record, cell: int, *, actor: str = "api", calls_max: int = limits.GATHER_CALLS_MAX) -> None:
        self._record = record
        self._cell = cell
        self._actor = actor
        self._calls_max = calls_max
        self._calls: set[asyncio.Task[None]] = set()
        self._queue: deque[_Waiting] = deque()
        self._by_key: dict[str, _Waiting] = {}
        self.sizes: dict[int, int] = {}

    async def place(self, key: str, request: OrderRequest) -> Placed:
        """Place one order and return its answer, or raise why it was refused; nothing is left of a refused order."""
        check_key(key)
        waiting = self._by_key.get(key)
        if waiting is None:
            if len(self._queue) >= limits.GATHER_QUEUE_MAX:
                raise EngineAwayError("record", f"{len(self._queue)} orders are waiting")
            waiting = _Waiting(key, request, asyncio.get_running_loop().create_future())
            self._by_key[key] = waiting
            self._queue.append(waiting)
            self._call()
        elif waiting.request != request:
            raise KeyReusedError(key)
        # Shielded: a caller that goes away must not cancel the answer of another that shares its key.
        answer = await asyncio.shield(waiting.answer)
        if isinstance(answer, EntrepotError):
            raise answer
        return answer

    async def close(self) -> None:
        """Wait until every order under way has its answer."""
        while self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)

    def _call(self) -> None:
        if self._queue and len(self._calls) < self._calls_max:
            task = asyncio.get_running_loop().create_task(self._run())
            self._calls.add(task)
            task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._call()

    async def _run(self) -> None:
        if not self._queue:
            return  # a call that began before this one took them all
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), limits.GATHER_ORDERS_MAX))]
        self.sizes[len(batch)] = self.sizes.get(len(batch), 0) + 1
        try:
            answers = await place_orders(self._record, self._cell, [(w.key, w.request) for w in batch], self._actor)
        except EntrepotError as error:
            answers = [error] * len(batch)
        except Exception as error:
            for waiting in batch:
                waiting.answer.set_exception(error)
            raise
        finally:
            for waiting in batch:
                del self._by_key[waiting.key]
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer.set_result(answer)

"""Gathers the orders that arrive at the same time into one call of the hot path, each key once at a time."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from entrepot.base import limits
from entrepot.base.errors import EntrepotError, KeyReusedError
from entrepot.commerce.checkout.place import Answer, Asked, place_orders
from entrepot.commerce.checkout.requests import OrderRequest, Placed
from entrepot.record.cause import Cause
from entrepot.record.gathering import Gathering, answered
from entrepot.record.idempotency import check_key
from entrepot.record.transaction import Record


class PlacesOrders(Protocol):
    """What places orders by one call: ``place_orders``, or something that does more beside."""

    async def __call__(self, record: Record, cell: int, asked: Sequence[Asked], actor: str) -> list[Answer]:
        """Return an answer or the reason of refusal for each."""
        ...


class Gatherer:
    """Places orders for one process and one cell, each key once at a time."""

    def __init__(
        self,
        record: Record,
        cell: int,
        *,
        actor: str = "api",
        calls_max: int = limits.GATHER_CALLS_MAX,
        place: PlacesOrders = place_orders,
    ) -> None:
        self._gathering = Gathering[Asked, Placed](partial(place, record, cell, actor=actor), calls_max=calls_max)
        self._by_key: dict[str, tuple[OrderRequest, asyncio.Future[Placed | EntrepotError]]] = {}

    @property
    def sizes(self) -> dict[int, int]:
        """How many calls took how many orders each."""
        return self._gathering.sizes

    async def place(self, key: str, request: OrderRequest, cause: Cause | None = None) -> Placed:
        """Place one order and return its answer, or raise why it was refused; nothing is left of a refused order.

        A cause that placed an order is noted: the order's call has written its entry.
        """
        check_key(key)
        ours = key not in self._by_key
        if ours:
            waiting = self._gathering.put((key, request, cause))
            self._by_key[key] = (request, waiting)
            waiting.add_done_callback(lambda _: self._by_key.pop(key))
        first, waiting = self._by_key[key]
        if first != request:
            raise KeyReusedError(key)
        placed = await answered(waiting)
        if cause and ours and not placed.repeated:
            cause.noted = True
        return placed

    async def close(self) -> None:
        """Wait until every order under way has its answer."""
        await self._gathering.close()

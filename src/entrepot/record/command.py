"""Runs one command in a transaction of its own; the way in for whoever has a request in hand, such as the API."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from msgspec import Struct

from entrepot.record.idempotency import fingerprint, once, remember
from entrepot.record.transaction import Record, Transaction

Answer = TypeVar("Answer", bound=Struct)


async def run(
    record: Record,
    cell: int,
    act: Callable[[Transaction], Awaitable[Answer]],
    answer: type[Answer],
    *,
    actor: str,
    key: str | None = None,
    request: Struct | bytes = b"",
) -> Answer:
    """Run ``act`` and commit; with a key, the same request gets the stored answer and another one is refused."""
    async with record.transaction(cell, actor) as tx:
        if key is None:
            return await act(tx)
        stored = await once(tx, key, fingerprint(request))
        if stored is not None:
            return msgspec.json.decode(stored, type=answer)
        given = await act(tx)
        await remember(tx, key, given)
        return given

"""A reaction: a durable subscriber of the log. What it writes and how far it has read are committed together: exactly once.

It writes rows and issues commands in the transaction it is given. What must be said to the outside (a webhook, a charge) it
writes down as a row for a job to carry out: an outside world takes part in no transaction.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import Event
from entrepot.base.projection import Slot
from entrepot.jobs import store
from entrepot.log.reader import LogReader
from entrepot.record.transaction import Record, Transaction

React = Callable[[Transaction, Sequence[Event]], Awaitable[None]]


class Reaction(Struct, frozen=True, kw_only=True):
    """Who reacts (``name``, kept for ever with its cursor), to which kinds, and how.

    ``from_start``: a new one reads the whole log; else only what comes from its first start on.
    """

    name: str
    kinds: frozenset[str]
    react: React
    from_start: bool = False


async def step(record: Record, reader: LogReader, cell: int, reaction: Reaction) -> tuple[int, bool]:
    """React to the next batch; returns how many events it had, and whether more may wait."""
    async with record.committing() as connection:
        was = await store.cursor(connection, cell, reaction.name, from_start=reaction.from_start)
    batch = await reader.read(Slot(cell), was, reaction.kinds, limits.REACTION_EVENTS_MAX)
    if batch.end <= was:
        return 0, False
    async with record.transaction(cell, f"reaction/{reaction.name}") as tx:
        # First the cursor: another process that reads the same batch waits here, and then finds it moved.
        if not await store.move_cursor(tx.connection, cell, reaction.name, was, batch.end):
            return 0, True
        if batch.events:
            await reaction.react(tx, batch.events)
    return len(batch.events), batch.full

"""A reaction: a durable subscriber of the log. What it writes and how far it has read are committed together: exactly once.

It writes rows and issues commands in the transaction it is given. What must be said to the outside (a webhook, a charge) it
writes down as a row for a job to carry out: an outside world takes part in no transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import START, Event, Position
from entrepot.base.projection import Slot
from entrepot.jobs import store
from entrepot.log.batch import Batch
from entrepot.log.slot import ReadsLog
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


class Follower:
    """Takes one reaction on along the log of a cell, a batch at a time."""

    def __init__(self, record: Record, events: ReadsLog, cell: int, reaction: Reaction) -> None:
        self._record, self._events, self._cell, self._reaction = record, events, cell, reaction
        self._stored: Position | None = None
        self._reached = START
        self._stored_at = 0.0

    async def step(self) -> tuple[int, bool]:
        """React to the next batch; returns how many events it had, and whether more may wait."""
        if self._stored is None:
            async with self._record.committing() as connection:
                name, from_start = self._reaction.name, self._reaction.from_start
                self._stored = self._reached = await store.cursor(connection, self._cell, name, from_start=from_start)
        batch = await self._events.read(Slot(self._cell), self._reached, self._reaction.kinds, limits.REACTION_EVENTS_MAX)
        if batch.end <= self._stored:
            return 0, False
        now = asyncio.get_running_loop().time()
        # What nobody here wants is only passed in memory, for a while: to read it again costs less than to write each time.
        if (batch.events or now - self._stored_at > limits.JOB_CURSOR_SECONDS) and not await self._take(batch):
            self._stored = None
            return 0, True
        self._reached = batch.end
        return len(batch.events), batch.full

    async def _take(self, batch: Batch) -> bool:
        """React and move the cursor, together; says no when another process has moved it."""
        assert self._stored is not None
        async with self._record.transaction(self._cell, f"reaction/{self._reaction.name}") as tx:
            # First the cursor: another process that reads the same batch waits here, and then finds it moved.
            if not await store.move_cursor(tx.connection, self._cell, self._reaction.name, self._stored, batch.end):
                return False
            if batch.events:
                await self._reaction.react(tx, batch.events)
        self._stored, self._stored_at = batch.end, asyncio.get_running_loop().time()
        return True

"""A reaction: a durable subscriber of the log. What it writes and how far it has read are committed together: exactly once.

It writes rows and issues commands in the transaction it is given. What must be said to the outside (a webhook, a charge) it
writes down as a row for a job to carry out: an outside world takes part in no transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import START, Event, Position
from entrepot.base.projection import Slot, Target
from entrepot.jobs import store
from entrepot.log import store as log_store
from entrepot.log.batch import Batch
from entrepot.log.reader import ReadsLog
from entrepot.log.slot import asked_again
from entrepot.log.store import Parked
from entrepot.record.transaction import Record, Transaction

log = structlog.get_logger()

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
    """Takes one reaction on along the log of a cell, a batch at a time.

    A batch that fails is taken again event by event. One that keeps failing alone is poison: it is set aside with its error,
    and so is what follows of its key, until somebody asks to try again (``entrepot replay reaction/NAME``).
    """

    def __init__(self, record: Record, events: ReadsLog, cell: int, reaction: Reaction) -> None:
        self._record, self._events, self._cell, self._reaction = record, events, cell, reaction
        self._target, self._slot = Target(f"reaction/{reaction.name}", 0), Slot(cell)
        self._stored: Position | None = None
        self._reached = self._alone_until = START
        self._stored_at = 0.0
        self._tries = 0
        self._aside: set[str] = set()

    async def step(self) -> tuple[int, bool]:
        """React to the next batch; returns how many events it had, and whether more may wait."""
        if self._stored is None:
            async with self._record.committing() as connection:
                name, from_start = self._reaction.name, self._reaction.from_start
                self._stored = self._reached = await store.cursor(connection, self._cell, name, from_start=from_start)
                self._aside = await log_store.quarantined_keys(connection, self._target, self._slot)
        if self._aside:
            await self._try_again()
        batch = await self._events.read(self._slot, self._reached, self._reaction.kinds, limits.REACTION_EVENTS_MAX)
        if batch.end <= self._stored:
            return 0, False
        if batch.events and self._reached < self._alone_until:
            batch = Batch(batch.events[:1], batch.hashes[:1], batch.events[0].position, full=True)
        now = asyncio.get_running_loop().time()
        # What nobody here wants is only passed in memory, for a while: to read it again costs less than to write each time.
        if (batch.events or now - self._stored_at > limits.JOB_CURSOR_SECONDS) and not await self._take_or_set_aside(batch):
            self._stored = None
            return 0, True
        self._reached = batch.end
        return len(batch.events), batch.full

    async def _take_or_set_aside(self, batch: Batch) -> bool:
        try:
            moved = await self._take(batch)
        except EngineAwayError:  # says nothing of the event
            raise
        except Exception as error:
            if len(batch.events) > 1:
                self._alone_until = batch.end
                raise
            self._tries += 1
            if not batch.events or self._tries < limits.REACTION_TRIES_MAX:
                raise
            moved = await self._take(batch, poison=f"{type(error).__name__}: {error}")
            log.warning("reaction.quarantined", reaction=self._reaction.name, key=batch.events[0].key, why=str(error))
        self._tries = 0
        return moved

    async def _take(self, batch: Batch, poison: str | None = None) -> bool:
        """React and move the cursor, together; says no when another process has moved it."""
        assert self._stored is not None
        async with self._record.transaction(self._cell, f"reaction/{self._reaction.name}") as tx:
            # First the cursor: another process that reads the same batch waits here, and then finds it moved.
            aside = await store.move_cursor(tx.connection, self._cell, self._reaction.name, self._stored, batch.end)
            if aside is None:
                return False
            parked = [Parked(event, poison) for event in batch.events if poison is not None or event.key in aside]
            if parked:
                await log_store.park(tx.connection, self._target, self._slot, parked)
            waiting = {one.event.id for one in parked}
            events = [event for event in batch.events if event.id not in waiting]
            if events:
                await self._reaction.react(tx, events)
        self._aside = aside | {one.event.key for one in parked}
        self._stored, self._stored_at = batch.end, asyncio.get_running_loop().time()
        return True

    async def _try_again(self) -> None:
        """React to what was set aside and somebody asked for; a key that fails again stays aside, with its new error."""
        failed: set[str] = set()
        for event in await asked_again(self._record, self._events, self._target, self._slot):
            if event.key not in failed and not await self._done_now(event):
                failed.add(event.key)
        async with self._record.committing() as connection:
            if failed:
                await log_store.stop_replay(connection, self._target, self._slot, sorted(failed))
            self._aside = await log_store.quarantined_keys(connection, self._target, self._slot)

    async def _done_now(self, event: Event) -> bool:
        try:
            async with self._record.transaction(self._cell, f"reaction/{self._reaction.name}") as tx:
                await log_store.unpark(tx.connection, self._target, self._slot, [event])
                await self._reaction.react(tx, [event])
        except EngineAwayError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a reaction raises for an event keeps it aside
            async with self._record.committing() as connection:
                why = f"{type(error).__name__}: {error}"
                await log_store.park(connection, self._target, self._slot, [Parked(event, why)])
            return False
        return True

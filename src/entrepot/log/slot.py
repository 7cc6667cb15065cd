"""Writes one slot of one generation of one projection: read, fold, apply, report, for as long as the lease is held.

Every step may be cut and repeated: what counts is the position stored with the data, and items carry versions. The reported
position moves only after refusals are parked, so a start from the lower of the two repeats a batch rather than lose one.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from functools import partial

import stamina
import structlog
from msgspec import Struct, json

from entrepot.base import limits
from entrepot.base.ending import ended
from entrepot.base.errors import EngineAwayError, NotFoundError
from entrepot.base.event import Event, Position
from entrepot.base.projection import Item, Projection, Refusal, Slot, Store, Target
from entrepot.log import generations, store
from entrepot.log.batch import Batch, joined
from entrepot.log.bell import Bell
from entrepot.log.fold import Folded
from entrepot.log.folding import Folding
from entrepot.log.giving_way import GivingWay
from entrepot.log.reader import ReadsLog
from entrepot.record.transaction import Record
from entrepot.record.wake import CHANNEL

log = structlog.get_logger()

RATE_SECONDS = 5.0


async def asked_again(record: Record, events: ReadsLog, target: Target, slot: Slot) -> list[Event]:
    """Return the parked events that someone asked to try again, from the table or, where they have left it, the archive."""
    async with record.committing() as connection:
        asked = await store.replay_events(connection, target, slot, limits.BATCH_EVENTS_MAX)
    return [await _fetched(events, slot, each) if isinstance(each, store.Archived) else each for each in asked]


async def _fetched(events: ReadsLog, slot: Slot, parked: store.Archived) -> Event:
    before = Position(parked.position.txid, parked.position.seq - 1)
    batch = await events.read(slot, before, frozenset({parked.kind}), 1)
    for event in batch.events:
        if event.position == parked.position:
            return event
    raise NotFoundError(
        f"The event of {parked.key} at {parked.position.txid}.{parked.position.seq} is in quarantine, "
        "and neither in the log's table nor in its archive: restore the archive from a backup.",
        key=parked.key,
    )


class Passed(Struct, frozen=True):
    """What is told on ``log_progress``: a slot has passed a position; ``ids`` changed (None: too many to name)."""

    projection: str
    generation: int
    cell: int
    shard: int
    shards: int
    txid: int
    seq: int
    ids: list[str] | None = None


class Lease:
    """How long this process may write a slot, on the event loop's clock; renewed by the projector."""

    def __init__(self) -> None:
        self.until = 0.0

    def held(self) -> bool:
        """Say whether there is time left."""
        return asyncio.get_running_loop().time() < self.until


class SlotWriter:
    """The one writer of a slot. ``building`` and ``slots`` (how many its generation has) say when to try the switch."""

    def __init__(
        self,
        record: Record,
        bell: Bell,
        events: ReadsLog,
        projection: Projection,
        to: Store,
        target: Target,
        slot: Slot,
        lease: Lease,
        *,
        building: bool,
        slots: int,
    ) -> None:
        self.building = building
        self._record, self._bell, self._events = record, bell, events
        self._projection, self._store, self._target, self._slot = projection, to, target, slot
        self._lease, self._slots = lease, slots
        self._folding = Folding(projection, to, target)
        # The batch that follows, read and folded while the one before it is applied.
        self._ahead: asyncio.Task[tuple[Batch, Folded]] | None = None
        self._position: Position | None = None
        self._quarantined: set[str] = set()
        self._size = limits.BATCH_EVENTS_MAX
        self._quiet = 0
        self._saved_at = self._reported_at = 0.0
        self._rate = self._took = 0.0
        self._failing = False
        # What is read while this generation is filled beside it; readers come first.
        self.read_beside: Target | None = None
        self._way = GivingWay()

    async def run(self) -> None:
        """Write until cancelled or the lease is lost; whatever fails is shown, waited out and tried again."""
        try:
            while self._lease.held():
                async for attempt in stamina.retry_context(
                    on=Exception,  # a bug in one projection or driver must not stop the others; it is shown until it is mended
                    attempts=None,
                    timeout=None,
                    wait_initial=limits.POLL_SECONDS,
                    wait_max=limits.BACKOFF_SECONDS_MAX,
                ):
                    with attempt:
                        await self._turn_or_say_why()
        finally:
            await self._forget_ahead()

    async def _turn_or_say_why(self) -> None:
        try:
            await self._turn()
        except Exception as error:
            self._failing = True
            self._position = None  # what the store really has is asked again
            await self._forget_ahead()
            why = str(error) if isinstance(error, EngineAwayError) else f"{type(error).__name__}: {error}"
            log.warning("projector.slot_waits", target=self._target.name, cell=self._slot.cell, why=why)
            async with self._record.committing() as connection:
                await store.report_error(connection, self._target, self._slot, why)
            raise

    async def _turn(self) -> None:
        if not self._lease.held():
            return
        if self._position is None:
            self._position = await self._load()
        rings = self._bell.rings(CHANNEL)
        if self._quarantined:
            await self._forget_ahead()  # it knew of no key that is set aside, and of nothing that is tried again
            await self._replay(self._position)
        ahead, self._ahead = self._ahead, None
        batch, folded = await ahead if ahead is not None else (await self._read(self._position), None)
        if not self._lease.held():
            return
        if batch.end > self._position or self._failing or self.building:
            await self._take(batch, folded)
        if self.building and not batch.full:
            self.building = not await generations.switch(self._record, self._target, self._slots)
        if not batch.full:
            await self._pause(batch, rings)
        elif self.read_beside is not None:
            read = partial(self._store.position, self.read_beside, self._slot)
            await self._way.until_quick(read)

    async def _read(self, after: Position) -> Batch:
        """Read a batch; where few of the log's events are wanted here, gather them: a small one costs an engine much, too."""
        kinds = self._projection.kinds
        batch = more = await self._events.read(self._slot, after, kinds, self._size)
        while more.full and len(batch.events) + len(more.events) <= self._size and batch.scanned < limits.BATCH_SCANNED_MAX:
            more = await self._events.read(self._slot, batch.end, kinds, self._size)
            batch = joined(batch, more)
        return batch

    async def _load(self) -> Position:
        await self._store.create(self._target)
        stored = await self._store.position(self._target, self._slot)
        async with self._record.committing() as connection:
            self._quarantined = await store.quarantined_keys(connection, self._target, self._slot)
            return min(stored, await store.reported_position(connection, self._target, self._slot))

    async def _go_ahead(self, after: Position, applying: Mapping[str, Item]) -> tuple[Batch, Folded]:
        batch = await self._read(after)
        return batch, await self._folding.folded(batch.events, frozenset(), applying)

    async def _forget_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await ended(ahead)

    async def _take(self, batch: Batch, folded: Folded | None) -> None:
        began = asyncio.get_running_loop().time()
        folded = folded or await self._folding.folded(batch.events, self._quarantined)
        await self._park(folded)
        if batch.full and not self._quarantined:
            self._ahead = asyncio.create_task(self._go_ahead(batch.end, folded.items))
        ids = list(folded.items)
        if ids or began - self._saved_at > limits.POSITION_SECONDS:
            refusals = await self._store.apply(self._target, self._slot, list(folded.items.values()), batch.end)
            await self._park_refused(folded, refusals)
            self._saved_at = began
        self._position = batch.end
        # One that is being built says even that nothing was there, so that it can be seen to have passed all the live one has.
        if batch.scanned or self._failing or self.building:
            await self._report(batch, ids)
        self._failing = False
        self._took = asyncio.get_running_loop().time() - began
        self._fit_size(self._took, batch)

    async def _park(self, folded: Folded) -> None:
        """Set events aside before the position moves past them."""
        if folded.parked:
            async with self._record.committing() as connection:
                await store.park(connection, self._target, self._slot, folded.parked)
            self._quarantined |= {parked.event.key for parked in folded.parked}
            for parked in folded.parked:
                if parked.error is not None:
                    log.warning("projector.quarantined", target=self._target.name, key=parked.event.key, why=parked.error)

    async def _park_refused(self, folded: Folded, refusals: Sequence[Refusal]) -> None:
        refused = [store.Parked(folded.sources[refusal.id], refusal.reason) for refusal in refusals]
        await self._park(Folded({}, {}, list({parked.event.id: parked for parked in refused}.values())))

    async def _replay(self, position: Position) -> None:
        """Try again the parked events that someone asked for; a key whose events are all done is released."""
        events = await asked_again(self._record, self._events, self._target, self._slot)
        if not events:
            return
        folded = await self._folding.folded(events, self._quarantined - {event.key for event in events})
        await self._park(folded)
        refusals = await self._store.apply(self._target, self._slot, list(folded.items.values()), position)
        await self._park_refused(folded, refusals)
        failed = {parked.event.id: parked.event.key for parked in folded.parked}
        failed |= {folded.sources[refusal.id].id: folded.sources[refusal.id].key for refusal in refusals}
        async with self._record.committing() as connection:
            await store.unpark(connection, self._target, self._slot, [event for event in events if event.id not in failed])
            await store.stop_replay(connection, self._target, self._slot, list(set(failed.values())))
            self._quarantined = await store.quarantined_keys(connection, self._target, self._slot)
        await self._report(Batch(events, [], position), list(folded.items))

    async def _report(self, batch: Batch, ids: list[str]) -> None:
        now = asyncio.get_running_loop().time()
        elapsed = max(now - self._reported_at, 0.001)
        self._rate += (batch.scanned / elapsed - self._rate) * (1 - math.exp(-elapsed / RATE_SECONDS))
        self._reported_at = now
        message = Passed(
            self._target.projection,
            self._target.generation,
            self._slot.cell,
            self._slot.shard,
            self._slot.shards,
            batch.end.txid,
            batch.end.seq,
            ids if len(ids) <= limits.PROGRESS_NOTIFY_IDS_MAX else None,
        )
        progress = store.Progress(batch.end, batch.passed, batch.stamp, len(batch.events), len(ids), self._rate)
        async with self._record.committing() as connection:
            await store.report_progress(connection, self._target, self._slot, progress, _text(message))

    def _fit_size(self, seconds: float, batch: Batch) -> None:
        """Halve the batch where it takes too long for its lease, and grow it back as long as more is waiting.

        Never below a floor: an engine that takes half a second whatever the batch would be asked for less and less, and
        fall behind for ever on a busy machine.
        """
        if seconds > limits.BATCH_SECONDS_MAX:
            self._size = max(self._size // 2, limits.BATCH_EVENTS_MIN)
        elif batch.full:
            self._size = min(self._size * 2, limits.BATCH_EVENTS_MAX)

    async def _pause(self, batch: Batch, rings: int) -> None:
        """Wait for news. While a transaction is open that may hold some back, look again soon, then less and less often.

        First rest twice as long as the batch took: an engine with a cost per batch then gets fewer and larger ones, and
        most of the time for its readers. One that is quick rests a while too, for each batch has to be told of; where
        much comes, longer: half as many batches cost little more than half.
        """
        if self._took:
            rest = min(limits.REST_SHARE * self._took, limits.REST_SECONDS_MAX)
            busy = len(batch.events) >= limits.BATCH_BUSY_EVENTS
            apart = limits.BATCHES_APART_BUSY_SECONDS if busy else limits.BATCHES_APART_SECONDS
            await asyncio.sleep(max(rest, apart - self._took))
        self._took = 0.0
        self._quiet = 0 if batch.scanned else self._quiet + 1
        seconds = limits.POLL_SECONDS
        if not batch.settled:
            seconds = min(seconds, limits.WAKE_SECONDS * 2 ** min(self._quiet, 10))
        await self._bell.wait(CHANNEL, rings, seconds)


def _text(message: Passed) -> str:
    text = json.encode(message)
    if len(text) > limits.PROGRESS_NOTIFY_BYTES_MAX:
        text = json.encode(Passed(*(getattr(message, field) for field in Passed.__struct_fields__[:-1])))
    return text.decode()

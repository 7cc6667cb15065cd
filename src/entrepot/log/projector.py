"""The projector: one process's share of all slots of all projections, taken by lease, written side by side.

Any number of processes may run it; each keeps its fair share and takes over from one that dies within ``LEASE_SECONDS``.
"""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence

import stamina
import structlog
from msgspec import Struct, structs

from entrepot.base import limits
from entrepot.base.ending import ended
from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Projection, Slot, Store, Target
from entrepot.log import generations, store
from entrepot.log.archived import ArchivedLog
from entrepot.log.bell import Bell
from entrepot.log.reader import LogReader, Tail
from entrepot.log.slot import Lease, SlotWriter
from entrepot.log.streamed import StreamedLog
from entrepot.record.transaction import Record

log = structlog.get_logger()

PRESENCE = "worker/"


class Subscription(Struct, frozen=True):
    """A projection and its store. ``shards`` counts from the next generation on; 1 where an engine takes one writer only."""

    projection: Projection
    store: Store
    shards: int = 1


class _Held(Struct):
    """A slot that this process writes now."""

    writer: SlotWriter
    lease: Lease
    task: asyncio.Task[None]


async def is_at_work(record: Record) -> bool:
    """Say whether the projector of any process is at work."""
    async with record.committing() as connection:
        return await store.count_leases(connection, PRESENCE) > 0


class Projector:
    """Keeps projections up with the log. ``run`` until cancelled; ``holder`` names this process among the others.

    ``streamed``: the cells whose log it reads by their stream; that of the others in the record.
    """

    def __init__(
        self,
        record: Record,
        bell: Bell,
        subscriptions: Sequence[Subscription],
        *,
        cells: Sequence[int] = (1,),
        archived: ArchivedLog | None = None,
        streamed: Mapping[int, StreamedLog] | None = None,
        holder: str | None = None,
    ) -> None:
        self._record, self._bell, self._cells = record, bell, cells
        self._subscriptions = {subscription.projection.name: subscription for subscription in subscriptions}
        reader = LogReader(record, archived)
        kinds = frozenset().union(*(subscription.projection.kinds for subscription in subscriptions))
        self._streamed = streamed or {}
        self._tails = {cell: Tail(self._streamed.get(cell, reader), cell, kinds) for cell in cells}
        self._holder = holder or str(record.ids.fresh())
        self._presence = f"{PRESENCE}{','.join(sorted(self._subscriptions))}/"
        self._held: dict[str, _Held] = {}
        self._dropping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Write this process's share of the slots until cancelled."""
        try:
            while True:
                async for attempt in stamina.retry_context(
                    on=Exception,  # the record is away: that passes
                    attempts=None,
                    timeout=None,
                    wait_initial=limits.POLL_SECONDS,
                    wait_max=limits.LEASE_SECONDS / 4,
                ):
                    with attempt:
                        await self._share()
        finally:
            await self._stop()

    async def _share(self) -> None:
        for subscription in self._subscriptions.values():
            await generations.ensure(self._record, subscription.projection, subscription.shards)
        while True:
            rings = self._bell.rings(generations.CHANNEL)
            wanted = await self._wanted()
            await self._claim(wanted)
            # Beside the claims: an engine that hangs over an old generation must not cost everyone else's leases.
            if self._dropping is None or self._dropping.done():
                self._dropping = asyncio.get_running_loop().create_task(self._drop_expired())
            await self._bell.wait(generations.CHANNEL, rings, limits.LEASE_SECONDS / 4)

    async def _wanted(self) -> dict[str, tuple[generations.Generation, Slot]]:
        """Return every slot of every generation in use, by the name of its lease."""
        found = await generations.generations(self._record, list(self._subscriptions))
        return {
            f"slot/{generation.projection}/{generation.generation}/{cell}/{shard}": (
                generation,
                Slot(cell, shard, generation.shards),
            )
            for generation in found
            for cell in self._cells
            for shard in range(generation.shards)
        }

    async def _claim(self, wanted: Mapping[str, tuple[generations.Generation, Slot]]) -> None:
        """Renew what is held, let go of what is too much, and take what is free up to a fair share."""
        loop = asyncio.get_running_loop()
        for name in [name for name, held in self._held.items() if name not in wanted or held.task.done()]:
            await self._let_go([name])
        until = loop.time() + limits.LEASE_SECONDS
        async with self._record.committing() as connection:
            await store.claim_leases(connection, [self._presence + self._holder], self._holder, limits.LEASE_SECONDS)
            workers = await store.count_leases(connection, self._presence)
            kept = await store.claim_leases(connection, list(self._held), self._holder, limits.LEASE_SECONDS)
            for cell in self._cells:
                why = self._streamed[cell].why if cell in self._streamed else ""
                source = "stream" if cell in self._streamed and not why else "record"
                await store.report_reader(connection, cell, "projector", self._holder, source, why)
        for name in kept:
            self._held[name].lease.until = until
        fair = math.ceil(len(wanted) / workers)
        await self._let_go([name for name in self._held if name not in kept] + list(kept)[fair:])
        # One by one, so that nobody takes more than his share, and each from another place, so that all are not after the same.
        free = [name for name in wanted if name not in self._held]
        first = hash(self._holder) % len(free) if free else 0
        for name in free[first:] + free[:first]:
            if len(self._held) >= fair:
                break
            until = loop.time() + limits.LEASE_SECONDS
            async with self._record.committing() as connection:
                taken = await store.claim_leases(connection, [name], self._holder, limits.LEASE_SECONDS)
            if taken:
                self._start(name, *wanted[name], until)
        live = {generation.projection: generation.target for generation, _ in wanted.values() if generation.state == "live"}
        for name, held in self._held.items():
            generation, _ = wanted[name]
            held.writer.building = generation.state == "building"
            held.writer.read_beside = None if generation.state == "live" else live.get(generation.projection)

    def _start(self, name: str, generation: generations.Generation, slot: Slot, until: float) -> None:
        subscription = self._subscriptions[generation.projection]
        lease = Lease()
        lease.until = until
        building = generation.state == "building"
        writer = SlotWriter(
            self._record,
            self._bell,
            self._tails[slot.cell],
            subscription.projection,
            subscription.store,
            structs.replace(generation.target, shape=subscription.projection.shape),
            slot,
            lease,
            building=building,
            slots=len(self._cells) * generation.shards,
        )
        log.info("projector.slot_taken", lease=name)
        self._held[name] = _Held(writer, lease, asyncio.get_running_loop().create_task(writer.run()))

    async def _let_go(self, names: Sequence[str]) -> None:
        """Stop writing slots, and only then release their leases."""
        held = [self._held.pop(name) for name in names]
        await ended(*(one.task for one in held))
        if names:
            log.info("projector.slots_released", leases=list(names))
            async with self._record.committing() as connection:
                await store.release_leases(connection, names, self._holder)

    async def _drop_expired(self) -> None:
        try:
            expired = await generations.expired(self._record, list(self._subscriptions))
            for target in expired:
                await self._drop(target)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next round tries again
            log.warning("projector.drop_waits", why=f"{type(error).__name__}: {error}")

    async def _drop(self, target: Target) -> None:
        subscription = self._subscriptions[target.projection]
        try:
            await subscription.store.drop(structs.replace(target, shape=subscription.projection.shape))
        except EngineAwayError as error:  # what lies in another engine, which a move has left, must not wait for this one
            log.warning("projector.drop_waits", target=target.name, why=str(error))
            return
        await generations.forget(self._record, target)

    async def _stop(self) -> None:
        names = list(self._held)
        tasks = [held.task for held in self._held.values()] + ([self._dropping] if self._dropping else [])
        await ended(*tasks)
        self._held.clear()
        with contextlib.suppress(EngineAwayError):  # the leases then run out by themselves
            async with self._record.committing() as connection:
                await store.release_leases(connection, [*names, self._presence + self._holder], self._holder)
                await store.forget_reader(connection, "projector", self._holder)

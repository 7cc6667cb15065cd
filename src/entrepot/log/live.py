"""What readers need to know of projections: which generation is live, and how far it is. Cached, and told by the bell.

A process has one ``LiveTargets``; the API asks it for targets and waits here for "at least this position".
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec
import structlog

from entrepot.base import limits
from entrepot.base.ending import ended
from entrepot.base.errors import EngineAwayError, EntrepotError, NotThereYetError
from entrepot.base.event import START, Position, Token
from entrepot.base.projection import Projection, Target
from entrepot.log import generations, store
from entrepot.log.bell import Bell
from entrepot.log.slot import Passed
from entrepot.log.store import LiveSlot
from entrepot.record.transaction import Record

log = structlog.get_logger()

PROGRESS = "log_progress"
Changed = Callable[[str, Sequence[str] | None], None]
Ready = Callable[[Projection, Target], Awaitable[None]]


class _Live:
    """The live generation of a projection and the positions of its slots by cell and shard."""

    def __init__(self, target: Target, shards: int) -> None:
        self.target = target
        self.shards = shards
        self.positions: dict[tuple[int, int], Position] = {}
        self._unheard: dict[tuple[int, int], tuple[Position, float]] = {}

    def passed(self, token: Token) -> bool:
        return all(self.positions.get((token.cell, shard), START) >= token.position for shard in range(self.shards))

    def note(self, cell: int, shard: int, position: Position) -> None:
        self.positions[cell, shard] = max(position, self.positions.get((cell, shard), START))

    def missed(self, cell: int, shard: int, position: Position, now: float) -> bool:
        """Say whether the message of a position that was read, not heard, must have been lost.

        Until then the position does not count: who waits for it would look into caches that have not been told what changed.
        """
        if position <= self.positions.get((cell, shard), START):
            self._unheard.pop((cell, shard), None)
            return False
        first, since = self._unheard.setdefault((cell, shard), (position, now))
        if first <= self.positions.get((cell, shard), START):
            self._unheard[cell, shard] = (position, now)
            return False
        return now - since >= limits.POLL_SECONDS


class LiveTargets:
    """The live generations of these projections, as one process knows them; ``ready`` reaches an engine before it is read."""

    def __init__(self, record: Record, bell: Bell, projections: Sequence[Projection], ready: Ready | None = None) -> None:
        self._record, self._bell, self._ready = record, bell, ready
        self._projections = {projection.name: projection for projection in projections}
        self._live: dict[str, _Live] = {}
        self._kept: dict[str, _Live] = {}
        # What was heard of generations that are not live here: one may become so in a look that began before.
        self._early: dict[tuple[str, int], dict[tuple[int, int], Position]] = {}
        self._promised: dict[tuple[str, int], Token] = {}
        self._changed: list[Changed] = []
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def target(self, name: str) -> Target:
        """Return the live generation of a projection: ask for each read, for it changes when a rebuild is switched in."""
        if name not in self._live:
            raise NotThereYetError(f"{name} has no live generation yet: start the projector, which makes it.", projection=name)
        return self._live[name].target

    def kept(self, name: str) -> Target | None:
        """Return the generation that a move has left and that is fed on, if it has passed all that anybody waited for."""
        one = self._kept.get(name)
        promised = [token for (of, _), token in self._promised.items() if of == name]
        return one.target if one is not None and all(map(one.passed, promised)) else None

    def on_change(self, changed: Changed) -> None:
        """Call back with a projection's name and the ids that changed in its live generation; None: any may have."""
        self._changed.append(changed)

    async def wait_for(self, name: str, token: Token, seconds: float) -> bool:
        """Wait until the live generation has passed a position; say whether it has, after so long at most."""
        if self._has_passed(name, token):
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._has_passed(name, token):
                    moved = self._moved
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(limits.POLL_SECONDS):
                            await moved.wait()
                            continue
                    await self.refresh()  # a message may have been lost
        return self._has_passed(name, token)

    def _has_passed(self, name: str, token: Token) -> bool:
        """Say whether the live generation has; what was told stays true, whichever engine answers."""
        passed = name in self._live and self._live[name].passed(token)
        if passed:
            told = self._promised.get((name, token.cell), token)
            self._promised[name, token.cell] = max(told, token, key=lambda one: one.position)
        return passed

    async def refresh(self) -> None:
        """Read which generations are live and how far they are; all who ask at once share one reading."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())
        await asyncio.shield(self._refreshing)

    async def _refresh(self) -> None:
        async with self._record.committing() as connection:
            slots, kept = await store.live_slots(connection), await store.kept_slots(connection)
        self._keep(kept)
        now, fresh = asyncio.get_running_loop().time(), set[str]()
        for slot in slots:
            if slot.projection not in self._projections:
                continue
            known = self._live.get(slot.projection)
            if known is None or known.target.generation != slot.generation:
                shape, engine = self._projections[slot.projection].shape, generations.name_of(slot.engine)
                target = Target(slot.projection, slot.generation, shape, engine)
                if known is not None and not await self._can_read(target):
                    continue
                known = self._live[slot.projection] = _Live(target, slot.shards)
                self._tell(slot.projection, None)
                fresh.add(slot.projection)
                for at, position in self._early.pop((slot.projection, slot.generation), {}).items():
                    known.note(*at, position)
            if slot.cell is None or slot.shard is None:
                continue
            if slot.projection in fresh:
                known.note(slot.cell, slot.shard, slot.position)
            elif known.missed(slot.cell, slot.shard, slot.position, now):
                known.note(slot.cell, slot.shard, slot.position)
                self._tell(slot.projection, None)
        self._wake()

    def _keep(self, slots: Sequence[LiveSlot]) -> None:
        kept: dict[str, _Live] = {}
        for slot in slots:
            if slot.projection not in self._projections:
                continue
            target = Target(
                slot.projection,
                slot.generation,
                self._projections[slot.projection].shape,
                generations.name_of(slot.engine),
            )
            one = kept.setdefault(slot.projection, _Live(target, slot.shards))
            if slot.cell is not None and slot.shard is not None:
                one.note(slot.cell, slot.shard, slot.position)
        self._kept = kept

    async def __aenter__(self) -> Self:
        self._bell.hear(PROGRESS, self._heard)
        await self.refresh()
        self._task = asyncio.get_running_loop().create_task(self._follow())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._task is not None:
            await ended(self._task)

    async def _follow(self) -> None:
        """Look again when a generation is said to have changed, and now and then anyway."""
        while True:
            rings = self._bell.rings(generations.CHANNEL)
            try:
                await self.refresh()
            except EngineAwayError:
                pass  # what is known stays true; the next look will tell more
            except Exception as error:  # noqa: BLE001  # whatever it is, readers must hear of the next generation: said, not hidden
                log.warning("live.cannot_follow", why=f"{type(error).__name__}: {error}")
            await self._bell.wait(generations.CHANNEL, rings, limits.LEASE_SECONDS)

    async def _can_read(self, target: Target) -> bool:
        """Reach a new generation's engine before anybody reads it: where it cannot be, what was read so far is read on."""
        try:
            if self._ready is not None:
                await self._ready(self._projections[target.projection], target)
        except EntrepotError as error:
            log.warning("live.cannot_switch", target=target.name, why=str(error))
            return False
        return True

    def _heard(self, message: str | None) -> None:
        if message is None:  # some may have been missed
            for name in self._live:
                self._tell(name, None)
            return
        passed = msgspec.json.decode(message, type=Passed)
        position = Position(passed.txid, passed.seq)
        kept = self._kept.get(passed.projection)
        if kept is not None and kept.target.generation == passed.generation:
            kept.note(passed.cell, passed.shard, position)
        live = self._live.get(passed.projection)
        if live is None or live.target.generation != passed.generation:
            self._early.setdefault((passed.projection, passed.generation), {})[passed.cell, passed.shard] = position
            return
        live.note(passed.cell, passed.shard, position)
        if passed.ids != []:
            self._tell(passed.projection, passed.ids)
        self._wake()

    def _tell(self, name: str, ids: Sequence[str] | None) -> None:
        for changed in self._changed:
            changed(name, ids)

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

"""Runs the jobs and reactions of one cell. Any number of processes may: a lease per job lets one at a time do each.

A job must be safe to be cut at any moment and to run twice: its commands are idempotent, its outside calls carry keys.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.jobs import store
from entrepot.jobs.reaction import Follower, Reaction
from entrepot.log.archived import ArchivedLog
from entrepot.log.bell import Bell
from entrepot.log.reader import LogReader, Tail
from entrepot.log.store import claim_leases, release_leases
from entrepot.record.transaction import Record
from entrepot.record.wake import CHANNEL

log = structlog.get_logger()


class Job(Struct, frozen=True, kw_only=True):
    """What is to be done every so often, or (``seconds`` None) whenever the log has grown.

    ``act`` returns how much it did (0: nothing was due).
    """

    name: str
    seconds: float | None
    act: Callable[[], Awaitable[int]]


class Runner:
    """Runs until cancelled; ``holder`` names this process among those that do the same."""

    def __init__(
        self,
        record: Record,
        bell: Bell,
        cell: int,
        holder: str,
        *,
        jobs: Sequence[Job],
        reactions: Sequence[Reaction],
        archived: ArchivedLog | None = None,
    ) -> None:
        self._record, self._bell, self._cell, self._holder = record, bell, cell, holder
        self._jobs, self._reactions = jobs, reactions
        kinds = frozenset().union(*(reaction.kinds for reaction in reactions))
        # One reading of the log serves them all.
        self._tail = Tail(LogReader(record, archived), cell, kinds)
        self._leased: dict[str, float] = {}

    async def run(self) -> None:
        """Run every job and reaction side by side, each when it is due and the lease is ours."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._repeat(job.name, job.act, job.seconds))
            for reaction in self._reactions:
                follower = Follower(self._record, self._tail, self._cell, reaction)
                group.create_task(self._repeat(reaction.name, partial(self._react, follower), None))

    async def _repeat(self, name: str, act: Callable[[], Awaitable[int]], seconds: float | None) -> None:
        """Act whenever it is due; what fails is noted and tried again, a little later each time."""
        lease, failures = f"job/{self._cell}/{name}", 0
        try:
            while True:
                rings, began = self._bell.rings(CHANNEL), time.monotonic()
                done = await self._once(name, lease, act)
                failures = failures + 1 if done is None else 0
                if failures:
                    await asyncio.sleep(min(limits.JOB_BACKOFF_SECONDS_MAX, (seconds or 1.0) * 2**failures))
                    continue
                if seconds is not None:
                    await asyncio.sleep(seconds)
                    continue
                if not done:
                    await self._bell.wait(CHANNEL, rings, limits.JOB_POLL_SECONDS)
                # What happens in the meantime is one batch: a busy log costs each reaction so many steps a second, and no more.
                # Even a lone event is waited for a little: others that were begun before it may be about to be committed.
                apart = limits.JOB_APART_BUSY_SECONDS if (done or 0) >= limits.BATCH_BUSY_EVENTS else limits.JOB_APART_SECONDS
                await asyncio.sleep(max(limits.JOB_REST_SECONDS, began + apart - time.monotonic()))
        finally:
            with contextlib.suppress(EngineAwayError):  # the lease then runs out by itself
                async with self._record.committing() as connection:
                    await release_leases(connection, [lease], self._holder)

    async def _once(self, name: str, lease: str, act: Callable[[], Awaitable[int]]) -> int | None:
        """Act, if the lease is ours; returns how much was done, or None when it failed."""
        began = time.monotonic()
        try:
            if not await self._hold(lease):
                return 0
            # A job that runs longer than its lease could meet its twin: it is cut, and begins again where it left off.
            async with asyncio.timeout(limits.JOB_SECONDS_MAX):
                done = await act()
            if done:
                await self._note(name, done, time.monotonic() - began, None)
        except EngineAwayError as error:
            log.warning("job.waits", job=name, why=str(error))
            return None
        except Exception as error:  # the next run is the answer; meanwhile the console shows why
            log.warning("job.failed", job=name, why=str(error), exc_info=True)
            with contextlib.suppress(EngineAwayError):
                await self._note(name, 0, time.monotonic() - began, str(error) or type(error).__name__)
            return None
        return done

    async def _hold(self, lease: str) -> bool:
        """Say whether the lease is ours for as long as a run may take; it is renewed only when it would not be."""
        now = time.monotonic()
        if self._leased.get(lease, 0.0) - now > limits.JOB_SECONDS_MAX:
            return True
        async with self._record.committing() as connection:
            ours = bool(await claim_leases(connection, [lease], self._holder, limits.JOB_LEASE_SECONDS))
        self._leased[lease] = now + limits.JOB_LEASE_SECONDS if ours else 0.0
        return ours

    async def _note(self, name: str, done: int, seconds: float, error: str | None) -> None:
        async with self._record.committing() as connection:
            await store.note_run(connection, name, done, seconds, error)

    async def _react(self, follower: Follower) -> int:
        """React to all that waits, a batch at a time, as long as the lease surely holds."""
        reacted, until = 0, time.monotonic() + limits.JOB_SECONDS_MAX / 2
        more = True
        while more and time.monotonic() < until:
            count, more = await follower.step()
            reacted += count
        return reacted

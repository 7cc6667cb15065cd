"""Verifies a projection: page by page over the whole id space, while writes go on, and mends what differs if asked to.

A page of truth is read in one snapshot; when the projection has passed it, the same range is read from its store. What
differs is looked at again until it stands still: a difference is what two looks in a row agree on, the rest is in motion.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Token
from entrepot.base.projection import Item, Projection, Store, Target
from entrepot.record.named import queries
from entrepot.record.transaction import Record
from entrepot.verify import truth
from entrepot.verify.compare import Checksum, Compared, Difference, compare

SQL = queries(__package__)

Seen = Callable[[int], None]


class Report(Struct, frozen=True):
    """What a verification found. It succeeded if ``differs`` is 0.

    ``checked`` counts the items the truth asks for, ``checksum`` sums them up; ``differs`` counts the ids that differ (still,
    after a repair), ``repaired`` those that were mended, ``moving`` those that kept changing while they were looked at.
    ``differences`` name the first of all that were found.
    """

    projection: str
    generation: int
    checked: int
    differs: int
    repaired: int
    moving: int
    checksum: Checksum
    seconds: float
    differences: Sequence[Difference]


class _Range(Struct, frozen=True):
    """A part of the id space: an aggregate's ids from ``low`` to ``high``, or between aggregates, where nothing may be."""

    low_id: str
    high_id: str | None
    aggregate: str = ""
    low: UUID = truth.LOWEST
    high: UUID | None = None


class Followed(Protocol):
    """The generation of each projection that is compared, and how far it is: the live ones, or those beside."""

    def target(self, name: str) -> Target:
        """Return the generation of a projection."""
        ...

    async def refresh(self) -> None:
        """Look anew which they are, and how far."""
        ...

    async def wait_for(self, name: str, token: Token, seconds: float) -> bool:
        """Wait until a generation has passed a position; say whether it has, after so long at most."""
        ...


class Verifier:
    """Verifies projections against the truth of these cells."""

    def __init__(self, record: Record, live: Followed, *, cells: Sequence[int] = (1,)) -> None:
        self._record, self._live, self._cells = record, live, cells

    async def verify(self, projection: Projection, store: Store, *, repair: bool = False, seen: Seen | None = None) -> Report:
        """Compare a projection with the truth, mend it if asked to, note the result and return it.

        ``seen`` is told, page by page, how many items have been checked.
        """
        began = asyncio.get_running_loop().time()
        await self._live.refresh()
        self._live.target(projection.name)  # what was never made is told at once, not when waiting for it has been in vain
        checksum, named = Checksum(), list[Difference]()
        found = repaired = moving = 0
        async with contextlib.aclosing(self._looked_at(projection, store)) as looks:
            async for part, looked in looks:
                compared, in_motion = await self._settled(projection, store, part, looked)
                moving += in_motion
                left = compared.differences
                if left and repair:
                    left = await self._mend(projection, store, part, compared)
                    repaired += len(compared.differences) - len(left)
                found += len(left)
                named += compared.differences[: limits.VERIFY_NAMED_MAX - len(named)]
                checksum += compared.checksum
                if seen:
                    seen(checksum.items)
        report = Report(
            projection.name,
            self._live.target(projection.name).generation,
            checksum.items,
            found,
            repaired,
            moving,
            checksum,
            asyncio.get_running_loop().time() - began,
            named,
        )
        await self._note(report)
        return report

    async def _ranges(self, projection: Projection) -> AsyncIterator[_Range]:
        """Yield ranges that tile every possible id: what lies between the aggregates is looked at too."""
        end = ""
        for aggregate in sorted(projection.aggregates, key=lambda name: f"{name}/"):
            yield _Range(end, f"{aggregate}/")
            end = f"{aggregate}0"  # the character after "/"
            low, low_id = truth.LOWEST, f"{aggregate}/"
            while True:
                async with self._record.reading() as connection:
                    high = await truth.bound(connection, self._cells, aggregate, low, limits.SCAN_ITEMS_MAX)
                if high is None:
                    yield _Range(low_id, end, aggregate, low, None)
                    break
                yield _Range(low_id, f"{aggregate}/{high}", aggregate, low, high)
                low, low_id = high, f"{aggregate}/{high}"
        yield _Range(end, None)

    async def _looked_at(self, projection: Projection, store: Store) -> AsyncGenerator[tuple[_Range, Compared], None]:
        """Yield each range with a first look at it; meanwhile the next are looked at, for a look waits on engines mostly."""

        async def look(part: _Range) -> tuple[_Range, Compared]:
            return part, await self._compared(projection, store, part)

        ahead: deque[asyncio.Task[tuple[_Range, Compared]]] = deque()
        try:
            async for part in self._ranges(projection):
                ahead.append(asyncio.create_task(look(part)))
                if len(ahead) == limits.VERIFY_RANGES_AT_ONCE:
                    yield await ahead.popleft()
            while ahead:
                yield await ahead.popleft()
        finally:
            for started in ahead:
                started.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _compared(self, projection: Projection, store: Store, part: _Range) -> Compared:
        """Compare a range as it is now: truth in one snapshot, then the store when it has passed that."""
        async with self._record.reading() as connection:
            tokens = await truth.heads(connection, self._cells)
            events = await truth.events(connection, self._cells, part.aggregate, part.low, part.high) if part.aggregate else []
        for token in tokens:
            if not await self._live.wait_for(projection.name, token, limits.VERIFY_WAIT_SECONDS):
                raise NotThereYetError(
                    f"{projection.name} has not reached {token} after {limits.VERIFY_WAIT_SECONDS:.0f} s: "
                    "start the projector, or see what stops it.",
                    projection=projection.name,
                )
        found = await store.scan(self._live.target(projection.name), part.low_id, part.high_id)
        return await asyncio.to_thread(compare, projection, events, found)

    async def _settled(self, projection: Projection, store: Store, part: _Range, compared: Compared) -> tuple[Compared, int]:
        """Look again until the differences stand still; return those, and how many did not in the time they had."""
        for _ in range(limits.VERIFY_TRIES_MAX):
            if not compared.differences:
                return compared, 0
            before, compared = compared, await self._compared(projection, store, part)
            still = set(before.differences) & set(compared.differences)
            moving = {d.id for d in before.differences} & {d.id for d in compared.differences} - {d.id for d in still}
            if not moving:
                break
        return Compared(compared.checksum, sorted(still, key=lambda d: d.id), compared.expected), len(moving)

    async def _mend(self, projection: Projection, store: Store, part: _Range, compared: Compared) -> Sequence[Difference]:
        """Make the differing ids what they must be; return those that differ nevertheless."""
        for _ in range(limits.VERIFY_TRIES_MAX):
            items = [
                compared.expected[difference.id] or Item(difference.id, 0, None)
                for difference in compared.differences
                if difference.why != "cannot be projected"
            ]
            await store.put(self._live.target(projection.name), items)
            # The projector may have written a newer one between our look and our repair; then it is mended again.
            looked = await self._compared(projection, store, part)
            compared, _moving = await self._settled(projection, store, part, looked)
            if not items or not compared.differences:
                break
        return compared.differences

    async def _note(self, report: Report) -> None:
        async with self._record.committing() as connection:
            await connection.execute(
                SQL["add_verification"],
                *(report.projection, report.generation, report.checked, report.differs, report.repaired, report.seconds),
                msgspec.json.encode(report).decode(),
            )

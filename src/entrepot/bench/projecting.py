"""Fills a generation from events that lie ready, as a projector does: the next batch is folded while the last is applied."""

import asyncio
from collections.abc import Sequence
from functools import partial

from entrepot.base.ending import ended
from entrepot.base.event import Event
from entrepot.base.limits import BATCH_EVENTS_MAX
from entrepot.base.projection import Projection, Slot, Store, Target
from entrepot.bench import BenchError
from entrepot.log.fold import Folded
from entrepot.log.folding import Folding
from entrepot.log.giving_way import GivingWay


async def projected(
    store: Store, projection: Projection, target: Target, events: Sequence[Event], slot: Slot, read: Target | None = None
) -> None:
    """Make the generation and apply all the events; an item that is refused ends it. Whoever reads ``read`` comes first."""
    folding, way = Folding(projection, store, target), GivingWay()
    batches = [events[start : start + BATCH_EVENTS_MAX] for start in range(0, len(events), BATCH_EVENTS_MAX)]
    ahead: asyncio.Task[Folded] | None = None
    await store.create(target)
    try:
        for batch, following in zip(batches, [*batches[1:], []], strict=True):
            items = (await (ahead or folding.folded(batch, frozenset()))).items
            ahead = asyncio.create_task(folding.folded(following, frozenset(), items))
            if refused := await store.apply(target, slot, list(items.values()), batch[-1].position):
                raise BenchError(f"{len(refused)} items were refused, such as {refused[0].id}: {refused[0].reason}")
            if following and read is not None:
                await way.until_quick(partial(store.position, read, slot))
    finally:
        if ahead is not None:
            await ended(ahead)

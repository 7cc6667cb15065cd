"""Folds batches as a projector does: reads what they need to see from the store, and computes beside the event loop."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from entrepot.base import limits
from entrepot.base.computing import computed
from entrepot.base.event import Event
from entrepot.base.projection import Item, Projection, Store, Target
from entrepot.log.fold import Folded, Reading, fold, needed
from entrepot.log.store import Parked


class Folding:
    """Folds for one target. A batch may be folded while the one before it is being applied: it is told of that one's items."""

    def __init__(self, projection: Projection, to: Store, target: Target) -> None:
        self._projection, self._store, self._target = projection, to, target

    async def folded(
        self, events: Sequence[Event], quarantined: AbstractSet[str], applying: Mapping[str, Item] | None = None
    ) -> Folded:
        """Return what the events make of what is stored; ``applying``: the items that are on their way there, by id."""
        reading, before = needed(self._projection, events, quarantined), applying or {}
        unknown = [id_ for id_ in reading.ids if id_ not in before]
        state = await self._store.read(self._target, unknown) if unknown else {}
        state |= {id_: before[id_] for id_ in reading.ids if id_ in before}
        items: dict[str, Item] = {}
        sources: dict[str, Event] = {}
        parked: list[Parked] = []
        stopped = set(quarantined)
        for start in range(0, len(events), limits.FOLD_EVENTS_MAX):
            made = await self._piece(events[start : start + limits.FOLD_EVENTS_MAX], reading, state, stopped)
            items |= made.items
            sources |= made.sources
            parked += made.parked
            state |= made.items
            stopped |= {each.event.key for each in made.parked}
        return Folded(items, sources, parked)

    async def _piece(
        self, events: Sequence[Event], reading: Reading, state: Mapping[str, Item], stopped: AbstractSet[str]
    ) -> Folded:
        if len(events) <= limits.BATCH_BUSY_EVENTS:  # done before a thread would have begun
            return fold(self._projection, events, reading, state, stopped)
        return await computed(fold, self._projection, events, reading, state, stopped)

"""Folds a batch of events into the items to write: pure, the heart of every projector.

An event that the projection cannot take is poison: it and all later events of its key are set aside, its neighbours go on.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Event
from entrepot.base.projection import Item, Projection
from entrepot.log.store import Parked


class Reading(Struct, frozen=True):
    """What a batch needs to see before it can be folded: ids, and the events that could not even say so."""

    ids: Sequence[str]
    poison: Mapping[UUID, str]


class Folded(Struct, frozen=True):
    """The newest item of each id with the event it came from, and what was set aside."""

    items: Mapping[str, Item]
    sources: Mapping[str, Event]
    parked: Sequence[Parked]


def needed(projection: Projection, events: Sequence[Event], quarantined: AbstractSet[str]) -> Reading:
    """Return the ids whose present items the projection must see to take these events."""
    ids: dict[str, None] = {}
    poison: dict[UUID, str] = {}
    for event in events:
        if event.key not in quarantined:
            try:
                ids.update(dict.fromkeys(projection.reads(event)))
            except Exception as error:  # noqa: BLE001  # whatever a projection raises for an event makes it poison
                poison[event.id] = _said(error)
    return Reading(list(ids), poison)


def fold(
    projection: Projection, events: Sequence[Event], reading: Reading, stored: Mapping[str, Item], quarantined: AbstractSet[str]
) -> Folded:
    """Fold events in order, each seeing the items of those before it; an item not newer than what is there is dropped."""
    state = dict(stored)
    items: dict[str, Item] = {}
    sources: dict[str, Event] = {}
    parked: list[Parked] = []
    stopped = set(quarantined)
    for event in events:
        if event.key in stopped:
            parked.append(Parked(event))
            continue
        error = reading.poison.get(event.id)
        made: Sequence[Item] = ()
        if error is None:
            try:
                made = projection.project(event, state)
            except Exception as raised:  # noqa: BLE001  # as above: neighbours must go on
                error = _said(raised)
        if error is not None:
            parked.append(Parked(event, error))
            stopped.add(event.key)
        for item in made:
            present = state.get(item.id)
            if present is None or present.version < item.version:
                state[item.id] = items[item.id] = item
                sources[item.id] = event
    return Folded(items, sources, parked)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"

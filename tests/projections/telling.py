"""Tells events to a projection as the projector does: one after the other, each seeing what the ones before it left."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from entrepot.base.event import Event, Position
from entrepot.base.projection import Item, Projection, Slot, Store, Target

SLOT = Slot(cell=1)


def event(kind: str, key: str, version: int, body: Struct) -> Event:
    """Return a fact as the log would hold it."""
    at = Position(version, version)
    return Event(1, UUID(int=version), at, 0, kind, key, version, Raw(msgspec.json.encode(body)))


def told(projection: Projection, *events: Event) -> Mapping[str, Item]:
    """Return the items that these events leave, in this order, without an engine."""
    state: dict[str, Item] = {}
    for one in events:
        for item in projection.project(one, {id_: state[id_] for id_ in projection.reads(one) if id_ in state}):
            if item.id not in state or state[item.id].version < item.version:
                state[item.id] = item
    return state


async def tell(store: Store, target: Target, projection: Projection, *events: Event) -> None:
    """Write what these events make of what the store holds."""
    for one in events:
        items = projection.project(one, await store.read(target, projection.reads(one)))
        assert not await store.apply(target, SLOT, items, one.position)

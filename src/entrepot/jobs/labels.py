"""Ends what labels of parcels tell: after some weeks no parcel is printed again, and its label is kept no longer."""

from datetime import timedelta

from entrepot.base.limits import LABEL_DAYS
from entrepot.base.time import Clock, millis_of, utc
from entrepot.commerce.aftersale.labelling import objects_before
from entrepot.engines.objects.port import ObjectStore


async def drop_old_labels(objects: ObjectStore, cell: int, clock: Clock) -> int:
    """Delete labels of parcels that were asked for long ago, a page at a time; returns how many."""
    before = utc(clock.millis()) - timedelta(days=LABEL_DAYS)
    folder, end = objects_before(cell, millis_of(before))
    old = [key for key in await objects.list(folder) if key < end]
    for key in old:
        await objects.delete(key)
    return len(old)

"""The commands of shipping: make zones and methods what they shall be."""

from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.shipping import rules, store
from entrepot.commerce.shipping.events import METHOD_SAVED, ZONE_SAVED, MethodSaved, ZoneSaved
from entrepot.record.transaction import Fact, Transaction


async def save_zone(tx: Transaction, wanted: ZoneSaved) -> Token | None:
    """Make a zone what is wanted; returns the position, or None when it was so already."""
    rules.check_zone(wanted)
    if (await store.zones(tx.connection)).get(wanted.code) == wanted:
        return None
    version = await store.put_zone(tx.connection, wanted)
    return await tx.append([Fact(ZONE_SAVED, f"zone/{wanted.code}", version, wanted)])


async def save_method(tx: Transaction, wanted: MethodSaved) -> Token | None:
    """Make a shipping method what is wanted; returns the position, or None when it was so already."""
    rules.check_method(wanted, await store.zones(tx.connection))
    if (await store.methods(tx.connection)).get(wanted.code) == wanted:
        return None
    version = await store.put_method(tx.connection, wanted, utc(stamp_millis(tx.clock.tick())))
    return await tx.append([Fact(METHOD_SAVED, f"shipping-method/{wanted.code}", version, wanted)])

"""Events set aside because a projection or its store could not take them: to be seen, and to be tried again."""

from entrepot.base import limits
from entrepot.log import store
from entrepot.log.store import Quarantined
from entrepot.record.transaction import Record


async def parked(record: Record, projection: str, limit: int = limits.PAGE_ITEMS_MAX) -> list[Quarantined]:
    """Return the first events in quarantine: the poison with its error, and those of its key that wait behind it."""
    async with record.committing() as connection:
        return await store.quarantine(connection, projection, limit)


async def replay(record: Record, projection: str, key: str | None = None) -> int:
    """Ask the projector to try a key's parked events again, in order, or everyone's; return how many there are."""
    async with record.committing() as connection:
        return await store.request_replay(connection, projection, key)

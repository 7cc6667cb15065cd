"""The jobs of subscriptions: announce renewals that are near, and renew what is due. Issues commands; decides nothing itself.

Both may be cut at any moment: what was not finished is due again in the next run. One subscription that cannot be renewed now
(its gateway is away, its charge is under way elsewhere) holds up no other.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from entrepot.base import limits
from entrepot.base.errors import EntrepotError
from entrepot.base.time import Clock, utc
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.record.transaction import Record

log = structlog.get_logger()


async def renew_due(record: Record, cell: int, renewals: Renewals, clock: Clock) -> int:
    """Renew, or end, every subscription that is due (so many a run, a few at once), and return how many it was."""
    now = utc(clock.millis())
    async with record.reading() as connection:
        due = await query.due(connection, cell, now, limits.RENEWALS_PER_RUN_MAX)
    free = asyncio.Semaphore(limits.RENEWALS_AT_ONCE_MAX)

    async def renewed(subscription_id: UUID) -> bool:
        async with free:
            try:
                return await renewals.renew(subscription_id, now)
            except EntrepotError as error:  # it stays due, and its charge written down
                log.warning("subscription.waits", subscription_id=str(subscription_id), why=str(error))
                return False

    return sum(await asyncio.gather(*map(renewed, due)))


async def announce_coming(record: Record, cell: int, clock: Clock) -> int:
    """Tell, once for each, of the renewals of the next days, and return how many it was."""
    now = utc(clock.millis())
    until = now + timedelta(days=limits.UPCOMING_DAYS)
    async with record.reading() as connection:
        coming = await query.coming(connection, cell, now, until, limits.RENEWALS_PER_RUN_MAX)
    told = 0
    for subscription_id in coming:
        async with record.transaction(cell, "renewals") as tx:
            told += await commands.announce(tx, subscription_id, now)
    return told

"""Ends approvals that nobody decided or used in time; may be cut anywhere and run twice."""

from entrepot.base.time import Clock, utc
from entrepot.commerce.approval import commands
from entrepot.record.transaction import Record

ACTOR = "job/approvals"


async def expire_over(record: Record, cell: int, clock: Clock) -> int:
    """End what is over; returns how many approvals that were."""
    async with record.transaction(cell, ACTOR) as tx:
        return await commands.expire_over(tx, utc(clock.millis()))

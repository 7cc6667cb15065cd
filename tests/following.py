"""Waiting until a reaction has seen all there is: an open transaction of anybody's holds the log's end back for a while."""

import asyncio

from entrepot.jobs import store as jobs
from entrepot.jobs.reaction import Follower, Reaction
from entrepot.log import store as log
from entrepot.log.reader import LogReader
from entrepot.record.transaction import Record
from tests.trade import CELL

SECONDS_MAX = 60.0


async def until_reacted(record: Record, reaction: Reaction) -> None:
    """Wait until the reaction has seen all that is written now."""
    async with record.committing() as connection, asyncio.timeout(SECONDS_MAX):
        head = await log.head(connection, CELL)
        while True:
            await Follower(record, LogReader(record), CELL, reaction).step()
            if await jobs.cursor(connection, CELL, reaction.name, from_start=reaction.from_start) >= head:
                return
            await asyncio.sleep(0.01)

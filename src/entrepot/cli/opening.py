"""Opens the record, for verbs that need no other engine."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings, load, require


@asynccontextmanager
async def opened_record() -> AsyncIterator[tuple[Settings, Record]]:
    """Give the settings of the environment, and the record that they name, by one connection."""
    settings = load(os.environ)
    require(settings, "record")
    async with await open_record(settings.engines.record, connections=1) as record:
        yield settings, record

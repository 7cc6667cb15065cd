"""An API key for a bench that speaks HTTP: of a service account of its own, which ends with the run."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from entrepot.app import keys_of, open_people_of
from entrepot.commerce.people.lending import INTEGRATION, lent_key
from entrepot.record.transaction import open_record
from entrepot.sealing.sealing import open_sealing
from entrepot.settings import Settings


@asynccontextmanager
async def bench_key(settings: Settings, role: str = INTEGRATION) -> AsyncIterator[str]:
    """Give a key to what these settings serve until the block ends."""
    async with AsyncExitStack() as stack:
        sealing = await open_sealing(settings.engines.record, keys_of(settings))
        stack.push_async_callback(sealing.close)
        record = await stack.enter_async_context(await open_record(settings.engines.record, connections=2, seals=sealing))
        people = await stack.enter_async_context(open_people_of(settings, record, sealing))
        yield await stack.enter_async_context(lent_key(record, people.sessions, settings.cell, "bench", role=role))

"""A record with its keys, for processes and houses that open one themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from entrepot.partners.keys.choice import key_provider
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.sealing import open_sealing


@asynccontextmanager
async def sealed_record(url: str, keys_url: str) -> AsyncIterator[Record]:
    """Open a record that seals under the keys at ``keys_url``."""
    sealing = await open_sealing(url, key_provider(keys_url))
    try:
        async with await open_record(url, seals=sealing) as record:
            yield record
    finally:
        await sealing.close()

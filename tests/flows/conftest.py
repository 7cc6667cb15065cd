"""One house for the tests of the API and the console: its engines are the session's, its record is its own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from entrepot.settings import Engines
from tests.house import House, open_house, settings_for
from tests.shop_front import fill_shop_front


@pytest.fixture(scope="session")
async def house(
    record_url: str, memory_url: str, graph_url: str, columns_url: str, objects_url: str, engines_home: Path
) -> AsyncIterator[House]:
    """Return an open house with a few products on offer."""
    name = f"house_{os.urandom(4).hex()}"
    connection = await asyncpg.connect(record_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.execute(f"CREATE DATABASE {name}_documents")
    await connection.close()
    base = record_url.rsplit("/", 1)[0]
    engines = Engines(
        record=f"{base}/{name}",
        documents=f"{base}/{name}_documents",
        memory=memory_url,
        graph=graph_url,
        columns=columns_url,
        objects=objects_url,
        search=f"tantivy://{engines_home}/{name}",
    )
    async with open_house(settings_for(engines, engines_home / name)) as opened:
        await fill_shop_front(opened)
        yield opened

"""Roles are moved from the embedded engines to the production servers and back while people read and orders come."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.conftest import filled_house
from tests.house import House
from tests.moving import differing, engine_read, moved, moved_back, under_load


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


async def there_and_back(house: House, role: str, there: str) -> None:
    """Move a role to a server and back; every read is answered, and what is read in the end is the truth."""
    here = await engine_read(house, role)
    async with under_load(house) as load:
        await moved(house, role, there)
        assert await engine_read(house, role) == there
        await moved_back(house, role, here)
        assert await engine_read(house, role) == here
    assert set(load.reads) == {200}
    assert await differing(house, role) == 0


async def test_search_is_moved_to_elasticsearch_and_back(house: House, elasticsearch_url: str) -> None:
    await there_and_back(house, "search", elasticsearch_url)


async def test_the_graph_is_moved_to_neo4j_and_back(house: House, neo4j_url: str) -> None:
    await there_and_back(house, "graph", neo4j_url)


async def test_documents_are_moved_to_mongodb_and_back(house: House, mongo_java_url: str) -> None:
    await there_and_back(house, "documents", mongo_java_url)

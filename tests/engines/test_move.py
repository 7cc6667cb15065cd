"""Roles are moved from the embedded engines to the production servers and back while people read and orders come."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.flows.conftest import filled_house
from tests.house import House
from tests.moving import differing, engine_read, moved, moved_back, under_load


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


@pytest.fixture(scope="module")
def servers(elasticsearch_url: str, neo4j_url: str, mongo_java_url: str) -> Mapping[str, str]:
    return {"search": elasticsearch_url, "graph": neo4j_url, "documents": mongo_java_url}


@pytest.mark.parametrize("role", ["search", "graph", "documents"])
async def test_a_role_is_moved_to_the_server_and_back(house: House, role: str, servers: Mapping[str, str]) -> None:
    here, there = await engine_read(house, role), servers[role]
    async with under_load(house) as load:
        await moved(house, role, there)
        assert await engine_read(house, role) == there
        await moved_back(house, role, here)
        assert await engine_read(house, role) == here
    assert set(load.reads) == {200}
    assert await differing(house, role) == 0

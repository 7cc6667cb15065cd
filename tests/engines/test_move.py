"""Roles are moved from the embedded engines to the production servers and back while people read and orders come."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from entrepot.privacy.scanner import Scanner
from tests.flows.conftest import filled_house
from tests.forgetting import contact, settle
from tests.gate import gate_before
from tests.house import House
from tests.moving import PAGES, differing, engine_read, moved, moved_back, under_load, until_room_says

ENGINE_SECONDS = 1.0


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


async def knows_nobody(house: House, role: str) -> None:
    """Search the server for who has an account, an address and orders here: nothing of them gets there."""
    person_id, who = await settle(house, f"Beyond-{role}"), contact(f"Beyond-{role}")
    await house.seen_by_all()
    values = [who.email, who.name, who.phone, who.address.line1]
    scan = await Scanner(house.app.settings, house.app.stores.places.moved).search(values, [person_id])
    looked = next(one for one in scan.sources if one.source == role)
    assert (bool(looked.bytes), looked.findings) == (True, [])
    assert scan.findings  # elsewhere there is something to be found: the letter, and whom facts are about


async def there_and_back(house: House, role: str, there: str) -> None:
    """Move a role to a server and back; every read is answered, what is read in the end is the truth, and it knows nobody."""
    here = await engine_read(house, role)
    async with under_load(house) as load:
        await moved(house, role, there)
        assert await engine_read(house, role) == there
        await knows_nobody(house, role)
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


async def test_searches_are_answered_by_the_old_engine_where_the_new_one_hangs(
    record_url: str, objects_url: str, engines_home: Path, elasticsearch_url: str
) -> None:
    port = urlsplit(elasticsearch_url).port
    assert port is not None
    async with (
        gate_before(port) as gate,
        filled_house(record_url, objects_url, engines_home, seconds=ENGINE_SECONDS) as house,
    ):
        here = await engine_read(house, "search")
        there = elasticsearch_url.replace(f":{port}", f":{gate.port}") + "&prefix=hangs-"
        await moved(house, "search", there)
        assert await engine_read(house, "search") == there
        await gate.stand("slow")
        answers = [await house.client.get(page) for page in PAGES * 5]
        assert [answer.status_code for answer in answers if not answer.is_success or not answer.json()["hits"]] == []
        await until_room_says(house, "that the new one did not answer in time")
        await gate.stand("open")
        await moved_back(house, "search", here)
        assert await differing(house, "search") == 0

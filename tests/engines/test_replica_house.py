"""A house with a streaming replica: lists are read from it, nobody misses what they wrote, and its death costs nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from entrepot.local.place import Place
from entrepot.local.process import free_ports
from tests.conftest import SECRET
from tests.engines.replica import Replica
from tests.flows.conftest import filled_house
from tests.gate import gate_before
from tests.house import House
from tests.servers import Server

SECONDS = 120.0


@pytest.fixture(scope="module")
async def server(record_url: str, engines_home: Path) -> AsyncIterator[Server]:
    home = engines_home / "replica-of-house"
    place = Place(home, "replica", free_ports(home, 1, ()), SECRET)
    async with gate_before(place.ports[0]) as gate:
        started = await asyncio.to_thread(Server, Replica(record_url), place, gate)
        try:
            await started.ready()
            yield started
        finally:
            await started.end()


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path, server: Server) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home, replica=server.url("replica")) as opened:
        yield opened


async def until(house: House, *, near: bool) -> None:
    replica = house.app.record.replica
    assert replica is not None
    async with asyncio.timeout(SECONDS):
        while replica.near is not near:  # noqa: ASYNC110  # it is another server's doing, which sets no Event
            await asyncio.sleep(0.02)


async def order(house: House) -> tuple[str, str]:
    """Place an order and return its id and the position of the write."""
    body = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "KETTLE-ALDER-RED", "quantity": 1}]}
    placed = await house.client.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert placed.status_code == 201, placed.text
    return placed.json()["order_id"], placed.headers["Entrepot-Position"]


async def test_who_names_the_position_of_their_write_sees_it_in_the_list(house: House) -> None:
    await until(house, near=True)
    for _ in range(10):
        id_, position = await order(house)
        listed = await house.client.get("/v1/orders?limit=1", headers={"Entrepot-At-Least": position})
        assert [one["id"] for one in listed.json()["items"]] == [id_]


async def test_the_engine_room_says_whether_the_replica_is_read(house: House, server: Server) -> None:
    await until(house, near=True)
    assert "s old at most" in (await house.client.get("/engine-room")).text
    async with server.away("killed"):
        await until(house, near=False)
        assert "not read: " in (await house.client.get("/engine-room")).text
        ready = await house.nobody.get("/readyz")
        assert ready.status_code == 200, ready.text
    await until(house, near=True)


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/invoices", "/v1/credit-notes", "/v1/companies"])
async def test_lists_are_answered_with_the_replica_and_without_it(house: House, server: Server, path: str) -> None:
    await until(house, near=True)
    before = await house.client.get(path)
    async with server.away("refusing"):
        without = await house.client.get(path)
    assert (before.status_code, without.status_code) == (200, 200)
    assert before.json() == without.json()

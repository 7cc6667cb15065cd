"""A role is moved to another engine of its kind and back while readers read and orders come: nobody notices."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from entrepot.log.moves import Move
from entrepot.moving.moving import Mover
from tests.house import House
from tests.log_case import until


@pytest.fixture
async def elsewhere(house: House, tmp_path: Path) -> Mapping[str, str]:
    """Return another engine of the same product for each role that needs no server of its own."""
    documents = f"{house.app.settings.engines.documents}_{os.urandom(4).hex()}"
    connection = await asyncpg.connect(house.app.settings.engines.documents)
    await connection.execute(f"CREATE DATABASE {documents.rpartition('/')[2]}")
    await connection.close()
    return {"documents": documents, "search": f"tantivy://{tmp_path}/search"}


def mover(house: House) -> Mover:
    app = house.app
    return Mover(app.record, app.settings, app.sealing, app.stores.places, app.subscriptions, "system/tests")


async def moved(house: House, role: str, url: str) -> Move:
    """Begin, wait until all is built, prove it, and switch."""
    one = mover(house)
    begun = await one.begin(role, url)

    async def built() -> bool:
        return not await one.is_behind(begun)

    await until(built)
    return await one.switch(begun, await one.prove(begun))


async def engine_read(house: House, role: str) -> str:
    """Return the engine that readers of a role's projection use, once this process has heard of it."""
    await house.app.live.refresh()
    name = next(one.name for one in house.app.projections if one.role == role)
    return await house.app.stores.places.url(role, house.app.live.target(name).engine)


@asynccontextmanager
async def reading(house: House) -> AsyncIterator[list[int]]:
    """Search and open product pages all the time, as one reader of each; every answer must find what is there."""
    answers = list[int]()

    async def read(path: str) -> None:
        while True:
            answer = await house.client.get(path)
            items = answer.json().get("items")
            answers.append(answer.status_code if items is None or items else 0)

    tasks = [asyncio.create_task(read(path)) for path in ("/v1/search?q=tea&market=uk", "/v1/search?q=&market=uk")]
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("role", ["documents", "search"])
async def test_a_role_is_moved_there_and_back_while_readers_read(house: House, elsewhere: Mapping[str, str], role: str) -> None:
    here, there = await engine_read(house, role), elsewhere[role]
    async with reading(house) as answers:
        await moved(house, role, there)
        assert await engine_read(house, role) == there
        await mover(house).end(role, finish=True)
        await moved(house, role, here)
        assert await engine_read(house, role) == here
        await mover(house).end(role, finish=True)
    assert set(answers) == {200}, answers

"""Carts when their Redis is killed: told as away, and back with every change that was answered."""

import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

from redis.asyncio import Redis as Client

from entrepot.local.place import Place
from entrepot.local.process import launch, stop, until_ready
from entrepot.local.redis import Redis
from tests.conftest import SECRET
from tests.flows.conftest import filled_house

LINE = {"sku": "MUG-BIRCH-BLACK", "quantity": 1}


async def test_an_answered_change_survives_a_kill_of_redis_which_is_told_as_away(
    record_url: str, objects_url: str, engines_home: Path
) -> None:
    async with filled_house(record_url, objects_url, engines_home) as house:
        url = house.app.settings.engines.memory
        cart = (await house.client.post("/v1/carts", json={"market": "uk", "country": "GB", "lines": [LINE]})).json()
        path = f"/v1/carts/{cart['id']}"
        assert (await house.client.post(f"{path}/lines", json={"lines": [LINE]})).json()["pieces"] == 2
        async with Client.from_url(url) as client:
            os.kill((await client.info("server"))["process_id"], signal.SIGKILL)
        away = await house.client.post(f"{path}/lines", json={"lines": [LINE]})
        assert (away.status_code, away.json()["type"], away.headers["retry-after"]) == (503, "/problems/engine-away", "1")
        place = Place(house.app.settings.home, "memory", (urlsplit(url).port or 0,), SECRET)
        process = launch(Redis(), place)
        await until_ready(Redis(), place, process)
        assert (await house.client.get(path)).json()["pieces"] == 2
        assert (await house.client.post(f"{path}/lines", json={"lines": [LINE]})).json()["pieces"] == 3
        await stop(Redis(), process)

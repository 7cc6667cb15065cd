"""Events of shoppers come in while the API and ClickHouse are killed by turns: each that was acknowledged is there once.

``ENTREPOT_FAULT_ROUNDS`` says how many kills; a few by default, twenty for a claim. It takes a dozen seconds, since a
killed API is started anew each time, as a whole.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from msgspec import Struct, field

from entrepot.base.errors import EngineAwayError
from entrepot.base.ids import IdSource
from entrepot.behaviour.table import TARGET
from entrepot.bench.process import running
from entrepot.engines.products import driver
from entrepot.local.columns import ClickHouse
from entrepot.local.process import free_ports
from entrepot.local.roles import TENANT
from entrepot.settings import Engines, Settings
from tests.conftest import kept_running, working

ROUNDS = int(os.environ.get("ENTREPOT_FAULT_ROUNDS", "2"))
BATCH, SENDERS = 50, 3
BATCHES_BETWEEN = 30
SECONDS_MAX = 120.0
VICTIMS = ("columns", "API")
IDS = IdSource()


class Shoppers(Struct):
    """Senders that go on until they are told to stop: what is not acknowledged is sent again, the same events."""

    url: str
    acknowledged: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ids: set[str] = field(default_factory=set)

    async def send(self, client: httpx.AsyncClient) -> None:
        """Send one batch after another, each until it is acknowledged."""
        while not self.over.is_set():
            events = [{"id": str(IDS.fresh()), "kind": "page", "page": "home"} for _ in range(BATCH)]
            body = {"visitor": str(uuid4()), "events": events}
            await self._until_acknowledged(client, body)
            self.acknowledged += 1
            self.ids |= {event["id"] for event in events}

    async def _until_acknowledged(self, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                if await self._taken(client, body):
                    return
                await asyncio.sleep(0.02)

    async def _taken(self, client: httpx.AsyncClient, body: dict[str, Any]) -> bool:
        try:
            answer = await client.post(f"{self.url}/v1/collect", json=body)
        except httpx.TransportError:
            return False
        assert answer.status_code in {202, 503}, answer.text
        return answer.is_success

    async def until_taken(self, more: int) -> None:
        """Wait until so many more batches are acknowledged."""
        wanted = self.acknowledged + more
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                if self.acknowledged >= wanted:
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
async def settings(  # each engine that an API is started with
    migrated_url: str, memory_url: str, graph_url: str, objects_url: str, search_url: str, gateway_url: str, tmp_path: Path
) -> AsyncIterator[Settings]:
    async with kept_running(ClickHouse(), tmp_path) as columns:
        engines = Engines(
            record=working(migrated_url),
            record_owner=migrated_url,
            record_tenant=working(migrated_url, TENANT),
            documents=migrated_url,
            memory=memory_url,
            graph=graph_url,
            objects=objects_url,
            search=search_url,
            gateway=gateway_url,
            columns=columns["columns"],
        )
        yield Settings(home=tmp_path, engines=engines)


@contextlib.asynccontextmanager
async def api(settings: Settings, port: int) -> AsyncIterator[psutil.Process]:
    """Serve until the block ends, unless it is killed first."""
    async with running(settings, "serve", "--port", str(port)) as process:
        yield psutil.Process(process.pid)


def kill(process: psutil.Process) -> None:
    """Kill a process with all below it, as a machine does that loses its power."""
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def columns_server(home: Path) -> psutil.Process:
    """Return the process that is ClickHouse."""
    mine = [one for one in psutil.Process().children() if str(home) in " ".join(one.cmdline())]
    return next(one for one in mine if "entrepot.local.clickhouse" in one.cmdline())


@pytest.mark.timeout(120 + 30 * ROUNDS)
async def test_every_acknowledged_event_is_kept_once_whoever_is_killed(settings: Settings) -> None:
    [port] = free_ports(settings.home, 1, ())
    async with contextlib.AsyncExitStack() as stack, httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        shoppers = Shoppers(f"http://127.0.0.1:{port}")
        serving = await stack.enter_async_context(api(settings, port))
        sending = [asyncio.create_task(shoppers.send(client)) for _ in range(SENDERS)]
        for number in range(ROUNDS):
            await shoppers.until_taken(BATCHES_BETWEEN)
            if VICTIMS[number % 2] == "columns":
                kill(columns_server(settings.home))
            else:
                kill(serving)
                await until_columns_answer(settings)  # no API starts without
                serving = await stack.enter_async_context(api(settings, port))
        await shoppers.until_taken(BATCHES_BETWEEN)
        shoppers.over.set()
        await asyncio.gather(*sending)
        await until_kept(settings, shoppers.ids)


async def until_columns_answer(settings: Settings) -> None:
    """Wait until ClickHouse is there again."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            store = driver("columns", settings.engines.columns)
            with contextlib.suppress(EngineAwayError):
                await store.open()
                await store.close()
                return
            await asyncio.sleep(0.1)


async def until_kept(settings: Settings, ids: set[str]) -> None:
    """Return once every event is there; anything else that is, or one that is there twice, fails."""
    found: list[str] = []
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            with contextlib.suppress(EngineAwayError):  # it was killed a moment ago
                found = await kept(settings)
            if len(found) >= len(ids):
                break
            await asyncio.sleep(0.1)
    assert len(found) == len(ids)
    assert set(found) == ids


async def kept(settings: Settings) -> list[str]:
    """Return the id of every event that is there, as often as a reader would count it."""
    store = driver("columns", settings.engines.columns)
    try:
        await store.open()
        return [str(row["id"]) for row in await store.query(TARGET, "SELECT id FROM {table} FINAL", {})]
    finally:
        await store.close()

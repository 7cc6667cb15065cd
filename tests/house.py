"""The whole house for tests of the API and the console: fresh engines' rooms, a projector that runs, and the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp
from msgspec import Struct

from entrepot.app import App, opened, prepare
from entrepot.base.event import Token
from entrepot.cli.serve import serving
from entrepot.commerce.people.lending import lent_key
from entrepot.duties import keep_up, reactions
from entrepot.jobs.store import cursors
from entrepot.settings import Engines, Settings

READY_SECONDS = 60.0


class House(Struct, frozen=True):
    """An open application, two clients that speak to it without a network, and the task that keeps its projections up.

    ``client`` comes by an API key with every scope of an administrator's service account (``key``), ``nobody`` by none.
    """

    app: App
    asgi: ASGIApp
    client: httpx.AsyncClient
    nobody: httpx.AsyncClient
    key: str
    keeping_up: asyncio.Task[None]

    async def seen_by_all(self) -> None:
        """Wait until every projection has read all that was written so far."""
        async with self.app.record.committing() as connection:
            row = await connection.fetchrow("SELECT txid, seq FROM log.event ORDER BY txid DESC, seq DESC LIMIT 1")
        assert row is not None  # a house has been filled
        token = Token.parse(f"{self.app.settings.cell}.{row['txid']}.{row['seq']}")
        for one in self.app.projections:
            assert await self.app.live.wait_for(one.name, token, READY_SECONDS), f"{one.name} does not follow"

    async def until_reacted(self) -> None:
        """Wait until every reaction has seen all that was written so far, and what the others wrote meanwhile."""
        wanted = len(reactions(self.app))
        async with asyncio.timeout(READY_SECONDS):
            while True:
                async with self.app.record.committing() as connection:
                    read = await cursors(connection, self.app.settings.cell)
                if len(read) >= wanted and not any(one.behind for one in read):
                    return
                await asyncio.sleep(0.02)


def settings_for(engines: Engines, home: Path) -> Settings:
    """Return settings with these engines; a request waits for them as long as a busy machine may make it wait."""
    return Settings(home=home, engines=engines, webhooks_private=True, engine_seconds=READY_SECONDS)


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open everything, keep the projections up, and close it in the end."""
    await prepare(settings)
    async with opened(settings) as app, serving(app) as asgi:
        work = asyncio.create_task(keep_up(app))
        try:
            await _until_live(app)
            transport = httpx.ASGITransport(asgi)  # type: ignore[arg-type]  # httpx and litestar each have their own types of ASGI
            async with (
                lent_key(app.record, app.people.sessions, settings.cell, "tests", role="admin") as key,
                httpx.AsyncClient(transport=transport, base_url="http://house") as nobody,
                httpx.AsyncClient(transport=transport, base_url="http://house", headers=bearing(key)) as client,
            ):
                yield House(app, asgi, client, nobody, key, work)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def bearing(token: str) -> dict[str, str]:
    """Return the header that brings a session or key."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def served(house: House, port: int) -> AsyncIterator[str]:
    """Serve a house on a port of this machine, for a browser; gives its address."""
    server = Server(
        house.asgi, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False, websockets=False
    )
    task = asyncio.create_task(server.serve())
    address = f"http://127.0.0.1:{port}"
    try:
        await _until_answers(address)
        yield address
    finally:
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it without types
        await asyncio.gather(task, return_exceptions=True)


async def _until_live(app: App) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            await app.live.refresh()
            if len(app.live._live) == len(app.projections):
                return
            await asyncio.sleep(0.05)


async def _until_answers(address: str) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                answer: Any = await client.get(f"{address}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.is_success:
                return

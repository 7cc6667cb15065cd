"""One house for the tests of the API and the console: its engines are the session's, its record is its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from msgspec import structs

from entrepot.local.columns import ClickHouse
from entrepot.local.process import running
from entrepot.local.redis import FalkorDB, Redis
from entrepot.local.roles import DOCUMENTS, OWNER, PLATFORM, TENANT
from entrepot.local.sandbox import SandboxGateway
from entrepot.settings import Engines
from tests.conftest import SECRET, kept_running, working
from tests.house import READY_SECONDS, House, open_house, settings_for
from tests.shop_front import fill_shop_front


@pytest.fixture(scope="session")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    """Return an open house with a few products on offer."""
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


@asynccontextmanager
async def filled_house(
    record_url: str,
    objects_url: str,
    engines_home: Path,
    *,
    pooler: str = "",
    replica: str = "",
    seconds: float = READY_SECONDS,
    **elsewhere: str,
) -> AsyncIterator[House]:
    """Open a house with a few products on offer; ``pooler`` is a PgBouncer before the record, ``elsewhere`` are URLs by role.

    ``replica`` is a server that follows the record's; a request waits so many ``seconds`` for an engine.

    Its record is a database of its own, worked in by the users that a home has, so that row-level security and grants hold in
    every flow; memory, graph and columns are engines of its own, since projections are named alike
    in every house.
    """
    name = f"house_{os.urandom(4).hex()}"
    home = engines_home / name
    home.mkdir()
    home.chmod(0o755)
    databases = await databases_of(name, record_url)
    async with (
        running(Redis(), home, SECRET) as memory,
        kept_running(FalkorDB(), home) as graph,
        running(ClickHouse(), home, SECRET) as columns,
        running(SandboxGateway(), home, SECRET) as gateway,
    ):
        engines = Engines(
            **databases,
            memory=memory["memory"],
            graph=graph["graph"],
            columns=columns["columns"],
            objects=objects_url,
            search=f"tantivy://{home}/search",
            gateway=gateway["gateway"],
            record_replica=working(f"{replica.rsplit('/', 1)[0]}/{name}") if replica else "",
        )
        engines = structs.replace(engines, **elsewhere)
        settings = structs.replace(settings_for(engines, home), pooler=pooler, engine_seconds=seconds)
        async with open_house(settings) as opened:
            await fill_shop_front(opened)
            yield opened


async def databases_of(name: str, record_url: str) -> dict[str, str]:
    """Make the two databases of a house; returns by which users it works in them, none of whom may what another is for."""
    connection = await asyncpg.connect(record_url)
    await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    await connection.execute(f"CREATE DATABASE {name}_documents OWNER {DOCUMENTS}")
    await connection.close()
    record = f"{record_url.rsplit('/', 1)[0]}/{name}"
    users = {"record": PLATFORM, "record_owner": OWNER, "record_tenant": TENANT}
    return {role: working(record, user) for role, user in users.items()} | {
        "documents": working(f"{record}_documents", DOCUMENTS)
    }

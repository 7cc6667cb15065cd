"""The embedded engines for tests: each fixture starts its own engine once a session, in a folder that goes away with it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from entrepot.local.columns import ClickHouse
from entrepot.local.postgres import Postgres
from entrepot.local.process import running
from entrepot.local.redis import FalkorDB, Redis
from entrepot.local.seaweedfs import SeaweedFS

SECRET = "only-for-tests"  # noqa: S105  # the server lives as long as the test run, on loopback


@pytest.fixture(scope="session")
def engines_home() -> Iterator[Path]:
    """Return a folder that the server's own user can reach too (pytest's own are closed to others)."""
    home = Path(tempfile.mkdtemp(prefix="entrepot-tests-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
async def record_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(Postgres(), engines_home, SECRET) as urls:
        yield urls["record"]


@pytest.fixture(scope="session")
async def memory_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(Redis(), engines_home, SECRET) as urls:
        yield urls["memory"]


@pytest.fixture(scope="session")
async def graph_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(FalkorDB(), engines_home, SECRET) as urls:
        yield urls["graph"]


@pytest.fixture(scope="session")
async def objects_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(SeaweedFS(), engines_home, SECRET) as urls:
        yield urls["objects"]


@pytest.fixture(scope="session")
async def columns_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(ClickHouse(), engines_home, SECRET) as urls:
        yield urls["columns"]


@pytest.fixture(scope="session")
def search_url(engines_home: Path) -> str:
    folder = engines_home / "search"
    folder.mkdir()
    return f"tantivy://{folder}"


@pytest.fixture
async def database(record_url: str) -> AsyncIterator[str]:
    """Return the URL of a fresh, empty PostgreSQL database that is dropped afterwards."""
    name = f"test_{os.urandom(6).hex()}"
    async with _connection(record_url) as connection:
        await connection.execute(f"CREATE DATABASE {name}")
    yield f"{record_url.rsplit('/', 1)[0]}/{name}"
    async with _connection(record_url) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()

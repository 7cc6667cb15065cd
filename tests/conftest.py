"""The embedded engines for tests: each fixture starts its own engine once a session, in a folder that goes away with it."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog

from entrepot.base import limits
from entrepot.base.settled import settled
from entrepot.local.columns import ClickHouse
from entrepot.local.place import Engine, Place
from entrepot.local.postgres import RECORD_DATABASE, SUPERUSER, Postgres
from entrepot.local.process import alive, collect, free_ports, launch, running, stop, until_ready
from entrepot.local.proxy import reach_loopback_directly
from entrepot.local.redis import FalkorDB, Redis
from entrepot.local.roles import PLATFORM, TENANT, derived
from entrepot.local.sandbox import SandboxGateway
from entrepot.local.seaweedfs import SeaweedFS
from entrepot.partners.keys.file import FileKeyring
from entrepot.partners.payment.sandbox import SandboxGateway as GatewayClient
from entrepot.record.migrate import migrate
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.sealing import Sealing, open_sealing

SECRET = "only-for-tests"  # noqa: S105  # the server lives as long as the test run, on loopback
RUN_AT_MOST = timedelta(hours=2)
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of ours is made in it, with a name nobody can foresee
MEMORY_BYTES_MIN = 8 << 30

# How long readers of the log rest between batches, and how seldom a reaction notes that nothing was for it: that spares a busy
# house work, and would cost a test that waits for each step most of its time.
RESTS = {"BATCHES_APART_SECONDS": 0.02, "JOB_REST_SECONDS": 0.01, "JOB_APART_SECONDS": 0.02, "JOB_CURSOR_SECONDS": 0.02}


class UnsyncedPostgres(Postgres):
    """PostgreSQL that leaves its writes to the kernel: no test cuts the power, and every test makes a database of its own."""

    def command(self, place: Place) -> list[str]:
        return [*super().command(place), "--fsync=off", "--full_page_writes=off"]

    def urls(self, place: Place) -> dict[str, str]:
        """Return the record's URL as the superuser's, who makes a database for every test; ``working`` is who works in one."""
        return {**super().urls(place), "record": self.superuser_url(place, RECORD_DATABASE)}


def pytest_configure() -> None:
    """End a test run that is told to end (``timeout``, CI) as Ctrl-C does, its engines stopped; reach them past any proxy."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    reach_loopback_directly(os.environ)
    os.environ.setdefault("ENTREPOT_ENGINE_MILLIS", "60000")  # a busy machine's engines are slow, and not away
    for name, seconds in RESTS.items():
        setattr(limits, name, seconds)
    # A traceback with the values of variables takes a second to draw, and jobs that meet an engine which is away tell many.
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, renderer])


@pytest.fixture(scope="session", autouse=True)
def _settled() -> Iterator[None]:
    """Search for garbage as seldom as a process that serves; what all tests import is looked through no more."""
    with settled():
        yield


@pytest.fixture(scope="session")
def engines_home() -> Iterator[Path]:
    """Return a folder that the server's own user can reach too (pytest's own are closed to others).

    It lies in memory where there is room: a copy of the migrated database is 1,400 files, made here twenty times as fast.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN
    home = Path(tempfile.mkdtemp(prefix="entrepot-tests-", dir=MEMORY if roomy else None))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
async def record_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(UnsyncedPostgres(), engines_home, SECRET) as urls:
        yield urls["record"]


@pytest.fixture(scope="session")
async def memory_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_REDIS_URL"):  # as --against of the production servers' tests says
        yield given
        return
    async with running(Redis(), engines_home, SECRET) as urls:
        yield urls["memory"]


@pytest.fixture(scope="session")
async def graph_url(engines_home: Path) -> AsyncIterator[str]:
    async with kept_running(FalkorDB(), engines_home) as urls:
        yield urls["graph"]


@contextlib.asynccontextmanager
async def kept_running(engine: Engine, home: Path) -> AsyncIterator[dict[str, str]]:
    """Run an engine that is started again when it ends, as a home's supervisor does.

    FalkorDB needs it: once in some hundred runs it ends by a null pointer of its own where clients were cut off.
    """
    place = Place(home, engine.role, free_ports(home, engine.ports, ()), SECRET)
    process, over = launch(engine, place), threading.Event()

    def keep() -> None:
        nonlocal process
        while not over.wait(0.1):
            if not alive(process):
                collect(process)
                process = launch(engine, place)

    keeper = threading.Thread(target=keep, daemon=True)  # a run that is interrupted ends all the same
    try:
        await until_ready(engine, place, process)
        keeper.start()
        yield engine.urls(place)
    finally:
        over.set()
        if keeper.is_alive():
            await asyncio.to_thread(keeper.join)
        await stop(engine, process)
        engine.tidy(place)


@pytest.fixture(scope="session")
async def objects_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(SeaweedFS(), engines_home, SECRET) as urls:
        yield urls["objects"]


@pytest.fixture(scope="session")
async def columns_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_CLICKHOUSE_URL"):  # as above
        yield given
        return
    async with running(ClickHouse(), engines_home, SECRET) as urls:
        yield urls["columns"]


@pytest.fixture(scope="session")
async def gateway_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(SandboxGateway(), engines_home, SECRET) as urls:
        yield urls["gateway"]


@pytest.fixture
async def own_gateway_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Return the address of a gateway that knows only what this test does: to reconcile is to compare all that it knows."""
    async with running(SandboxGateway(), tmp_path_factory.mktemp("gateway"), SECRET) as urls:
        yield urls["gateway"]


@pytest.fixture
async def gateway(own_gateway_url: str) -> AsyncIterator[GatewayClient]:
    """Return a client of the test's own gateway."""
    client = GatewayClient(own_gateway_url)
    yield client
    await client.close()


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


@pytest.fixture(scope="session")
async def migrated(record_url: str) -> str:
    """Return the name of a migrated database without rows, with room for the orders and events of these days, to be copied."""
    async with _connection(record_url) as connection:
        await connection.execute("CREATE DATABASE migrated")
    url = f"{record_url.rsplit('/', 1)[0]}/migrated"
    await asyncio.to_thread(migrate, url)
    now = datetime.now(UTC)
    over = now + RUN_AT_MOST  # a run may well see midnight
    async with _connection(url) as connection:
        await connection.execute("SELECT log.ensure_partitions('log.event', 'day', $1, $2)", now, over)
        await connection.execute("SELECT ordering.ensure_room($1, $2)", now, over)
        await connection.execute("SELECT audit.ensure_partitions($1, $2)", now, over)
    return "migrated"


@pytest.fixture
async def migrated_url(record_url: str, migrated: str) -> AsyncIterator[str]:
    """Return the URL of a fresh copy of the migrated database."""
    async with copied(record_url, migrated) as url:
        yield url


@contextlib.asynccontextmanager
async def copied(record_url: str, template: str) -> AsyncIterator[str]:
    """Copy a database for as long as the block lasts: quicker than migrating one."""
    name = f"test_{os.urandom(6).hex()}"
    async with _connection(record_url) as connection:
        # By copying its files, not its pages through the log: half the work where nothing waits for a disk.
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield f"{record_url.rsplit('/', 1)[0]}/{name}"
    async with _connection(record_url) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    """Return a keyring of this test's own, which is made when it is first asked."""
    return FileKeyring(tmp_path / "keyring.json")


@pytest.fixture
async def sealing(migrated_url: str, keyring: FileKeyring) -> AsyncIterator[Sealing]:
    """Return what seals personal data in the test's database."""
    one = await open_sealing(working(migrated_url), keyring)
    yield one
    await one.close()


@pytest.fixture
async def record(migrated_url: str, sealing: Sealing) -> AsyncIterator[Record]:
    """Return an open system of record, fresh and migrated, as the application's user has it."""
    async with await open_record(working(migrated_url), tenant_url=working(migrated_url, TENANT), seals=sealing) as opened:
        yield opened


def working(url: str, user: str = PLATFORM) -> str:
    """Return the URL by which one of the application's users reaches a database, from the superuser's."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{derived(SECRET, user)}@{parts.hostname}:{parts.port}"))


@contextlib.asynccontextmanager
async def superuser(record: Record) -> AsyncIterator[asyncpg.Connection]:
    """Connect to a record's database as its superuser, for what the application may not: partitions, tables of a test's own."""
    async with record.committing() as connection:
        row = await connection.fetchrow("SELECT inet_server_port() AS port, current_database() AS name")
    assert row is not None
    async with _connection(f"postgresql://{SUPERUSER}:{SECRET}@127.0.0.1:{row['port']}/{row['name']}") as opened:
        yield opened


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()

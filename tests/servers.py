"""Embedded servers that a test may make away in every way there is, and bring back; each stands behind a gate."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil
from redis.asyncio import Redis as Client

from entrepot.local.place import Engine, Place
from entrepot.local.postgres import DOCUMENTS_DATABASE, RECORD_DATABASE, SUPERUSER
from entrepot.local.process import free_ports, launch, stop, until_ready
from tests.conftest import SECRET
from tests.gate import Gate, gate_before


class Server:
    """One running server; ``way`` makes it away, ``back`` undoes that."""

    def __init__(self, engine: Engine, place: Place, gate: Gate) -> None:
        self.engine, self.place, self.gate = engine, place, gate
        self.process = launch(engine, place)

    async def ready(self) -> None:
        """Wait until it answers."""
        await until_ready(self.engine, self.place, self.process)

    def url(self, role: str) -> str:
        """Return the address of the gate, as a client of this role reaches it."""
        parts = urlsplit(self.engine.urls(self.place)[role])
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{self.gate.port}"))

    @asynccontextmanager
    async def away(self, way: str) -> AsyncIterator[None]:
        """Make it away until the block ends."""
        await self.go(way)
        try:
            yield
        finally:
            await self.back(way)

    async def go(self, way: str) -> None:
        """Kill it, freeze it, or have its gate stand otherwise."""
        if way == "killed":
            self._signal(signal.SIGKILL)
            await asyncio.to_thread(psutil.wait_procs, [self.process], timeout=10)
        elif way == "frozen":
            self._signal(signal.SIGSTOP)
        else:
            await self.gate.stand(way)

    async def back(self, way: str) -> None:
        """Undo it."""
        if way == "killed":
            await stop(self.engine, self.process)
            self.process = launch(self.engine, self.place)
            await self.ready()
        elif way == "frozen":
            self._signal(signal.SIGCONT)
        else:
            await self.gate.stand("open")

    async def end(self) -> None:
        """Stop it, whatever was done to it."""
        self._signal(signal.SIGCONT)
        await stop(self.engine, self.process)
        self.engine.tidy(self.place)

    def _signal(self, sign: signal.Signals) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in [*self.process.children(recursive=True), self.process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(sign)


class RedisServer(Server):
    """A Redis, or what is built on one, that may be full or a replica."""

    async def go(self, way: str) -> None:
        async with self._client() as client:
            if way == "full":
                await client.config_set("maxmemory", 1)
            elif way == "read-only":
                await client.replicaof("127.0.0.1", "1")  # nobody is there to be followed
            else:
                await super().go(way)

    async def back(self, way: str) -> None:
        if way not in {"full", "read-only"}:
            await super().back(way)
            return
        async with self._client() as client:
            await client.config_set("maxmemory", 0)
            await client.replicaof("NO", "ONE")

    def _client(self) -> Client:
        return Client(host="127.0.0.1", port=self.place.ports[0], password=SECRET)


# What a PostgreSQL says on a full disk, said by a trigger: no test fills one.
_FULL = """
CREATE FUNCTION projection.no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON projection.position EXECUTE FUNCTION projection.no_room()
"""
_POSTGRES = {
    "full": (_FULL, "DROP FUNCTION IF EXISTS projection.no_room() CASCADE"),
    "read-only": ("ALTER DATABASE {} SET default_transaction_read_only = on", "ALTER DATABASE {} RESET ALL"),
    "busy": ("ALTER DATABASE {} CONNECTION LIMIT 0", "ALTER DATABASE {} CONNECTION LIMIT -1"),
}
_SEND_AWAY = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


class PostgresServer(Server):
    """A PostgreSQL whose database may be full, read-only, or have no connection left."""

    database = DOCUMENTS_DATABASE

    async def go(self, way: str) -> None:
        if way in _POSTGRES:
            await self._tell(way, _POSTGRES[way][0])
        else:
            await super().go(way)

    async def back(self, way: str) -> None:
        if way in _POSTGRES:
            await self._tell(way, _POSTGRES[way][1])
        else:
            await super().back(way)

    async def _tell(self, way: str, sql: str) -> None:
        database = self.database if way == "full" else "postgres"  # a database that takes no writes is not told to by itself
        url = f"postgresql://{SUPERUSER}:{SECRET}@127.0.0.1:{self.place.ports[0]}/{database}"
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql.format(self.database))
            await connection.execute(_SEND_AWAY, self.database)
        finally:
            await connection.close()


class RecordServer(PostgresServer):
    """The PostgreSQL of a record."""

    database = RECORD_DATABASE


class Folder:
    """The folder of a search that runs in this very process: hidden behind a file, nobody opens it nor makes it anew."""

    def __init__(self, path: Path) -> None:
        self._path, self._aside = path, path.with_suffix(".aside")

    @asynccontextmanager
    async def away(self, _way: str) -> AsyncIterator[None]:
        """Hide it until the block ends."""
        self._path.rename(self._aside)
        self._path.touch()
        try:
            yield
        finally:
            self._path.unlink()
            self._aside.rename(self._path)


@asynccontextmanager
async def serving(kind: type[Server], engine: Engine, home: Path) -> AsyncIterator[Server]:
    """Run a server until the block ends, behind a gate of its own."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    place = Place(home, engine.role, free_ports(home, engine.ports, ()), SECRET)
    async with gate_before(place.ports[0]) as gate:
        server = await asyncio.to_thread(kind, engine, place, gate)
        try:
            await server.ready()
            yield server
        finally:
            await server.end()

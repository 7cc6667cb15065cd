"""``make engines``: runs the production servers until Ctrl-C, for trying by hand, and says where they are.

``--fetch`` starts none: it has in the cache what all of them run on, or says in a sentence what is missing.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from entrepot.base.engine_limits import WATCH_SECONDS
from entrepot.base.errors import EntrepotError
from entrepot.local.place import Engine, Place
from entrepot.local.process import alive, collect, free_ports, launch, running, stop, until_ready
from entrepot.local.proxy import reach_loopback_directly
from tests.conftest import SECRET, UnsyncedPostgres
from tests.engines.cache import NotToBeHadError, folder
from tests.engines.elasticsearch import Elasticsearch
from tests.engines.ferretdb import FerretDB
from tests.engines.influxdb import InfluxDB
from tests.engines.kafka import Kafka
from tests.engines.mongo_java import MongoJava
from tests.engines.neo4j import Neo4j
from tests.engines.pgbouncer import PgBouncer
from tests.engines.redis_cluster import cluster
from tests.engines.server import Server

Running = Callable[[Path], contextlib.AbstractAsyncContextManager[Mapping[str, str]]]
NOT_TO_BE_HAD = 3

FETCHED: tuple[type[Server], ...] = (Elasticsearch, FerretDB, InfluxDB, Kafka, MongoJava, Neo4j, PgBouncer)


def alone(engine: Callable[[], Engine]) -> Running:
    """Return what runs a server that needs no other, and gives the variables that name it."""

    @contextlib.asynccontextmanager
    async def run(home: Path) -> AsyncIterator[Mapping[str, str]]:
        async with kept(engine(), home) as urls:
            for role, url in urls.items():
                measured = f"--product '{role}={url}' --folder {role}={home / role} --kill"
                print(f"# entrepot bench engines {measured}", flush=True)  # noqa: T201  # it is for a shell
            yield {f"ENTREPOT_{role.upper()}_URL": url for role, url in urls.items()}

    return run


@contextlib.asynccontextmanager
async def kept(engine: Engine, home: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server and start it again whenever it ends, as who keeps a service does; give the URL of each role it plays."""
    place = Place(home, engine.role, free_ports(home, engine.ports, ()), SECRET)
    process = await asyncio.to_thread(launch, engine, place)
    keeper: asyncio.Task[None] | None = None

    async def again() -> None:
        nonlocal process
        while True:
            while alive(process):  # noqa: ASYNC110  # it may be a launcher's child that ended: nothing else would tell us
                await asyncio.sleep(WATCH_SECONDS)
            collect(process)
            process = await asyncio.to_thread(launch, engine, place)
            await until_ready(engine, place, process)

    try:
        await until_ready(engine, place, process)
        keeper = asyncio.create_task(again())
        yield engine.urls(place)
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await stop(engine, process)


@contextlib.asynccontextmanager
async def redis_cluster(home: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run three Redis masters as one cluster."""
    async with cluster(home) as url:
        yield {"ENTREPOT_MEMORY_URL": url}


@contextlib.asynccontextmanager
async def pooled(home: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run a PostgreSQL of its own, without its data of the last time, and a pooler before it."""
    with tempfile.TemporaryDirectory(prefix="entrepot-engines-") as folder_:
        Path(folder_).chmod(0o755)  # the server's own user must reach it
        async with contextlib.AsyncExitStack() as stack:
            record = (await stack.enter_async_context(running(UnsyncedPostgres(), Path(folder_), SECRET)))["record"]
            behind = (await stack.enter_async_context(running(PgBouncer(record), home, SECRET)))["record"]
            yield {"ENTREPOT_RECORD_URL": record, "ENTREPOT_RECORD_POOLER": urlsplit(behind).netloc.rpartition("@")[2]}


# A new product of the tests is a file beside this one, a line here, one in FETCHED, and a fixture in conftest.py.
SERVERS: Mapping[str, Running] = {
    "elasticsearch": alone(Elasticsearch),
    "ferretdb": alone(FerretDB),
    "influxdb": alone(InfluxDB),
    "kafka": alone(Kafka),
    "mongo-java": alone(MongoJava),
    "neo4j": alone(Neo4j),
    "pgbouncer": pooled,
    "redis-cluster": redis_cluster,
}


async def main(names: list[str]) -> None:
    """Start the servers of these names, all without one, and keep them until told to end."""
    ended = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        for name in names or SERVERS:
            variables = await stack.enter_async_context(SERVERS[name](data() / name))
            for variable, value in variables.items():
                print(f"export {variable}='{value}'", flush=True)  # noqa: T201  # it is for a shell
        print("Ctrl-C stops them; their data stays in", data(), file=sys.stderr, flush=True)  # noqa: T201  # as above
        await ended.wait()


def data() -> Path:
    """Return where servers that are tried by hand keep their data."""
    return folder() / "data"


def fetch() -> None:
    """Have in the cache what every server runs on; end with a sentence for each that cannot be had here."""
    missing = []
    for server in FETCHED:
        try:
            server.fetch()
        except NotToBeHadError as error:
            missing.append(f"{server.product}: {error}")
    if missing:
        print(*missing, sep="\n", file=sys.stderr, flush=True)  # noqa: T201  # as above
        sys.exit(NOT_TO_BE_HAD)


if __name__ == "__main__":
    reach_loopback_directly(os.environ)
    wanted = sys.argv[1:]
    unknown = [name for name in wanted if name not in SERVERS and wanted != ["--fetch"]]
    if unknown:
        sys.exit(f"There is no server {unknown[0]!r}: {', '.join(SERVERS)}.")
    try:
        if wanted == ["--fetch"]:
            fetch()
        else:
            asyncio.run(main(wanted))
    except EntrepotError as error:
        sys.exit(str(error))

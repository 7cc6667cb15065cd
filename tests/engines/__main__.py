"""``make engines``: runs the production servers until Ctrl-C, for trying by hand, and says where they are."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from entrepot.base.engine_limits import WATCH_SECONDS
from entrepot.base.errors import EntrepotError
from entrepot.local.place import Engine, Place
from entrepot.local.process import alive, collect, free_ports, launch, stop, until_ready
from entrepot.local.proxy import reach_loopback_directly
from tests.conftest import SECRET
from tests.engines.cache import folder
from tests.engines.elasticsearch import Elasticsearch
from tests.engines.ferretdb import FerretDB
from tests.engines.influxdb import InfluxDB
from tests.engines.kafka import Kafka
from tests.engines.mongo_java import MongoJava
from tests.engines.neo4j import Neo4j

# A new product of the tests is a file beside this one, a line here and a fixture in conftest.py.
SERVERS: dict[str, Callable[[], Engine]] = {
    "elasticsearch": Elasticsearch,
    "ferretdb": FerretDB,
    "influxdb": InfluxDB,
    "kafka": Kafka,
    "mongo-java": MongoJava,
    "neo4j": Neo4j,
}


async def main(names: list[str]) -> None:
    """Start the servers of these names, all without one, and keep them until told to end."""
    ended = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        for name in names or SERVERS:
            urls = await stack.enter_async_context(kept(SERVERS[name](), data() / name))
            for role, url in urls.items():
                print(f"export ENTREPOT_{role.upper()}_URL='{url}'")  # noqa: T201  # it is for a shell
                measured = f"--product '{role}={url}' --folder {role}={data() / name / role} --kill"
                print(f"# entrepot bench engines {measured}", flush=True)  # noqa: T201  # as above
        print("Ctrl-C stops them; their data stays in", data(), file=sys.stderr, flush=True)  # noqa: T201  # as above
        await ended.wait()


@contextlib.asynccontextmanager
async def kept(engine: Engine, home: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server and start it again whenever it ends, as who keeps a service does; give the URL of each role it plays."""
    place = Place(home, engine.role, free_ports(home, engine.ports, ()), SECRET)
    process = await asyncio.to_thread(launch, engine, place)
    await until_ready(engine, place, process)

    async def again() -> None:
        nonlocal process
        while True:
            while alive(process):  # noqa: ASYNC110  # it may be a launcher's child that ended: nothing else would tell us
                await asyncio.sleep(WATCH_SECONDS)
            collect(process)
            process = await asyncio.to_thread(launch, engine, place)
            await until_ready(engine, place, process)

    keeper = asyncio.create_task(again())
    try:
        yield engine.urls(place)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await stop(engine, process)


def data() -> Path:
    """Return where servers that are tried by hand keep their data."""
    return folder() / "data"


if __name__ == "__main__":
    reach_loopback_directly(os.environ)
    unknown = [name for name in sys.argv[1:] if name not in SERVERS]
    if unknown:
        sys.exit(f"There is no server {unknown[0]!r}: {', '.join(SERVERS)}.")
    try:
        asyncio.run(main(sys.argv[1:]))
    except EntrepotError as error:
        sys.exit(str(error))

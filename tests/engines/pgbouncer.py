"""A real PgBouncer that pools by the transaction, out of Debian's packages, which are unpacked and not installed."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from entrepot.local.place import Place
from tests.engines import cache
from tests.engines.server import Server, tethered

# (package, version, SHA-256): the pooler, and a library of it that few machines have.
PACKAGES = (
    ("pgbouncer", "1.18.0-1+deb12u1", "b8468c31f94596da0967b1a27980a0a036268eb8e53d3e647651bd7b82b6f65e"),
    ("libc-ares2", "1.18.1-3", "087fd5c2ac883202e1786ab45617cdab7f77bc7f060d58cca177ddf6b6c3fa73"),
)
# Fewer than clients ask for at once: they must share.
SERVERS = 4

_SETTINGS = """
[databases]
* = host={host} port={port} connect_query='SET application_name TO pooled'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
unix_socket_dir =
logfile =
"""


class PgBouncer(Server):
    """One pooler before a PostgreSQL, for the users that these URLs name."""

    role = "record"
    product = "PgBouncer"
    ports = 1

    def __init__(self, url: str, *others: str) -> None:
        self._url, self._users = urlsplit(url), [urlsplit(one) for one in (url, *others)]

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _home()

    def prepare(self, place: Place) -> None:
        """Write the configuration anew."""
        super().prepare(place)
        users = place.data / "users.txt"
        known = [f'"{unquote(one.username or "")}" "{unquote(one.password or "")}"\n' for one in self._users]
        users.write_text("".join(known))
        settings = _SETTINGS.format(
            host=self._url.hostname, port=self._url.port, own=place.ports[0], users=users, servers=SERVERS
        )
        (place.data / "pgbouncer.ini").write_text(settings)
        for path in (place.data, users, place.data / "pgbouncer.ini"):
            path.chmod(0o755)  # it refuses root, and another user must read this

    def command(self, place: Place) -> list[str]:
        """Return the pooler on its configuration."""
        binary = str(_home() / "usr" / "sbin" / "pgbouncer")
        return tethered(binary, str(place.data / "pgbouncer.ini"), unprivileged=True)

    def environ(self, place: Place) -> dict[str, str]:
        """Return where its library is."""
        del place
        (library,) = (_home() / "usr" / "lib").glob("*/")
        return {"LD_LIBRARY_PATH": str(library)}

    def urls(self, place: Place) -> dict[str, str]:
        """Return the same database by way of the pooler."""
        netloc = f"{self._url.username}:{self._url.password}@127.0.0.1:{place.ports[0]}"
        return {"record": self._url._replace(netloc=netloc).geturl()}

    async def settle(self, place: Place) -> None:
        """Wait until it answers for its PostgreSQL."""
        connection = await asyncpg.connect(self.urls(place)["record"], statement_cache_size=0)
        await connection.close()


def _home() -> Path:
    def fill(aside: Path) -> None:
        for package, version, sha256 in PACKAGES:
            cache.debian_package(aside, package, version, sha256)

    return cache.kept(f"pgbouncer-{PACKAGES[0][1]}", fill)

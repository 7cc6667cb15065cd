"""A real streaming replica of a PostgreSQL, by pg_basebackup and write-ahead log, from the embedded wheel's own programs."""

import subprocess
from urllib.parse import urlsplit

from entrepot.local.place import Place
from entrepot.local.postgres import SETTINGS, as_server
from entrepot.local.postgres import Postgres as Embedded
from tests.engines.server import Server


class Replica(Server):
    """A hot standby of the server behind a superuser's URL; its databases, users and passwords are that one's."""

    role = "replica"
    product = "PostgreSQL"
    ports = 1
    stop_signal = Embedded.stop_signal

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def prepare(self, place: Place) -> None:
        """Copy the primary whole, and say whom to follow."""
        if place.data.exists():
            return
        place.home.mkdir(parents=True, exist_ok=True)
        place.home.chmod(0o777)  # the server's own user makes its folder there
        source = f"host={self._url.hostname} port={self._url.port} user={self._url.username} password={self._url.password}"
        command = [
            "pg_basebackup",
            "-D",
            str(place.data),
            "-d",
            source,
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ]
        subprocess.run(as_server(command, place.home), check=True, cwd="/")

    def command(self, place: Place) -> list[str]:
        """Return ``postgres`` with the embedded server's settings, which a replica may not undercut."""
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        line = ["postgres", "-D", str(place.data), "-p", str(place.ports[0]), "--fsync=off", *options]
        return as_server(line, place.home)

    def urls(self, place: Place) -> dict[str, str]:
        """Return the primary's database, here."""
        netloc = f"{self._url.username}:{self._url.password}@127.0.0.1:{place.ports[0]}"
        return {"replica": self._url._replace(netloc=netloc).geturl()}

    async def settle(self, place: Place) -> None:
        """Wait until it lets readers in."""
        await Embedded._run(Embedded(), place, "postgres", "SELECT")

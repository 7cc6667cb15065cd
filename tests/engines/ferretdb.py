"""FerretDB with password and TLS: MongoDB's protocol over PostgreSQL (or SQLite), built from its Go module.

No real mongod is in a package registry. This one stands for it on a real wire: login, TLS, crash, replays. It is not MongoDB:
one bulk replaces 40 documents that are there at most (more hang), and updates of one document are not atomic.
"""

import os
import shutil
import subprocess
from pathlib import Path

from entrepot.engines.documents.mongodb import MongodbDocuments
from entrepot.local.place import LocalEngineError, Place
from tests.engines import cache
from tests.engines.server import Server, certificates, tethered

MODULE = "github.com/FerretDB/FerretDB"
VERSION = "v1.24.2"
SUM = "h1:trrUU0LbmusMbyubhPS1IELncvrIwKrsRT2LW1UUWCw="
# In a bulk, each document keeps a connection to PostgreSQL; a bulk that was cut keeps them for a while yet.
BATCH, CONNECTIONS = 20, 100
USER = "entrepot"


class FerretDB(Server):
    """One server, 33 to 155 MB. Given a PostgreSQL, documents lie there, and filters by id run there; else in SQLite."""

    role = "documents"
    product = "FerretDB"
    ports = 1

    def __init__(self, postgresql: str = "") -> None:
        self._postgresql = postgresql

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _binary()

    def command(self, place: Place) -> list[str]:
        """Return the server, with nothing open that is not needed and nobody told that it runs."""
        tls = certificates(place)
        listen = [f"--listen-tls=127.0.0.1:{place.ports[0]}", "--listen-addr="]
        listen += [f"--listen-tls-cert-file={tls.certificate}", f"--listen-tls-key-file={tls.key}"]
        handler = "--handler=postgresql" if self._postgresql else "--handler=sqlite"
        rest = [f"--state-dir={place.data}", "--debug-addr=-", "--telemetry=disable", "--log-level=WARN"]
        return tethered(str(_binary()), handler, *listen, *rest)

    def environ(self, place: Place) -> dict[str, str]:
        """Return where the documents lie, and who may log in."""
        return {
            "FERRETDB_POSTGRESQL_URL": f"{self._postgresql}?pool_max_conns={CONNECTIONS}",
            "FERRETDB_SQLITE_URL": f"{place.data.as_uri()}/",
            "FERRETDB_TEST_ENABLE_NEW_AUTH": "true",
            "FERRETDB_SETUP_DATABASE": USER,
            "FERRETDB_SETUP_USERNAME": USER,
            "FERRETDB_SETUP_PASSWORD": place.secret,
        }

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its user, its password and the authority to trust."""
        options = f"ca={certificates(place).authority}&authSource={USER}&batch={BATCH}"
        return {"documents": f"mongodbs://{USER}:{place.secret}@127.0.0.1:{place.ports[0]}/{USER}?{options}"}

    async def settle(self, place: Place) -> None:
        """Wait until it answers a question."""
        store = MongodbDocuments(self.urls(place)["documents"])
        try:
            await store.open()
        finally:
            await store.close()


def _binary() -> Path:
    return cache.kept(f"ferretdb-{VERSION}", _build) / "ferretdb"


def _build(aside: Path) -> None:
    """Build the server (2 to 3 minutes). Its module lacks a file that it refuses to start without: it is added."""
    source = cache.go_source(aside / "source", MODULE, VERSION, SUM)
    (source / "build" / "version" / "version.txt").write_text(VERSION)
    try:
        subprocess.run(
            [cache.program("go", "FerretDB", "golang"), "install", "./cmd/ferretdb"],
            env=os.environ | cache.GO | {"GOBIN": str(aside)},
            cwd=source,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise LocalEngineError(f"FerretDB could not be built (exit {error.returncode}); Go's words are above.") from error
    shutil.rmtree(source)

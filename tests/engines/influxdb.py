"""A real InfluxDB 1 with password and TLS, out of Debian's package, which is unpacked and not installed."""

from pathlib import Path

import aiohttp

from entrepot.local.place import Place
from tests.engines import cache
from tests.engines.server import Server, certificates, tethered

VERSION = "1.6.7~rc0-1+b13"
SHA256 = "fcfddf7937befd82264359feaeb2f46a79f9574656ee0981eb19dcc5a153f55c"
USER = "entrepot"

_SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{inner}"
[meta]
dir = "{data}/meta"
[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
index-version = "tsi1"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = true
https-enabled = true
https-certificate = "{certificate}"
https-private-key = "{key}"
log-enabled = false
[monitor]
store-enabled = false
[logging]
level = "warn"
"""


class InfluxDB(Server):
    """One server, about 200 MB."""

    role = "series"
    product = "InfluxDB"
    ports = 2

    @classmethod
    def fetch(cls) -> None:
        """Have its files, and what runs them."""
        _home()

    def prepare(self, place: Place) -> None:
        """Write the configuration anew."""
        super().prepare(place)
        tls = certificates(place)
        port, inner = place.ports
        text = _SETTINGS.format(data=place.data, port=port, inner=inner, certificate=tls.certificate, key=tls.key)
        (place.data / "influxd.conf").write_text(text)

    def command(self, place: Place) -> list[str]:
        """Return the server on its configuration."""
        return tethered(str(_home() / "usr" / "bin" / "influxd"), "-config", str(place.data / "influxd.conf"))

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with its user, its password and the authority to trust."""
        authority = certificates(place).authority
        return {"series": f"influxdbs://{USER}:{place.secret}@127.0.0.1:{place.ports[0]}/entrepot?ca={authority}"}

    async def settle(self, place: Place) -> None:
        """Make the first user, who may do everything; a second first one is refused."""
        statement = f"CREATE USER {USER} WITH PASSWORD '{place.secret}' WITH ALL PRIVILEGES"
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"https://127.0.0.1:{place.ports[0]}/query",
                data={"q": statement},
                ssl=False,  # our own, a moment old, and nothing but its start is waited for
            ) as answer,
        ):
            if answer.status not in {200, 401}:
                answer.raise_for_status()


def _home() -> Path:
    return cache.kept(f"influxdb-{VERSION}", lambda aside: cache.debian_package(aside, "influxdb", VERSION, SHA256))

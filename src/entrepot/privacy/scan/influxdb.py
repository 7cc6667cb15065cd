"""Every point of every measurement of an InfluxDB, by InfluxQL, which 1, 2 and 3 all answer: names, tags and fields."""

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from entrepot.base.late import Late
from entrepot.base.limits import CONNECT_SECONDS_MAX, JOB_SECONDS_MAX
from entrepot.base.trust import authority
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles
from entrepot.record.named import queries

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = Late("aiohttp")

SQL = queries(__package__, "influxdb.sql")

_OK = 200


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search a server."""
    looking, parts = Looking(source, needles, ids=True), urlsplit(url)
    secure = parts.scheme == "influxdbs"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    session = aiohttp.ClientSession(
        f"{'https' if secure else 'http'}://{parts.hostname}:{parts.port or 8086}",
        headers={"Authorization": aiohttp.encode_basic_auth(user, password, encoding="utf-8")} if user else {},
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=authority(url)) if secure else True),
        timeout=aiohttp.ClientTimeout(JOB_SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX),
        read_bufsize=1 << 22,
    )
    async with session:
        for database in await _names(session, "SHOW DATABASES"):
            for policy in await _names(session, f"SHOW RETENTION POLICIES ON {_quoted(database)}"):
                await _look(session, database, policy, looking)
    return looking.end()


async def _look(session: "aiohttp.ClientSession", database: str, policy: str, looking: Looking) -> None:
    """Look at all that lies in a policy, as it comes: without a bound, an answer would be held whole in the server's memory."""
    everything = SQL["everything"].rstrip(";").format(place=f"{_quoted(database)}.{_quoted(policy)}")
    asked = {"q": everything, "db": database, "chunked": "true", "chunk_size": "5000"}
    async with session.post("/query", data=asked) as answer:
        if answer.status != _OK:
            looking.unread(f"{database}.{policy}")
            return
        piece = looking.pieces(f"{database}.{policy}")
        async for data in answer.content.iter_any():
            piece(data)


async def _names(session: "aiohttp.ClientSession", text: str) -> list[str]:
    async with session.post("/query", data={"q": text}) as answer:
        answer.raise_for_status()
        (result,) = msgspec.json.decode(await answer.read())["results"]
    series: list[dict[str, Any]] = result.get("series", [])
    return [str(row[0]) for each in series for row in each.get("values", [])]


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

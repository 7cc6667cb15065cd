"""Engines are reached by TLS when their URL says so; a certificate of an authority that is not ours is refused, always."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import trustme

from entrepot.api.standing import encrypted as encrypted_by
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.trust import trusting
from entrepot.engines.columns.clickhouse import ClickHouseColumns
from entrepot.engines.graph.falkordb import FalkorGraph
from entrepot.engines.memory.redis import RedisMemory
from entrepot.engines.objects.s3 import S3Objects
from entrepot.engines.products import PRODUCTS
from entrepot.local.ping import ping
from entrepot.record.transaction import open_record
from tests.tls_front import encrypted

Reach = Callable[[str], Awaitable[None]]


async def reach_record(url: str) -> None:
    async with await open_record(url, connections=1) as record, record.reading() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def reach_memory(url: str) -> None:
    store = RedisMemory(url)
    try:
        await store.open()
    finally:
        await store.close()


async def reach_graph(url: str) -> None:
    store = FalkorGraph(url)
    try:
        await store.open()
    finally:
        await store.close()


async def reach_columns(url: str) -> None:
    store = ClickHouseColumns(url)
    try:
        await store.open()
    finally:
        await store.close()


async def reach_objects(url: str) -> None:
    store = S3Objects(url)
    try:
        await store.open()
    finally:
        await store.close()


ENGINES = {
    "record": ("postgresql", reach_record),
    "memory": ("rediss", reach_memory),
    "graph": ("falkors", reach_graph),
    "columns": ("clickhouses", reach_columns),
    "objects": ("s3s", reach_objects),
}


@pytest.fixture(params=list(ENGINES))
async def engine(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    record_url: str,
    memory_url: str,
    graph_url: str,
    columns_url: str,
    objects_url: str,
) -> AsyncIterator[tuple[str, str, Reach, Path, Path]]:
    """Return an engine's role, its encrypted URL, how it is reached, and two authorities: its own, and another."""
    scheme, reach = ENGINES[request.param]
    ours, other = tmp_path / "ours.pem", tmp_path / "other.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ours))
    trustme.CA().cert_pem.write_to_path(str(other))
    shown = authority.issue_cert("shop")
    shown.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    shown.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    urls = {"record": record_url, "memory": memory_url, "graph": graph_url, "columns": columns_url, "objects": objects_url}
    plain = urlsplit(urls[request.param])
    asks = "asks for a certificate" in request.node.name.replace("_", " ")
    async with front(plain.hostname or "", plain.port or 0, authority, request.param, asks=asks) as port:
        user = plain.netloc.rpartition("@")[0]
        url = urlunsplit(plain._replace(scheme=scheme, netloc=f"{user}@localhost:{port}"))
        yield request.param, url, reach, ours, other


@asynccontextmanager
async def front(host: str, port: int, authority: trustme.CA, role: str, *, asks: bool) -> AsyncIterator[int]:
    """Serve a certificate for ``localhost`` before an engine; ``asks``: whoever comes must show one, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    async with encrypted(host, port, context, postgresql=role == "record") as opened:
        yield opened


async def test_an_engine_with_our_authoritys_certificate_is_reached(engine: tuple[str, str, Reach, Path, Path]) -> None:
    role, url, reach, ours, _ = engine
    await reach(trusting(role, url, str(ours)))
    assert await ping(role, trusting(role, url, str(ours)))


async def test_a_certificate_of_another_authority_is_refused_with_a_sentence(
    engine: tuple[str, str, Reach, Path, Path],
) -> None:
    role, url, reach, _, other = engine
    with pytest.raises(EngineAwayError, match=r"(?i)certificate"):
        await reach(trusting(role, f"{url}?ca={other}"))


async def test_a_certificate_for_another_name_is_refused(engine: tuple[str, str, Reach, Path, Path]) -> None:
    role, url, reach, ours, _ = engine
    with pytest.raises(EngineAwayError):
        await reach(trusting(role, url.replace("@localhost:", "@127.0.0.1:"), str(ours)))


@pytest.mark.parametrize("engine", [one for one in ENGINES if one != "objects"], indirect=True)
async def test_a_server_that_asks_for_a_certificate_is_shown_ours(engine: tuple[str, str, Reach, Path, Path]) -> None:
    role, url, reach, ours, _ = engine
    shown = f"?cert={ours.with_name('cert.pem')}&key={ours.with_name('key.pem')}"
    await reach(trusting(role, f"{url}{shown}", str(ours)))
    assert await ping(role, trusting(role, f"{url}{shown}", str(ours)))
    with pytest.raises(EngineAwayError):
        await reach(trusting(role, url, str(ours)))


@pytest.mark.parametrize(("role", "scheme"), sorted({(one.role, scheme) for one in PRODUCTS for scheme in one.schemes}))
def test_an_authority_goes_with_every_scheme_that_is_encrypted_and_no_other(role: str, scheme: str) -> None:
    url = f"{scheme}://u:p@host:1/name?ca=/etc/ca.pem"
    if encrypted_by(url) or scheme == "postgresql":
        assert "/etc/ca.pem" in trusting(role, url)
        assert encrypted_by(trusting(role, url))
    else:
        with pytest.raises(BadInputError, match="not encrypted"):
            trusting(role, url)


def test_every_scheme_that_ends_as_those_of_tls_do_is_told_as_encrypted() -> None:
    plain = {scheme for one in PRODUCTS for scheme in one.schemes if not encrypted_by(f"{scheme}://host")}
    bare = {scheme.removesuffix("s") for scheme in plain if scheme.endswith("s")} & plain
    assert not bare


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca"])
def test_encryption_without_looking_at_the_certificate_is_refused(mode: str) -> None:
    with pytest.raises(BadInputError, match="verify-full"):
        trusting("record", f"postgresql://a:b@db/x?sslmode={mode}")


def test_an_authority_for_what_is_not_encrypted_is_refused() -> None:
    with pytest.raises(BadInputError, match="not encrypted"):
        trusting("memory", "redis://:x@cache:6379", "/etc/ca.pem")

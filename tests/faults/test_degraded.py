"""Degraded, not down: each engine is made away in each way that ``api/degraded.py`` names, and what it says is asked for.

The engines are real, each behind a gate of its own; every test leaves them as it found them. One house serves all, as its
engines take a while to start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from msgspec import Struct, structs

from entrepot.api import degraded
from entrepot.api.degraded import LACKS, Without
from entrepot.base.errors import EngineAwayError
from entrepot.base.ids import IdSource
from entrepot.commerce.catalog.commands import save_products
from entrepot.local.columns import ClickHouse
from entrepot.local.process import running
from entrepot.local.redis import FalkorDB, Redis
from entrepot.local.sandbox import SandboxGateway
from entrepot.moving.moving import StillAskedError
from entrepot.settings import Engines
from entrepot.verify.verify import Verifier
from tests.conftest import SECRET, UnsyncedPostgres
from tests.house import House, open_house, settings_for
from tests.moving import moved, mover
from tests.servers import Folder, PostgresServer, RecordServer, RedisServer, Server, serving
from tests.shop_front import fill_shop_front, products

ENGINE_SECONDS = 1.0
IDS = IdSource()
SECONDS_MAX = 60.0
LINE = {"sku": "MUG-BIRCH-BLACK", "quantity": 1}
ORDER = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [LINE]}

CELLS = [pytest.param(one, way, id=f"{one.role}-{way}") for one in LACKS for way in one.ways]


class Degraded(Struct):
    """The house and what can be made away; ``cart`` is one that lies in it, ``unread`` are products nobody has looked at."""

    house: House
    engines: Mapping[str, Server | Folder]
    cart: str
    product: str
    unread: list[str]


@pytest.fixture(scope="module")
async def here(objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    """Return an open house each of whose engines can be made away, and that waits for none longer than it says."""
    home = engines_home / "degraded"
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(serving(RecordServer, UnsyncedPostgres(), home / "record"))
        documents = await stack.enter_async_context(serving(PostgresServer, UnsyncedPostgres(), home / "documents"))
        memory = await stack.enter_async_context(serving(RedisServer, Redis(), home))
        graph = await stack.enter_async_context(serving(RedisServer, FalkorDB(), home))
        columns = await stack.enter_async_context(serving(Server, ClickHouse(), home))
        gateway = await stack.enter_async_context(running(SandboxGateway(), home, SECRET))
        engines = Engines(
            record=record.url("record"),
            documents=documents.url("documents"),
            memory=memory.url("memory"),
            graph=graph.url("graph"),
            columns=columns.url("columns"),
            objects=objects_url,
            search=f"tantivy://{home}/search",
            gateway=gateway["gateway"],
        )
        settings = structs.replace(settings_for(engines, home), engine_seconds=ENGINE_SECONDS)
        house = await stack.enter_async_context(open_house(settings))
        await fill_shop_front(house)
        cart = (await house.client.post("/v1/carts", json={"market": "uk", "country": "GB", "lines": [LINE]})).json()["id"]
        product, *unread = [hit["product_id"] for hit in (await house.client.get("/v1/search?limit=36")).json()["hits"]]
        by_role: dict[str, Server | Folder] = {
            "record": record,
            "documents": documents,
            "memory": memory,
            "graph": graph,
            "columns": columns,
            "search": Folder(home / "search"),
        }
        yield Degraded(house, by_role, cart, product, unread)


@pytest.mark.parametrize(("lack", "way"), CELLS)
async def test_the_house_goes_on_without_an_engine(here: Degraded, lack: Without, way: str) -> None:
    fresh = here.unread.pop()
    await until_all_are_answered(here, lack, fresh=here.product)
    async with here.engines[lack.role].away(way):
        for request in lack.refused:
            await until_refused(here, request, fresh)
        for request in lack.answered:
            await until(here, request, fresh, lambda answer: answer.is_success)
        if lack.role != "record":
            await change(here, way)
        await until_told(here, lack.role, way)
    await until_all_are_answered(here, lack, fresh)
    await here.house.seen_by_all()
    assert await differing(here, lack.role) == 0


async def test_while_a_move_keeps_the_old_engine_it_answers_for_the_new_one(here: Degraded) -> None:
    records, first, fresh = here.engines["record"], here.engines["documents"], here.unread.pop()
    assert isinstance(records, Server)
    assert isinstance(first, Server)
    await moved(here.house, "documents", await another_database(records.url("record")))
    await mover(here.house).end("documents", finish=True, force=True)
    await moved(here.house, "documents", await another_database(first.url("record")))
    await here.house.app.live.refresh()
    async with first.away("frozen"):
        await until(here, "/v1/products/{fresh}?market=uk", fresh, lambda answer: answer.is_success)
        told = await until(
            here, "page /engine-room", "", lambda answer: "that the new one did not answer in time" in answer.text
        )
        assert "fed on until the move is finished" in told.text
    await until_spared(here, "documents")
    with pytest.raises(StillAskedError, match="they would have been late or failed without it"):
        await mover(here.house).end("documents", finish=True)
    await mover(here.house).end("documents", finish=True, force=True)


async def another_database(url: str) -> str:
    """Make a database on a server, and return its URL."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE kept_{(name := uuid4().hex)}")
    await connection.close()
    return f"{url.rpartition('/')[0]}/kept_{name}"


async def ask(here: Degraded, request: str, fresh: str) -> httpx.Response:
    """Ask one of the requests that a lack names, as whoever holds an API key."""
    method, _, path = request.rpartition(" ")
    path = path.format(product=here.product, fresh=fresh, cart=here.cart, sku=LINE["sku"])
    if method == "POST":
        seen = {"id": str(IDS.fresh()), "kind": "page", "page": "home"}
        body = {"/v1/orders": ORDER, "/v1/collect": seen}.get(path, {"lines": [LINE]})
        return await here.house.client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    return await here.house.client.get(path, headers={"Accept": "text/html"} if method else {})


async def until(here: Degraded, request: str, fresh: str, seen: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Ask until the answer is as wanted, and return it."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            answer = await ask(here, request, fresh)
            if seen(answer):
                return answer
            await asyncio.sleep(0.05)


async def until_spared(here: Degraded, role: str) -> None:
    """Wait until it is known to all that an old engine has answered for the new one."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await mover(here.house).spared(role):  # noqa: ASYNC110  # it is in a cache, which sets no Event
            await asyncio.sleep(0.05)


async def until_refused(here: Degraded, request: str, fresh: str) -> None:
    """Ask until the engine's absence is told: what it has in hand it may still answer."""
    answer = await until(here, request, fresh, lambda answer: answer.status_code == EngineAwayError.status)
    assert answer.headers["retry-after"] == "1"
    assert request.startswith("page") or answer.json()["type"] == "/problems/engine-away"


async def until_all_are_answered(here: Degraded, lack: Without, fresh: str) -> None:
    """Ask until whatever was refused is answered again: breakers close, and connections are made, by themselves."""
    for request in (*lack.refused, *lack.answered):
        await until(here, request, fresh, lambda answer: answer.is_success)


async def change(here: Degraded, way: str) -> None:
    """Change a product, which projections of every engine but the graph read; the graph's has read an order."""
    async with here.house.app.record.transaction(here.house.app.settings.cell) as tx:
        await save_products(tx, [structs.replace(products()[0], attributes={"way": way, "number": str(uuid4())})])


async def until_told(here: Degraded, role: str, way: str) -> None:
    """Look into the engine room until it says what is wrong, and what people miss."""
    reads_on = way in {"full", "read-only"}
    if reads_on and role == "record":
        return  # where a projection would say why it waits
    away = "The record cannot be looked at." if role == "record" else f"The {role} engine does not answer."
    sentence = "has not gone on for" if reads_on else away
    page = await until(here, "page /engine-room", "", lambda answer: sentence in answer.text)
    assert reads_on or degraded.meaning(role).split(". ")[0] in page.text


async def differing(here: Degraded, role: str) -> int:
    """Compare what the engine holds with the truth, and say how many keys differ."""
    app, found = here.house.app, 0
    verifier = Verifier(app.record, app.live, cells=(app.settings.cell,))
    for one in app.projections:
        if role in {one.role, "record"}:
            found += (await verifier.verify(one, app.stores.of(one))).differs
    return found

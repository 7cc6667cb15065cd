"""Degraded, not down, with the production products: each is made away in each way that ``api/degraded.py`` names of it.

A house for each product, one after the other. FerretDB stands for MongoDB: it keeps what it was given when it is killed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from _pytest.mark import ParameterSet

from entrepot.api.degraded import ELSEWHERE, Without
from entrepot.engines.search.elasticsearch import ElasticsearchStore
from entrepot.engines.search.elasticsearch_wire import connect
from entrepot.engines.stream.kafka import KafkaStream
from entrepot.jobs.schemas import schemas
from entrepot.local.place import Engine, Place
from entrepot.local.process import free_ports
from entrepot.log.reader import LogReader
from entrepot.log.relay import Relay
from tests.conftest import SECRET
from tests.engines.counting import until_relayed, until_sold
from tests.engines.elasticsearch import Elasticsearch
from tests.engines.ferretdb import FerretDB
from tests.engines.influxdb import InfluxDB
from tests.engines.kafka import Kafka
from tests.engines.neo4j import Neo4j
from tests.faults import test_degraded as embedded
from tests.faults.test_degraded import (
    ENGINE_SECONDS,
    LINE,
    Degraded,
    change,
    differing,
    until,
    until_all_are_answered,
    until_refused,
    until_told,
)
from tests.flows.conftest import filled_house
from tests.gate import gate_before
from tests.servers import Server

SECONDS_MAX = 240.0  # a Java server that was killed takes its time to come back

pytestmark = pytest.mark.timeout(900)  # the same


def cells(product: str) -> list[ParameterSet]:
    """Return the rows of a product, way by way."""
    return [pytest.param(one, way, id=way) for one in ELSEWHERE if one.product == product for way in one.ways]


class PlainElasticsearch(Elasticsearch):
    """Without TLS, so that a gate before it can answer 429 in its place."""

    def _settings(self, place: Place, tls: Path) -> dict[str, object]:
        settings = super()._settings(place, tls)
        plain = {name: value for name, value in settings.items() if ".http.ssl." not in name}
        return {**plain, "xpack.security.http.ssl.enabled": "false"}

    def urls(self, place: Place) -> dict[str, str]:
        return {"search": f"elasticsearch://elastic:{place.secret}@127.0.0.1:{place.ports[0]}"}

    async def settle(self, place: Place) -> None:
        store = ElasticsearchStore(self.urls(place)["search"])
        try:
            await store.open()
        finally:
            await store.close()


class ElasticsearchServer(Server):
    """An Elasticsearch whose indexes may be read-only, as it makes them itself when its disk is nearly full."""

    async def go(self, way: str) -> None:
        await (self._blocked(True) if way == "read-only" else super().go(way))

    async def back(self, way: str) -> None:
        await (self._blocked(None) if way == "read-only" else super().back(way))

    async def _blocked(self, blocked: Any) -> None:
        async with connect(self.engine.urls(self.place)["search"]) as client:
            block = {"index.blocks.read_only_allow_delete": blocked}
            await client.indices.put_settings(index="entrepot-*", settings=block, expand_wildcards="all")


@asynccontextmanager
async def house_on(
    kind: type[Server], engine: Engine, record_url: str, objects_url: str, home: Path
) -> AsyncIterator[Degraded]:
    """Open a house on a product that can be made away, and that waits for it no longer than it says."""
    before, embedded.SECONDS_MAX = embedded.SECONDS_MAX, SECONDS_MAX
    own = home / f"degraded-{engine.role}"
    own.mkdir()
    place = Place(own, engine.role, free_ports(own, engine.ports, ()), SECRET)
    async with AsyncExitStack() as stack:
        stack.callback(setattr, embedded, "SECONDS_MAX", before)
        gate = await stack.enter_async_context(gate_before(place.ports[0]))
        server = await asyncio.to_thread(kind, engine, place, gate)
        stack.push_async_callback(server.end)
        await server.ready()
        elsewhere = {engine.role: server.url(engine.role)}
        house = await stack.enter_async_context(
            filled_house(record_url, objects_url, home, seconds=ENGINE_SECONDS, **elsewhere)
        )
        await house.seen_by_all()
        cart = (await house.client.post("/v1/carts", json={"market": "uk", "country": "GB", "lines": [LINE]})).json()["id"]
        product, *unread = [hit["product_id"] for hit in await until_hits(house.client)]
        yield Degraded(house, {engine.role: server}, cart, product, unread)


async def until_hits(client: httpx.AsyncClient) -> list[dict[str, str]]:
    """Return products, once a search that was just filled gives them."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            answer = await client.get("/v1/search?limit=36")
            if answer.is_success and answer.json()["hits"]:
                return list(answer.json()["hits"])
            await asyncio.sleep(0.05)


async def goes_on(here: Degraded, lack: Without, way: str) -> None:
    """Make the product away, ask what its row names, and find nothing wrong when it is back."""
    fresh = here.unread.pop()
    await until_all_are_answered(here, lack, fresh=here.product)
    async with here.engines[lack.role].away(way):
        for request in lack.refused:
            await until_refused(here, request, fresh)
        for request in lack.answered:
            await until(here, request, fresh, lambda answer: answer.is_success)
        await change(here, way)
        await until_told(here, lack.role, way)
    await until_all_are_answered(here, lack, fresh)
    await here.house.seen_by_all()
    assert await differing(here, lack.role) == 0


@pytest.fixture(scope="class")
async def on_elasticsearch(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    async with house_on(ElasticsearchServer, PlainElasticsearch(), record_url, objects_url, engines_home) as opened:
        yield opened


class TestElasticsearch:
    """Its own server, which ends with these tests."""

    @pytest.mark.parametrize(("lack", "way"), cells("Elasticsearch"))
    async def test_the_house_goes_on_without_elasticsearch(self, on_elasticsearch: Degraded, lack: Without, way: str) -> None:
        await goes_on(on_elasticsearch, lack, way)


@pytest.fixture(scope="class")
async def on_neo4j(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    async with house_on(Server, Neo4j(), record_url, objects_url, engines_home) as opened:
        yield opened


class TestNeo4j:
    """Its own server, which ends with these tests."""

    @pytest.mark.parametrize(("lack", "way"), cells("Neo4j"))
    async def test_the_house_goes_on_without_neo4j(self, on_neo4j: Degraded, lack: Without, way: str) -> None:
        await goes_on(on_neo4j, lack, way)


@pytest.fixture(scope="class")
async def on_mongodb(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    connection = await asyncpg.connect(record_url)
    await connection.execute("CREATE DATABASE degraded_documents")
    await connection.close()
    ferretdb = FerretDB(f"{record_url.rpartition('/')[0]}/degraded_documents")
    async with house_on(Server, ferretdb, record_url, objects_url, engines_home) as opened:
        yield opened


class TestMongoDB:
    """FerretDB in its place, which ends with these tests."""

    @pytest.mark.parametrize(("lack", "way"), cells("MongoDB"))
    async def test_the_house_goes_on_without_mongodb(self, on_mongodb: Degraded, lack: Without, way: str) -> None:
        await goes_on(on_mongodb, lack, way)


@pytest.fixture(scope="class")
async def on_influxdb(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    async with house_on(Server, InfluxDB(), record_url, objects_url, engines_home) as opened:
        yield opened


class TestInfluxDB:
    """Its own server, which ends with these tests."""

    @pytest.mark.parametrize(("lack", "way"), cells("InfluxDB"))
    async def test_the_house_goes_on_without_influxdb(self, on_influxdb: Degraded, lack: Without, way: str) -> None:
        await goes_on(on_influxdb, lack, way)
        assert (await on_influxdb.house.client.get("/readyz")).json()["engines"].keys().isdisjoint({"series"})
        await until_sold(on_influxdb.house)


@pytest.fixture(scope="class")
async def on_kafka(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[Degraded]:
    async with house_on(KafkaServer, Kafka(), record_url, objects_url, engines_home) as opened:
        yield opened


class TestKafka:
    """Its own broker, which ends with these tests; a relay runs all the while."""

    @pytest.mark.parametrize(("lack", "way"), cells("Kafka"))
    async def test_the_house_goes_on_without_kafka(self, on_kafka: Degraded, lack: Without, way: str) -> None:
        app, server = on_kafka.house.app, on_kafka.engines["stream"]
        assert isinstance(server, Server)
        url = f"{server.url('stream')}&prefix={way}"
        relay = Relay(app.record, app.bell, LogReader(app.record), KafkaStream(url), app.settings.cell, schemas(), way)
        relaying = asyncio.create_task(relay.run())
        try:
            await until_relayed(on_kafka.house, url)
            async with server.away(way):
                await until(on_kafka, lack.answered[-1], "", lambda answer: "does not answer" in answer.text)
                for request in lack.answered:
                    await until(on_kafka, request, "", lambda answer: answer.is_success)
            await until_relayed(on_kafka.house, url)
        finally:
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)


class KafkaServer(Server):
    """A broker without a gate: it names its own address."""

    def url(self, role: str) -> str:
        return self.engine.urls(self.place)[role]

"""The search for what must be gone finds what is planted in each production server, in whatever form, and nothing else."""

import base64
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
from bson.binary import Binary, UuidRepresentation
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from neo4j import AsyncGraphDatabase

from entrepot.engines.documents.mongodb_connection import connect as mongodb
from entrepot.engines.graph.neo4j_connection import address as neo4j_address
from entrepot.engines.redis_connection import connect as redis
from entrepot.engines.search.elasticsearch_wire import connect as elasticsearch
from entrepot.engines.series.influxdb import InfluxdbSeries
from entrepot.engines.stream.kafka_connection import address as kafka_address
from entrepot.privacy.scan.looking import Looked
from entrepot.privacy.scanner import Scanner
from entrepot.settings import Engines, Settings
from tests.engines.redis_cluster import cluster

STREET, SUBJECT = "17 Planted Crescent", uuid4()
CODED = base64.b64encode(b"to " + STREET.encode()).decode()


async def looked(role: str, url: str, home: Path, values: Sequence[str] = (STREET,), subject: UUID = SUBJECT) -> Looked:
    """Search a server that plays a role, as a certificate does."""
    scan = await Scanner(Settings(home=home, engines=Engines(**{role: url}))).search(list(values), [subject])
    return next(one for one in scan.sources if one.source == role)


def forms(found: Looked) -> set[str]:
    return {one.form for one in found.findings}


async def test_what_is_planted_in_elasticsearch_is_found(elasticsearch_url: str, tmp_path: Path) -> None:
    async with elasticsearch(elasticsearch_url) as client:
        planted = {"parts": [{"of": str(SUBJECT)}, {"to": CODED}], "street": STREET}
        await client.index(index="planted", id="1", document=planted, refresh=True)
        await client.index(index="planted", id=STREET.upper(), document={}, refresh=True)
        try:
            found = await looked("search", elasticsearch_url, tmp_path)
        finally:
            await client.indices.delete(index="planted")
    assert forms(found) == {"plain", "base64", "id"}
    assert {one.place for one in found.findings} == {"planted"}
    assert not (await looked("search", elasticsearch_url, tmp_path)).findings


async def test_an_index_that_is_closed_counts_as_not_searched(elasticsearch_url: str, tmp_path: Path) -> None:
    async with elasticsearch(elasticsearch_url) as client:
        await client.index(index="closed", document={"street": STREET}, refresh=True)
        await client.indices.close(index="closed")
        try:
            found = await looked("search", elasticsearch_url, tmp_path)
        finally:
            await client.indices.delete(index="closed")
    assert [(one.place, one.form) for one in found.findings] == [("closed", "unread")]


async def test_what_is_planted_in_mongodb_is_found(mongo_java_url: str, tmp_path: Path) -> None:
    async with mongodb(mongo_java_url) as client:
        collection = client["elsewhere"]["planted"]
        whose = Binary.from_uuid(SUBJECT, UuidRepresentation.STANDARD)
        await collection.insert_many([{"_id": STREET.lower()}, {"parts": [{"to": CODED}, {"of": whose}]}])
        try:
            found = await looked("documents", mongo_java_url, tmp_path)
        finally:
            await client.drop_database("elsewhere")
    assert forms(found) == {"plain", "base64", "id"}
    assert {one.place for one in found.findings} == {"elsewhere.planted"}
    assert not (await looked("documents", mongo_java_url, tmp_path)).findings


async def test_what_is_planted_in_neo4j_is_found(neo4j_url: str, tmp_path: Path) -> None:
    where = neo4j_address(neo4j_url)
    driver = AsyncGraphDatabase.driver(where.uri, auth=(where.user, where.password), ssl_context=where.trust)
    async with driver:
        planted = "CREATE (:Planted {to: $to})-[:PLANTED {by: $by}]->(:Planted {whose: $whose})"
        await driver.execute_query(planted, to=CODED, by=STREET, whose=[str(SUBJECT)])
        try:
            found = await looked("graph", neo4j_url, tmp_path)
        finally:
            await driver.execute_query("MATCH (n:Planted) DETACH DELETE n")
    assert {(one.place.partition(": ")[2], one.form) for one in found.findings} == {
        ("nodes", "base64"), ("edges", "plain"), ("nodes", "id"),
    }  # fmt: skip
    assert not (await looked("graph", neo4j_url, tmp_path)).findings


async def test_what_is_planted_in_influxdb_is_found(influxdb_url: str, tmp_path: Path) -> None:
    store = InfluxdbSeries(influxdb_url)
    await store.open()
    try:
        street = STREET.replace(" ", "\\ ")
        lines = f'planted,street={street} seen=1\nplanted whose="{SUBJECT}",seen=1\n{CODED} seen=1'
        await store._ask("/write", {"db": store._database, "rp": "raw"}, lines.encode())
        found = await looked("series", influxdb_url, tmp_path)
        for name in ("planted", CODED):
            await store._query(f'DROP MEASUREMENT "{name}"')
    finally:
        await store.close()
    assert forms(found) == {"plain", "base64", "id"}
    assert not (await looked("series", influxdb_url, tmp_path)).findings


async def test_what_is_planted_in_kafka_is_found_but_for_ids_which_the_log_has(kafka_url: str, tmp_path: Path) -> None:
    where, topic = dict(kafka_address(kafka_url).config), f"planted.{uuid4()}"
    admin = AdminClient({**where})
    admin.create_topics([NewTopic(topic, num_partitions=2)])[topic].result(60)
    producer = Producer(where)
    producer.produce(topic, b"", STREET.encode(), partition=1, headers={"to": CODED.encode(), "of": SUBJECT.bytes})
    assert producer.flush(60) == 0
    found = await looked("stream", kafka_url, tmp_path)
    assert (forms(found), {one.place for one in found.findings}) == ({"plain", "base64"}, {f"{topic}/1"})
    assert found.bytes
    assert not (await looked("stream", kafka_url, tmp_path, ["18 Planted Crescent"])).findings


async def test_what_is_planted_in_a_redis_cluster_is_found_on_each_of_its_masters(engines_home: Path, tmp_path: Path) -> None:
    async with cluster(engines_home / "scanned-cluster") as url:
        client = redis(url, seconds_max=10)
        keys = [f"planted {number}" for number in range(30)]
        for key in keys:
            await client.hset(key, "to", CODED)
        found = await looked("memory", url, tmp_path)
        await client.delete(*keys)
        assert {one.place for one in found.findings} == set(keys)
        assert not (await looked("memory", url, tmp_path)).findings
        await client.aclose()


async def test_a_server_that_does_not_answer_is_not_taken_for_clean(tmp_path: Path) -> None:
    with pytest.raises(aiohttp.ClientError):
        await looked("series", "influxdb://nobody:none@127.0.0.1:1/entrepot", tmp_path)

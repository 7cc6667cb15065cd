"""The production servers for tests: each starts once a session, when it is first asked for, and goes away with its data."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from entrepot.local.process import running
from tests import log_case
from tests.conftest import SECRET
from tests.engines.against import pytest_addoption, pytest_configure  # noqa: F401  # hooks of pytest
from tests.engines.elasticsearch import Elasticsearch
from tests.engines.ferretdb import FerretDB
from tests.engines.influxdb import InfluxDB
from tests.engines.kafka import Kafka
from tests.engines.mongo_java import MongoJava
from tests.engines.neo4j import Neo4j


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Wait longer for what must come: these servers are larger than the embedded ones, and share one machine."""
    before, log_case.DEADLINE_SECONDS = log_case.DEADLINE_SECONDS, 120.0
    yield
    log_case.DEADLINE_SECONDS = before


@pytest.fixture(scope="session")
async def elasticsearch_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_ELASTICSEARCH_URL"):  # one that ``make engines`` runs
        yield given
        return
    async with running(Elasticsearch(), engines_home / "elasticsearch", SECRET) as urls:
        yield urls["search"]


@pytest.fixture(scope="session")
async def neo4j_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_NEO4J_URL"):
        yield given
        return
    async with running(Neo4j(), engines_home / "neo4j", SECRET) as urls:
        yield urls["graph"]


@pytest.fixture(scope="session")
async def kafka_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_KAFKA_URL"):
        yield given
        return
    async with running(Kafka(), engines_home / "kafka", SECRET) as urls:
        yield urls["stream"]


@pytest.fixture(scope="session")
async def ferretdb_url(engines_home: Path, record_url: str) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_MONGODB_URL"):  # a real MongoDB, such as compose.yaml runs
        yield given
        return
    connection = await asyncpg.connect(record_url)
    await connection.execute("CREATE DATABASE ferretdb")
    await connection.close()
    documents = f"{record_url.rpartition('/')[0]}/ferretdb"
    async with running(FerretDB(documents), engines_home / "ferretdb", SECRET) as urls:
        yield urls["documents"]


@pytest.fixture(scope="session")
async def mongo_java_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(MongoJava(), engines_home / "mongo-java", SECRET) as urls:
        yield urls["documents"]


@pytest.fixture(scope="session")
async def influxdb_url(engines_home: Path) -> AsyncIterator[str]:
    if given := os.environ.get("ENTREPOT_TEST_INFLUXDB_URL"):
        yield given
        return
    async with running(InfluxDB(), engines_home / "influxdb", SECRET) as urls:
        yield urls["series"]

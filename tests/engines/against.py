"""``--against FILE``: the suites run on the servers whose URLs a file names, such as those of ``deploy/compose.yaml``.

Of a product that it does not name the harness starts its own. Nothing is skipped.
"""

import os
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError
from entrepot.engines.products import product
from entrepot.settings import SCHEMES

# Which variable the fixtures look at for a product.
GIVEN = {
    "MongoDB": "ENTREPOT_TEST_MONGODB_URL",
    "Elasticsearch": "ENTREPOT_TEST_ELASTICSEARCH_URL",
    "ClickHouse": "ENTREPOT_TEST_CLICKHOUSE_URL",
    "Neo4j": "ENTREPOT_TEST_NEO4J_URL",
    "Redis": "ENTREPOT_TEST_REDIS_URL",
    "InfluxDB": "ENTREPOT_TEST_INFLUXDB_URL",
    "Kafka": "ENTREPOT_TEST_KAFKA_URL",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--against", type=Path, help="a file of ENTREPOT_<ROLE>_URL=... to test instead of servers of our own")


def pytest_configure(config: pytest.Config) -> None:
    if file := config.getoption("--against"):
        os.environ.update(given(variables(file.read_text())))


def variables(text: str) -> dict[str, str]:
    """Return the variables that a file of ``NAME=value`` lines gives."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if bad := [line for line in lines if "=" not in line]:
        raise BadInputError(f"{bad[0]!r} is no NAME=value.")
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def given(found: dict[str, str]) -> dict[str, str]:
    """Return what the fixtures look at, of the URLs of roles; one that no product plays is refused."""
    urls = {name.removeprefix("ENTREPOT_").removesuffix("_URL").lower(): url for name, url in found.items()}
    roles = {role: url for role, url in urls.items() if role in {*SCHEMES, "stream", "series"} - {"record", "gateway"}}
    played = {product(role, url).name: url for role, url in roles.items()}
    return {GIVEN[name]: url for name, url in played.items() if name in GIVEN}

"""What the engine room tells of an engine, from its URL."""

import pytest

from entrepot.api.standing import encrypted, standing


@pytest.mark.parametrize(
    ("role", "url", "told"),
    [
        (
            "search",
            "elasticsearchs://elastic:secret@search:9200?shards=3&replicas=1",
            ("Elasticsearch", "shards 3, replicas 1"),
        ),
        ("memory", "redis+cluster://:secret@cache:6379?also=b:6379,c:6379", ("Redis", "a cluster, also b:6379,c:6379")),
        ("columns", "clickhouses://u:secret@ch:8443/db?cluster=eu", ("ClickHouse", "cluster eu")),
        ("graph", "neo4j+s://u:secret@graph:7687", ("Neo4j", "routed to a cluster")),
        ("documents", "mongodb+srv://u:secret@shop.example/db", ("MongoDB", "found by DNS")),
        ("search", "tantivy:///srv/search", ("tantivy", "one server")),
        ("stream", "kafkas://u:secret@k:9092?brokers=l:9092&replication=3", ("Kafka", "brokers l:9092, replication 3")),
    ],
)
def test_product_and_topology_are_told_and_no_password_or_path(role: str, url: str, told: tuple[str, str]) -> None:
    found = standing(role, url)
    assert (found.product, found.topology) == told
    assert "secret" not in str(found)
    assert "/srv" not in str(found)


@pytest.mark.parametrize(
    ("url", "by_tls"),
    [
        ("postgresql://u@h:5432/d?sslmode=verify-full&sslrootcert=/ca.pem", True),
        ("postgresql://u@h:5432/d", False),
        ("rediss+cluster://:p@h:6379", True),
        ("redis://:p@h:6379", False),
        ("bolt+s://u:p@h:7687", True),
        ("neo4j://u:p@h:7687", False),
        ("kafkas://u:p@h:9093", True),
        ("influxdbs://u:p@h:8086/d", True),
        ("influxdb://u:p@h:8086/d", False),
    ],
)
def test_it_is_told_whether_the_way_is_encrypted(url: str, by_tls: bool) -> None:  # what is expected
    assert encrypted(url) is by_tls

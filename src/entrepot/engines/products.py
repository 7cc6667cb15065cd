"""Which products can play which role: the one place that joins a URL's scheme to a driver. Knows no driver's inside.

A driver is imported when it is first wanted, so that nobody waits for the client of an engine that he has not got. A new
product is a file in its role's folder and an entry here; ``docs/reference/engines.md`` is made of these entries.
"""

from importlib import import_module
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.redaction import redact
from entrepot.base.stream import StreamSource


class Driver(Protocol):
    """What every driver can do whatever its role: connect, which finds out that a URL is wrong, and let go."""

    async def open(self) -> None:
        """Connect; an engine that is away is an ``EngineAwayError``, a URL that no later try mends a ``BadInputError``."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class Product(Struct, frozen=True, kw_only=True):
    """One product in one role.

    ``driver`` is ``module:class`` below this package; ``once`` says by what an event counts once; ``differs`` what it does
    otherwise than its neighbours, with the reason; ``one_writer``: one process may write it, and shards gain nothing.
    """

    role: str
    name: str
    schemes: tuple[str, ...]
    driver: str
    once: str
    differs: tuple[str, ...] = ()
    one_writer: bool = False


PRODUCTS: tuple[Product, ...] = (
    Product(
        role="documents",
        name="PostgreSQL",
        schemes=("postgresql",),
        driver="documents.postgresql:PostgresqlDocuments",
        once="items and position in one statement, so in one transaction",
    ),
    Product(
        role="documents",
        name="MongoDB",
        schemes=("mongodb", "mongodbs", "mongodb+srv"),
        driver="documents.mongodb:MongodbDocuments",
        once="versions read, what is new inserted, the rest replaced under a guard of its version, then the position",
        differs=(
            "a body is kept as JSON text: BSON would change numbers and refuse some keys",
            "tests run on FerretDB and mongo-java-server (no package registry has mongod), or on ENTREPOT_TEST_MONGODB_URL",
            "FerretDB needs `batch=20` in the URL: a bulk that replaces many documents hangs there",
        ),
    ),
    Product(
        role="search",
        name="tantivy",
        schemes=("tantivy",),
        driver="search.tantivy:TantivyStore",
        once="items and position in one commit of one index",
        differs=("one process writes: an index has one writer, whoever else wants to write waits",),
        one_writer=True,
    ),
    Product(
        role="search",
        name="Elasticsearch",
        schemes=("elasticsearch", "elasticsearchs"),
        driver="search.elasticsearch:ElasticsearchStore",
        once="`version_type=external` on each document, deletions kept as documents, then the position by compare-and-set",
        differs=(
            "a word's beginning forgives one typing error at most: it is asked by an expression of all ways to err",
            "words are suggested at most two typing errors away: its suggester knows no more",
            "a key of a map of numbers, unless sparse, is a field, 10,000 in an index at most: each costs a cluster memory",
            "a repair to an older version is away for a moment: the guard of versions goes only with the document",
        ),
    ),
    Product(
        role="columns",
        name="ClickHouse",
        schemes=("clickhouse", "clickhouses"),
        driver="columns.clickhouse:ClickHouseColumns",
        once="what is not newer is left out, `ReplacingMergeTree(version, is_deleted)` keeps the newest, then the position",
    ),
    Product(
        role="graph",
        name="FalkorDB",
        schemes=("falkor", "falkors"),
        driver="graph.falkordb:FalkorGraph",
        once="queries that compare versions row by row, then the position, a node of the same graph",
        differs=("it has ended by a null pointer of its own where clients were cut off: whoever runs it starts it again",),
    ),
    Product(
        role="graph",
        name="Neo4j",
        schemes=("bolt", "bolt+s", "neo4j", "neo4j+s"),
        driver="graph.neo4j:Neo4jGraph",
        once="batch and position in one transaction (of a large batch's several the last has it), each node locked before its "
        "version is compared",
    ),
    Product(
        role="memory",
        name="Redis",
        schemes=("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"),
        driver="memory.redis:RedisMemory",
        once="a script per bucket that compares versions, then the position",
        differs=(
            "on a cluster what one script touches shares a hash tag: MULTI, Lua and RENAME are refused across slots",
            "a master that ends takes with it what no replica had yet: carts of the last moment, and items that `verify` finds",
        ),
    ),
    Product(
        role="objects",
        name="S3",
        schemes=("s3", "s3s"),
        driver="objects.s3:S3Objects",
        once="an object's name says what is in it: to write it again changes nothing",
    ),
    Product(
        role="series",
        name="InfluxDB",
        schemes=("influxdb", "influxdbs"),
        driver="series.influxdb:InfluxdbSeries",
        once="name, tags and time are a point's identity: the same point overwrites",
        differs=(
            "versions 2 and 3 let no client make databases: make the buckets `entrepot/raw` and `entrepot/minutes` first",
            "what is older than its tier keeps is refused there and passed over: it would be gone again",
        ),
    ),
    Product(
        role="series",
        name="ClickHouse",
        schemes=("clickhouse", "clickhouses"),
        driver="series.clickhouse:ClickHouseSeries",
        once="`ReplacingMergeTree` by name, field, tags and time; questions take the last (`FINAL`)",
        differs=("a row per field: a point of three fields costs three times as much as in InfluxDB",),
    ),
    Product(
        role="stream",
        name="Kafka",
        schemes=("kafka", "kafkas"),
        driver="stream.kafka:KafkaStream",
        once="events and the position behind them in one transaction; readers at `read_committed`",
        differs=(
            "a second relay of a cell is shut out by its transactional id: the first one's open transaction is undone",
            "projectors that read it come later by a transaction's time, and read in PostgreSQL what retention has deleted",
        ),
        one_writer=True,
    ),
)


def product(role: str, url: str) -> Product:
    """Return the product that a URL names for a role; a scheme that the role does not know is refused with those it knows."""
    scheme = urlsplit(url).scheme
    playing = [each for each in PRODUCTS if each.role == role]
    for each in playing:
        if scheme in each.schemes:
            return each
    known = ", ".join(name for each in playing for name in each.schemes)
    raise BadInputError(f"ENTREPOT_{role.upper()}_URL is {redact(url)!r}: the {role} engine knows {known}.", role=role)


def driver(role: str, url: str) -> Any:
    """Return the driver of a role's URL, not yet opened: a ``Driver`` that also keeps the role's port."""
    module, _, name = product(role, url).driver.partition(":")
    return getattr(import_module(f"entrepot.engines.{module}"), name)(url)


def source(url: str) -> StreamSource:
    """Return who reads the stream of a URL, not yet started."""
    product("stream", url)
    return import_module("entrepot.engines.stream.kafka_source").KafkaSource(url)  # type: ignore[no-any-return]  # loaded late

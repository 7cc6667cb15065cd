"""Plants what a person is known by into each engine, each time in another form, and takes it out again."""

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import asyncpg
import clickhouse_connect
import pyarrow as pa
import pyarrow.parquet as pq
from tantivy import Document, Index, SchemaBuilder

from entrepot.commerce.cart.state import Contact
from entrepot.engines.redis_connection import connect
from tests.house import House

Plant = Callable[[House, Contact], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def in_record(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant an address, in capitals, into the answer kept under an idempotency key."""
    connection = await asyncpg.connect(house.app.settings.engines.owner)
    try:
        await connection.execute("CREATE TABLE jobs.planted (answer bytea)")
        await connection.execute("INSERT INTO jobs.planted VALUES ($1)", who.email.upper().encode())
        yield
    finally:
        await connection.execute("DROP TABLE jobs.planted")
        await connection.close()


@asynccontextmanager
async def in_documents(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant a name into a document's JSON."""
    connection = await asyncpg.connect(house.app.settings.engines.documents)
    try:
        await connection.execute("CREATE TABLE planted (body jsonb)")
        await connection.execute("INSERT INTO planted VALUES (jsonb_build_object('by', $1::text))", who.name)
        yield
    finally:
        await connection.execute("DROP TABLE planted")
        await connection.close()


@asynccontextmanager
async def in_memory(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant a street, as base64 within a longer text, into a hash."""
    client = connect(house.app.settings.engines.memory, seconds_max=10)
    try:
        letter = base64.b64encode(b"to " + who.address.line1.encode()).decode()
        await client.hset("planted", "dead letter", letter)
        yield
    finally:
        await client.delete("planted")
        await client.aclose()


@asynccontextmanager
async def in_graph(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant a number, written another way, into a node."""
    client = connect(house.app.settings.engines.graph.replace("falkor", "redis", 1), seconds_max=10)
    number = who.phone.replace(" ", "").replace("+", "00")
    try:
        await client.execute_command("GRAPH.QUERY", "planted", f"CREATE (:Buyer {{phone: '{number}'}})")  # type: ignore[no-untyped-call]  # redis leaves it without types
        yield
    finally:
        await client.delete("planted", "telemetry{planted}")
        await client.aclose()


@asynccontextmanager
async def in_columns(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant an address, as it stands in a link, into a row that is deleted at once: it lies on the disk still."""
    parts = house.app.settings.engines.columns
    client = await asyncio.to_thread(clickhouse_connect.get_client, dsn=parts.replace("clickhouse://", "http://", 1))
    try:
        client.command("CREATE TABLE planted (id UInt8, link String) ENGINE = MergeTree ORDER BY id")
        client.command(f"INSERT INTO planted VALUES (1, '/reset?to={quote(who.email, safe='')}'), (2, '')")
        client.command("DELETE FROM planted WHERE id = 1")
        yield
    finally:
        client.command("DROP TABLE planted SYNC")
        client.close()


@asynccontextmanager
async def in_search(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant a name into an index's stored document."""
    folder = Path(house.app.settings.engines.search.removeprefix("tantivy://"))
    with TemporaryDirectory(dir=folder) as place:
        builder = SchemaBuilder()
        builder.add_bytes_field("body", stored=True)
        index = Index(builder.build(), path=place)
        writer = index.writer()
        writer.add_document(Document(body=who.name.encode()))
        writer.commit()
        writer.wait_merging_threads()
        yield


@asynccontextmanager
async def in_objects(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant a street into an archived part of the log, compressed as Parquet is."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.parquet"
        pq.write_table(pa.table({"body": [f'{{"street": "{who.address.line1}"}}']}), path, compression="zstd")
        try:
            await house.app.stores.objects.put("planted/part.parquet", path)
            yield
        finally:
            await house.app.stores.objects.delete("planted/part.parquet")


@asynccontextmanager
async def in_home(house: House, who: Contact) -> AsyncIterator[None]:
    """Plant an address in UTF-16 into a log that was rotated away and compressed."""
    path = house.app.settings.home / "old.log.gz"
    path.write_bytes(gzip.compress(who.email.encode("utf-16-le")))
    try:
        yield
    finally:
        path.unlink()


PLANTS: dict[str, Plant] = {
    "record": in_record,
    "documents": in_documents,
    "memory": in_memory,
    "graph": in_graph,
    "columns": in_columns,
    "search": in_search,
    "objects": in_objects,
    "home": in_home,
}

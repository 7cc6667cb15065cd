"""The fixtures every other test stands on: each engine answers at the URL it is given."""

import asyncio
import functools
from urllib.parse import urlsplit

import asyncpg
import boto3
import clickhouse_connect
from redis.asyncio import Redis


async def test_a_fresh_database_is_empty(database: str) -> None:
    connection = await asyncpg.connect(database)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_memory_keeps_what_it_is_given(memory_url: str) -> None:
    async with Redis.from_url(memory_url) as client:
        await client.set("colour", "blue")
        assert await client.get("colour") == b"blue"


async def test_the_graph_answers_cypher(graph_url: str) -> None:
    async with Redis.from_url(graph_url.replace("falkor", "redis", 1)) as client:
        answer = await client.execute_command("GRAPH.QUERY", "test", "CREATE (:Product {id: 7}) RETURN 7")  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    assert answer[1] == [[7]]


async def test_the_columns_answer_clickhouse_s_own_client(columns_url: str) -> None:
    url = urlsplit(columns_url)
    connect = functools.partial(clickhouse_connect.get_client, host=url.hostname, port=url.port, username=url.username)
    client = await asyncio.to_thread(connect, password=url.password or "")
    assert client.command("SELECT 1 + 1") == 2
    client.close()


async def test_the_bucket_takes_an_object(objects_url: str) -> None:
    url = urlsplit(objects_url)
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{url.hostname}:{url.port}",
        aws_access_key_id=url.username,
        aws_secret_access_key=url.password,
        region_name="us-east-1",
    )
    bucket = url.path.strip("/")
    await asyncio.to_thread(client.put_object, Bucket=bucket, Key="fixtures/b", Body=b"hello")
    assert client.get_object(Bucket=bucket, Key="fixtures/b")["Body"].read() == b"hello"

"""The embedded ClickHouse over its wire: ClickHouse's own clients, unpatched, and plain HTTP."""

import asyncio
import functools
import gzip
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.conftest import SECRET

SLOW = "SELECT sum(sipHash64(number)) FROM numbers(60000000)"
STRANGE = "a'b\"c\\d\te\n\n;SELECT 1; INSERT INTO x FORMAT Native\n"


async def connect(url: str, *, compress: bool | str = True) -> AsyncClient:
    """Connect as anyone would who was given the URL; a session of its own allows one statement at a time, so none."""
    dsn = url.replace("clickhouse", "http", 1)
    return await clickhouse_connect.get_async_client(dsn=dsn, compress=compress, autogenerate_session_id=False)


@pytest.fixture(scope="module")
async def client(columns_url: str) -> AsyncIterator[AsyncClient]:
    async with await connect(columns_url) as client:
        yield client


@pytest.fixture(scope="module")
async def http(columns_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=columns_url.replace("clickhouse", "http", 1).removesuffix("/default")) as http:
        yield http


@pytest.fixture
async def table(client: AsyncClient) -> AsyncIterator[str]:
    await client.command("CREATE TABLE wire (number Int64, text String) ENGINE = MergeTree ORDER BY number")
    yield "wire"
    await client.command("DROP TABLE wire SYNC")


async def test_it_says_which_clickhouse_it_is_and_keeps_utc(client: AsyncClient) -> None:
    assert (client.server_version or "").startswith("26.")
    assert str(client.server_tz) == "UTC"


async def test_ping_answers_at_once_while_statements_run(client: AsyncClient, http: httpx.AsyncClient) -> None:
    slow = [asyncio.create_task(client.query(SLOW)) for _ in range(2)]
    answers = 0
    while not all(task.done() for task in slow):
        assert (await http.get("/ping", timeout=2)).text == "Ok.\n"
        answers += 1
    assert answers > 10
    await asyncio.gather(*slow)


@pytest.mark.parametrize("compression", [False, "lz4", "zstd", "gzip"])
async def test_an_insert_arrives_whole_in_every_compression(columns_url: str, table: str, compression: bool | str) -> None:
    rows = [[number, f"{STRANGE}{number}"] for number in range(50_000)]
    async with await connect(columns_url, compress=compression) as client:
        await client.insert(table, rows, column_names=["number", "text"])
        found = await client.query(f"SELECT * FROM {table} ORDER BY number")
    assert found.result_rows == [tuple(row) for row in rows]


async def test_the_client_that_is_not_asynchronous_works_too(columns_url: str, table: str) -> None:
    dsn = columns_url.replace("clickhouse", "http", 1)
    client = await asyncio.to_thread(functools.partial(clickhouse_connect.get_client, dsn=dsn))
    await asyncio.to_thread(client.insert, table, [[1, STRANGE]], ["number", "text"])
    found = await asyncio.to_thread(client.query, f"SELECT text FROM {table} WHERE number = {{n:Int64}}", {"n": 1})
    client.close()
    assert found.result_rows == [(STRANGE,)]


async def test_parameters_are_bound_and_never_read_as_sql(client: AsyncClient) -> None:
    found = await client.query("SELECT {a:String}, {b:Array(String)}", parameters={"a": STRANGE, "b": [STRANGE] * 2_000})
    assert found.result_rows == [(STRANGE, [STRANGE] * 2_000)]


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("SELECT * FROM nowhere", 60, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1 SETTINGS no_such_thing = 1", 115, 404),
    ],
)
async def test_a_refusal_has_clickhouse_s_code_status_and_words(
    client: AsyncClient, http: httpx.AsyncClient, sql: str, code: int, status: int
) -> None:
    answer = await http.post("/", content=sql)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    with pytest.raises(DatabaseError) as refused:
        await client.query(sql)
    assert refused.value.code == code


async def test_an_error_in_the_middle_of_an_answer_is_told(client: AsyncClient) -> None:
    with pytest.raises(DatabaseError) as refused:
        await client.query("SELECT throwIf(number = 5000000) FROM numbers(10000000)")
    assert refused.value.code == 395


async def test_a_long_answer_is_streamed_whole(client: AsyncClient) -> None:
    found = await client.query("SELECT number FROM numbers(2000000)")
    assert [found.result_columns[0][0], found.result_columns[0][-1], found.row_count] == [0, 1_999_999, 2_000_000]


async def test_settings_last_one_statement(client: AsyncClient) -> None:
    value = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    asked = await client.query(value, settings={"max_block_size": 1234})
    assert asked.result_rows == [("1234",)]
    assert (await client.query(value)).result_rows != [("1234",)]


async def test_a_get_and_a_reader_change_nothing(client: AsyncClient, http: httpx.AsyncClient, table: str) -> None:
    got = await http.get("/", params={"query": f"INSERT INTO {table} VALUES (1, 'x')"})
    read_only = await http.post("/", params={"readonly": "1"}, content=f"INSERT INTO {table} VALUES (1, 'x')")
    assert [answer.headers["X-ClickHouse-Exception-Code"] for answer in (got, read_only)] == ["164", "164"]
    assert (await client.query(f"SELECT count() FROM {table}")).result_rows == [(0,)]


async def test_another_user_or_password_is_refused(http: httpx.AsyncClient) -> None:
    for auth in (("someone", SECRET), ("default", "guess"), ("default", "")):
        answer = await http.post("/", content="SELECT 1", auth=auth)
        assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")


async def test_a_query_in_the_url_takes_its_data_from_the_body(http: httpx.AsyncClient, table: str) -> None:
    body = gzip.compress(b'{"number": 1, "text": "one"}\n{"number": 2, "text": "two"}\n')
    sent = await http.post(
        "/",
        params={"query": f"INSERT INTO {table} FORMAT JSONEachRow"},
        content=body,
        headers={"Content-Encoding": "gzip"},
    )
    assert sent.status_code == 200
    assert (await http.post("/", content=f"SELECT * FROM {table} ORDER BY number FORMAT CSV")).text == '1,"one"\n2,"two"\n'


async def test_what_is_not_understood_is_refused_by_name(http: httpx.AsyncClient) -> None:
    packed = await http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "br"})
    broken = await http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "lz4"})
    setting = await http.post("/", params={"no_such_setting": "1"}, content="SELECT 1")
    assert [answer.status_code for answer in (packed, broken, setting)] == [501, 400, 404]
    assert "'br'" in packed.text
    assert "no_such_setting" in setting.text


async def test_a_body_that_breaks_off_inserts_nothing(columns_url: str, client: AsyncClient, table: str) -> None:
    url = urlsplit(columns_url)
    key = f"X-ClickHouse-User: default\r\nX-ClickHouse-Key: {SECRET}"
    head = f"POST / HTTP/1.1\r\nHost: {url.hostname}\r\n{key}\r\nContent-Length: 1000\r\n\r\n"
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"{head}INSERT INTO {table} FORMAT CSV\n1,one\n".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await client.query(f"SELECT count() FROM {table}")).result_rows == [(0,)]


async def test_many_callers_at_once_are_all_answered(client: AsyncClient) -> None:
    asked = [client.query("SELECT sum(number + {n:Int64}) FROM numbers(10000)", parameters={"n": n}) for n in range(40)]
    found = await asyncio.gather(*asked)
    assert [answer.result_rows[0][0] for answer in found] == [49_995_000 + 10_000 * n for n in range(40)]

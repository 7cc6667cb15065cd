"""What a process loads for ClickHouse: not pandas, which the client would load at the first insert while others wait."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from uuid import uuid4

INSERT = """
import asyncio, sys
from entrepot.engines.clickhouse_connection import connect

async def insert(url, table):
    client = await connect(url, "columns")
    await client.command(f"CREATE TABLE {table} (at DateTime64(6, 'UTC'), n Nullable(Int64)) ENGINE = Memory")
    await client.insert(table, [["2026-01-01 00:00:00", None]], column_names=["at", "n"])
    print((await client.query(f"SELECT count() FROM {table}")).result_rows, "pandas" in sys.modules)
    await client.command(f"DROP TABLE {table}")
    await client.close()

asyncio.run(insert(*sys.argv[1:]))
"""


async def test_an_insert_loads_no_pandas(columns_url: str) -> None:
    asked = (sys.executable, "-c", INSERT, columns_url, f"loading_{uuid4().hex}")
    process = await asyncio.create_subprocess_exec(*asked, stdout=PIPE, stderr=PIPE)
    told, wrong = await process.communicate()
    assert told.decode().strip() == "[(1,)] False", wrong.decode()

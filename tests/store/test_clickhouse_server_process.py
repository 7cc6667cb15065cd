"""The embedded ClickHouse as a process: killed, stopped, started twice, with a password, and how much it takes."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from entrepot.base.engine_limits import STOP_SECONDS_MAX
from entrepot.local.columns import ClickHouse
from entrepot.local.place import Place
from entrepot.local.process import free_ports, launch, stop, until_ready
from tests.conftest import SECRET

RESIDENT_BYTES_MAX = 450 << 20


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "columns", free_ports(tmp_path, 1, ()), SECRET)


@pytest.fixture
async def http(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.ports[0]}", auth=("default", SECRET)) as http:
        yield http


async def start(place: Place) -> psutil.Process:
    process = launch(ClickHouse(), place)
    await until_ready(ClickHouse(), place, process)
    return process


async def insert_until_killed(http: httpx.AsyncClient, acknowledged: list[int], writer: int, enough: asyncio.Event) -> None:
    """Insert blocks of a hundred rows for as long as the server takes them, and note each that it acknowledged."""
    for block in range(writer, 1_000_000, 4):
        try:
            answer = await http.post("/", content=f"INSERT INTO t SELECT {block}, number FROM numbers(100)")
        except httpx.TransportError:
            return
        assert answer.status_code == 200, answer.text
        acknowledged.append(block)
        if len(acknowledged) == 60:
            enough.set()


async def test_a_kill_loses_nothing_that_was_acknowledged(place: Place, http: httpx.AsyncClient) -> None:
    process = await start(place)
    await http.post("/", content="CREATE TABLE t (block Int64, number Int64) ENGINE = MergeTree ORDER BY block")
    acknowledged: list[int] = []
    enough = asyncio.Event()
    writers = [asyncio.create_task(insert_until_killed(http, acknowledged, writer, enough)) for writer in range(4)]
    await enough.wait()
    process.kill()
    await asyncio.gather(*writers)
    process = await start(place)
    kept = await http.post("/", content="SELECT block FROM t GROUP BY block HAVING count() = 100 FORMAT TSV")
    torn = await http.post("/", content="SELECT count() FROM (SELECT block FROM t GROUP BY block HAVING count() != 100)")
    await stop(ClickHouse(), process)
    assert set(acknowledged) <= {int(block) for block in kept.text.split()}
    assert torn.text == "0\n"


async def test_what_a_killed_process_was_receiving_is_swept_away(place: Place, http: httpx.AsyncClient) -> None:
    spool = place.data / "spool"
    spool.mkdir(parents=True)
    (spool / "half").write_bytes(b"x")
    process = await start(place)
    await http.post("/", content="CREATE TABLE t (n Int64) ENGINE = MergeTree ORDER BY n")
    await http.post("/", content="INSERT INTO t FORMAT CSV\n1\n")
    left = list(spool.iterdir())
    await stop(ClickHouse(), process)
    assert left == []


async def test_it_ends_at_once_when_told_to_and_is_small_when_idle(place: Place, http: httpx.AsyncClient) -> None:
    process = await start(place)
    await http.post("/", content="SELECT count() FROM system.settings")
    resident = process.memory_info().rss
    process.terminate()
    assert await asyncio.to_thread(process.wait, 5) == 0
    assert resident < RESIDENT_BYTES_MAX


async def test_a_statement_that_takes_for_ever_does_not_hold_up_the_end(place: Place, http: httpx.AsyncClient) -> None:
    process = await start(place)
    endless = asyncio.create_task(
        http.post("/", content="SELECT sum(sipHash64(number)) FROM numbers(100000000000)", timeout=60)
    )
    while (await http.post("/", content="SELECT count() FROM system.processes")).text != "2\n":
        assert not endless.done()
    process.terminate()
    assert await asyncio.to_thread(process.wait, STOP_SECONDS_MAX) == 0
    with pytest.raises(httpx.TransportError):
        await endless


async def test_a_second_process_on_the_folder_or_the_port_says_why_it_cannot(place: Place) -> None:
    process = await start(place)
    other = free_ports(place.home, 1, place.ports)[0]
    for folder, port in ((place.data, other), (place.home / "other", place.ports[0])):
        second = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "entrepot.local.clickhouse", f"--data={folder}", f"--port={port}"],
            stderr=asyncio.subprocess.PIPE,
        )
        _, words = await second.communicate()
        assert second.returncode == 1
        assert f"ClickHouse did not start with {folder} on port {port}: ".encode() in words
        assert b"Traceback" not in words
    await stop(ClickHouse(), process)


async def test_user_and_password_come_by_basic_authentication_or_clickhouse_s_own_headers(place: Place) -> None:
    process = await start(place)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.ports[0]}") as http:
        without = await http.post("/", content="SELECT 1")
        basic = await http.post("/", content="SELECT 1", auth=("default", SECRET))
        own = await http.post("/", content="SELECT 1", headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": SECRET})
    await stop(ClickHouse(), process)
    assert [answer.status_code for answer in (without, basic, own)] == [403, 200, 200]

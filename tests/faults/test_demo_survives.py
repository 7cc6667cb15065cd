"""The whole demo, with its engines and processes killed at random moments: in the end nothing differs, is lost or doubled.

``ENTREPOT_FAULT_ROUNDS`` says how many kills; a few by default, twenty for a claim.
"""

import asyncio
import contextlib
import json
import os
import random
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from entrepot.base.engine_limits import READY_SECONDS_MAX
from entrepot.cli import EXIT_DIFFERS
from entrepot.local import control
from entrepot.settings import Engines, Settings

ROUNDS = int(os.environ.get("ENTREPOT_FAULT_ROUNDS", "4"))
ORDERS = 1_500 + 500 * ROUNDS
SPEED = 1_600 // ROUNDS
ARTICLES = 200
SEED = int(os.environ.get("ENTREPOT_FAULT_SEED", "1"))
VERBS = ("project", "serve")

TYPES: dict[str, pa.DataType] = {
    "InvoiceNo": pa.string(),
    "StockCode": pa.string(),
    "Description": pa.string(),
    "Quantity": pa.int32(),
    "InvoiceDate": pa.timestamp("us"),
    "UnitPrice": pa.float64(),
    "CustomerID": pa.int64(),
    "Country": pa.string(),
}


def rows() -> Iterator[dict[str, object]]:
    """Give the rows of a gift shop's orders: two or three articles each, every twentieth order cancelled later."""
    chance = random.Random(SEED)
    began = datetime(2011, 3, 1, 9)  # noqa: DTZ001  # the file format has no zones; its mapping gives one
    for n in range(ORDERS):
        lines = [(chance.randrange(ARTICLES), chance.randint(1, 9)) for _ in range(chance.choice((2, 3)))]
        for invoice, sign, when in [(f"{500000 + n}", 1, n)] + ([(f"C{700000 + n}", -1, n + 5)] if n % 20 == 0 else []):
            for article, quantity in dict(lines).items():
                yield {
                    "InvoiceNo": invoice,
                    "StockCode": f"{20000 + article}",
                    "Description": f"GIFT NUMBER {article}",
                    "Quantity": sign * quantity,
                    "InvoiceDate": began + timedelta(minutes=when),
                    "UnitPrice": 1.25 + article % 7,
                    "CustomerID": 10_000 + n % 97,
                    "Country": "United Kingdom",
                }


@pytest.fixture
async def home(engines_home: Path) -> AsyncIterator[Path]:
    place = engines_home / "killed"
    place.mkdir()
    yield place
    await control.stop(Settings(home=place, engines=Engines()))


def write_orders(folder: Path) -> None:
    folder.mkdir()
    found = sorted(rows(), key=lambda row: str(row["InvoiceDate"]))
    table = pa.Table.from_pylist(found, schema=pa.schema(TYPES))
    pq.write_table(table, folder / "online_retail.parquet")


async def victims(demo: psutil.Process, home: Path) -> dict[str, int]:
    """Return what may be killed now: every engine, the projector and the API."""
    found = {}
    for child in demo.children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            line = child.cmdline()
            found.update({verb: child.pid for verb in VERBS if verb in line})
    for engine in await control.status(Settings(home=home, engines=Engines())):
        if engine.pid is not None:
            found[engine.role] = engine.pid
    return found


async def kill_now_and_then(process: asyncio.subprocess.Process, home: Path) -> list[str]:
    """Kill one thing after another until the rounds are over or the demo ends; returns what was killed."""
    chance = random.Random(SEED)
    demo = psutil.Process(process.pid)
    killed: list[str] = []
    while len(killed) < ROUNDS and process.returncode is None:
        try:
            await asyncio.wait_for(process.wait(), chance.uniform(1, 4))
        except TimeoutError:
            found = await victims(demo, home)
            if found.keys() > set(VERBS):  # the engines are up, and history comes in
                name = chance.choice(sorted(found))
                psutil.Process(found[name]).kill()
                killed.append(name)
    return killed


@pytest.mark.timeout(120 + 30 * ROUNDS)
async def test_a_demo_whose_parts_are_killed_ends_with_nothing_different(home: Path, tmp_path: Path) -> None:
    write_orders(tmp_path / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ENTREPOT_HOME": str(home), "ENTREPOT_DATA": str(tmp_path / "data")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", "demo", "--once", "--json", "--port", str(port), "--speed", str(SPEED),
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    reading = asyncio.create_task(process.communicate())
    killed = await kill_now_and_then(process, home)
    out, err = await asyncio.wait_for(reading, READY_SECONDS_MAX + 25 * ROUNDS)
    assert process.returncode in {0, EXIT_DIFFERS}, err.decode()[-2000:]
    report = json.loads(out)
    assert [one for one in report["verifications"] if one["differs"]] == [], f"after killing {killed}"
    assert len(killed) == ROUNDS, "the demo was over before its parts were killed"
    assert report["counts"]["orders"] == ORDERS
    assert {one["projection"]: one["differs"] for one in report["verifications"]} == dict.fromkeys(report["projections"], 0)

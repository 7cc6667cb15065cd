"""Fills one generation in a process of its own, as a projector does, so that who asks meanwhile is held up by the engine alone.

The process is told what to fill by its environment: a list of processes shows no password.
"""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import uvloop
from msgspec import Struct

from entrepot.base.errors import EngineAwayError
from entrepot.base.late import load_all
from entrepot.base.settled import settled
from entrepot.bench.engines import lasting
from entrepot.bench.engines.relaying import Relaying
from entrepot.bench.engines.work import Work, columns_work, documents_work, graph_work, memory_work, search_work
from entrepot.engines.products import driver

PLACE = "ENTREPOT_BENCH_PLACE"


class Place(Struct, frozen=True):
    """Where a product is and how much work is done there, with a catalogue in the folder ``data`` or a log in ``record``."""

    role: str
    url: str
    share: float
    data: str = ""
    record: str = ""
    events: int = 0


@asynccontextmanager
async def opened_work(place: Place) -> AsyncIterator[Work]:
    """Open the product of a place, with its role's work on it."""
    if place.role == "stream":  # the relay opens it
        yield Relaying(place.record, place.url, place.share, place.events)
        return
    store, share = driver(place.role, place.url), place.share
    await store.open()
    kinds: dict[str, Callable[[], Work]] = {
        "documents": partial(documents_work, store, place.data, share),
        "search": partial(search_work, store, place.data, share),
        "columns": partial(columns_work, store, share),
        "graph": partial(graph_work, store, share),
        "memory": partial(memory_work, store, share),
        "series": partial(lasting.Points, store, time.time_ns(), share),
    }
    try:
        yield await asyncio.to_thread(kinds[place.role])
    finally:
        await store.close()


async def filled(place: Place, generation: int, read: int | None = None) -> float:
    """Fill a generation by another process, beside one that is read; returns how many seconds that took, without its start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(generation), *([] if read is None else [str(read)])),
        env={**os.environ, PLACE: msgspec.json.encode(place).decode()},
        stdout=PIPE,
        stderr=PIPE,
    )
    told, wrong = await process.communicate()
    if process.returncode:
        raise EngineAwayError(place.role, wrong.decode(errors="replace").strip().rpartition("\n")[2])
    return float(told)


async def _fill(generation: int, read: int | None = None) -> None:
    async with opened_work(msgspec.json.decode(os.environ[PLACE], type=Place)) as work:
        load_all()
        with settled():  # as a projector's process is that has been at work
            began = time.perf_counter()
            await work.fill(generation, read)
            sys.stdout.write(f"{time.perf_counter() - began}\n")


if __name__ == "__main__":
    uvloop.run(_fill(*map(int, sys.argv[1:])))

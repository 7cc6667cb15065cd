"""Fills one generation in a process of its own, as a projector does, so that who asks meanwhile is held up by the engine alone.

The process is told by arguments what to fill, and by its environment where: a list of processes shows no password.
"""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from entrepot.base.errors import EngineAwayError
from entrepot.bench.engines import lasting
from entrepot.bench.engines.work import Work, columns_work, documents_work, graph_work, memory_work, search_work
from entrepot.engines.products import driver

URL = "ENTREPOT_BENCH_URL"


@asynccontextmanager
async def opened_work(role: str, url: str, data: Path, share: float) -> AsyncIterator[Work]:
    """Open the product behind a URL in a role, with that role's work on it."""
    store = driver(role, url)
    if role != "stream":  # which is opened for a cell
        await store.open()
    kinds: dict[str, Callable[[], Work]] = {
        "documents": partial(documents_work, store, data, share),
        "search": partial(search_work, store, data, share),
        "columns": partial(columns_work, store, share),
        "graph": partial(graph_work, store, share),
        "memory": partial(memory_work, store, share),
        "series": partial(lasting.Points, store, time.time_ns(), share),
        "stream": partial(lasting.Messages, store, url, share),
    }
    try:
        yield await asyncio.to_thread(kinds[role])
    finally:
        await store.close()


async def filled(role: str, url: str, data: Path, share: float, generation: int) -> float:
    """Fill a generation by another process and return how many seconds that took, without its start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "entrepot.bench.engines.filling", role, str(data), str(share), str(generation)),
        env={**os.environ, URL: url},
        stdout=PIPE,
        stderr=PIPE,
    )
    told, wrong = await process.communicate()
    if process.returncode:
        raise EngineAwayError(role, wrong.decode(errors="replace").strip().rpartition("\n")[2])
    return float(told)


async def _fill(role: str, data: str, share: str, generation: str) -> None:
    async with opened_work(role, os.environ[URL], Path(data), float(share)) as work:
        began = time.perf_counter()
        await work.fill(int(generation))
        sys.stdout.write(f"{time.perf_counter() - began}\n")


if __name__ == "__main__":
    asyncio.run(_fill(*sys.argv[1:]))

"""What a frozen engine costs: those who do not need it, beside the same requests before; and how soon those who do hear so.

Freezes embedded engines of this home, one after the other, for some seconds each (SIGSTOP), and thaws them in any case; what
is asked comes by an API key, whose session lies in the memory engine.
"""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

import psutil

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import POLL_SECONDS
from entrepot.bench import Row, targets
from entrepot.bench.key import bench_key
from entrepot.bench.load import Load, load
from entrepot.bench.process import running
from entrepot.bench.served import served
from entrepot.local import control
from entrepot.settings import Settings, given_roles

OTHERS = ("/v1/orders?limit=1", "/v1/search?q=mug&limit=5")
NEEDING: Mapping[str, str] = {
    "memory": f"/v1/carts/{uuid4()}",
    "columns": "/v1/sales?by=total",
    "graph": f"/v1/products/{uuid4()}/bought-together",
    "record": OTHERS[0],
}
REQUESTS = 3_000
REQUESTS_NEEDING = 200
CONNECTIONS = 8
READY_SECONDS_MAX = 60.0


async def run(settings: Settings) -> list[Row]:
    """Freeze each engine in turn and return the rows."""
    pids = {row.role: row.pid for row in await control.status(settings, given_roles(os.environ)) if row.pid}
    if missing := NEEDING.keys() - pids:
        raise BadInputError(f"Only embedded engines are frozen, and {', '.join(sorted(missing))} is none: run 'entrepot up'.")
    async with served(settings) as (host, port), running(settings, "project"), bench_key(settings, "admin") as key:

        async def ask(paths: tuple[str, ...], total: int) -> Load:
            requests = [_get(path, key) for path in paths]
            return await load(host, port, lambda n: requests[n % len(requests)], total=total, connections=CONNECTIONS)

        async def until_all_are_answered() -> None:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while True:
                    if not set((await ask((*OTHERS, *NEEDING.values()), CONNECTIONS)).statuses) - {200, 404}:
                        return
                    await asyncio.sleep(POLL_SECONDS)

        await until_all_are_answered()
        await ask(OTHERS, REQUESTS)  # warms up
        rows: list[Row] = []
        for role, path in NEEDING.items():
            others = tuple(one for one in OTHERS if one != path)
            before = await ask(others, REQUESTS)
            with frozen(pids[role]):
                needing = await ask((path,), REQUESTS_NEEDING)
            await until_all_are_answered()
            with frozen(pids[role]):  # anew, so that the moment before its breaker opens is in it
                during = await ask(others, REQUESTS)
            await until_all_are_answered()
            rows += _rows(role, before, during, needing)
    return rows


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process, with what it has started, for the length of the block."""
    server = psutil.Process(pid)
    both = [server, *server.children(recursive=True)]
    for one in both:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in both:
            one.send_signal(signal.SIGCONT)


def _rows(role: str, before: Load, during: Load, needing: Load) -> list[Row]:
    if set(during.statuses) != {200} or set(needing.statuses) - {200, 404} != {EngineAwayError.status}:
        raise BadInputError(f"With {role} frozen others were answered {during.statuses}, who needs it {needing.statuses}.")
    most, added = targets.FROZEN_ADDED_MILLIS, during.percentile(99) - before.percentile(99)
    slowest, soon = needing.millis[-1], targets.FROZEN_ANSWERED_MILLIS
    return [
        Row(name=f"others, {role} frozen, p99", value=during.percentile(99), unit="ms", reference=before.percentile(99)),
        Row(name=f"others, {role} frozen, p99 added", value=added, unit="ms", target=most, met=added < most),
        Row(name=f"needs {role}, frozen, slowest", value=slowest, unit="ms", target=soon, met=slowest < soon),
    ]


def _get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()

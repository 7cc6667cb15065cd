"""A load generator for HTTP/1.1 on loopback: one request after another on each of many connections, bytes in, bytes out.

It parses as little as it must (status, content-length), so that what is measured is the server and not the measuring.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from msgspec import Struct

END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Load(Struct, frozen=True):
    """What a run saw: answers by status, seconds in all, and the milliseconds each answer took, sorted."""

    statuses: dict[int, int]
    seconds: float
    millis: list[float]

    @property
    def per_second(self) -> float:
        """Return how many answers came per second."""
        return len(self.millis) / self.seconds

    def percentile(self, percent: float) -> float:
        """Return the milliseconds within which this percentage of the answers came."""
        return self.millis[min(len(self.millis) - 1, int(len(self.millis) * percent / 100))]


class _Run:
    def __init__(self, request: Callable[[int], bytes], total: int) -> None:
        self.request = request
        self.total = total
        self.sent = 0
        self.millis: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next(self) -> bytes | None:
        if self.sent >= self.total:
            return None
        self.sent += 1
        return self.request(self.sent - 1)

    def answered(self, status: int, began: float) -> None:
        self.statuses[status] += 1
        self.millis.append((time.perf_counter() - began) * 1000)
        if len(self.millis) >= self.total and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(END)
        if end < 0:
            return
        head = self._received[:end].lower()
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._received) < end + len(END) + length:
            return
        self._received = self._received[end + len(END) + length :]
        self._run.answered(int(head[9:12]), self._began)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.done.done() and self._run.sent < self._run.total:
            self._run.done.set_exception(exc or ConnectionError("The server closed a connection during the run."))

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


async def load(host: str, port: int, request: Callable[[int], bytes], *, total: int, connections: int) -> Load:
    """Send ``total`` requests, the n-th being ``request(n)``, over so many connections; raises when one is cut."""
    run = _Run(request, total)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(min(connections, total)):
        await loop.create_connection(lambda: _Connection(run), host, port)
    await run.done
    seconds = time.perf_counter() - began
    return Load(dict(run.statuses), seconds, sorted(run.millis))


def get(path: str, host: str = "127.0.0.1") -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def post(path: str, body: bytes, headers: str = "", host: str = "127.0.0.1") -> bytes:
    """Return a POST request with a JSON body; ``headers`` are whole lines, each ended."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body

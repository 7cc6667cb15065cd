"""A shopper's connection for a bench: one request after another, each waited for, since the next depends on its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from entrepot.bench.load import END, LENGTH


class Shopper(asyncio.Protocol):
    """A connection of HTTP/1.1; parses as little as it must, so that what is measured is the server."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    def data_received(self, data: bytes) -> None:
        """Take what came; an answer that is whole goes to who waits for it."""
        self._received += data
        end = self._received.find(END)
        if end < 0:
            return
        head = self._received[:end].lower()
        at = head.find(LENGTH)
        length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        whole = end + len(END) + length
        if len(self._received) < whole or self._answer is None:
            return
        body, self._received = self._received[end + len(END) : whole], self._received[whole:]
        self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("The server closed a connection during the run."))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


@asynccontextmanager
async def connected(host: str, port: int, count: int) -> AsyncIterator[list[Shopper]]:
    """Give so many connections until the block ends."""
    loop = asyncio.get_running_loop()
    shoppers = [(await loop.create_connection(Shopper, host, port))[1] for _ in range(count)]
    try:
        yield shoppers
    finally:
        for shopper in shoppers:
            shopper.close()


def request(method: str, path: str, body: bytes = b"", key: str = "") -> bytes:
    """Return a request with a JSON body and, where given, its idempotency key."""
    headers = f"Idempotency-Key: {key}\r\n" if key else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body

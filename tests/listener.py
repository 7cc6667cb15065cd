"""A subscriber for tests: a small HTTP server on loopback that keeps what it is told and answers as it is asked to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from msgspec import Struct, field

Answering = Callable[[dict[str, Any]], int]
SECONDS_MAX = 45.0


class Heard(Struct):
    """One message as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """Return the event that it tells of."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


class Listener(Struct):
    """What was heard, in order; ``answering`` decides the status for each event."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    answering: Answering = lambda _event: 204
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until what was heard is enough, and return it."""
        async with asyncio.timeout(SECONDS_MAX):
            while not enough(events := [one.event for one in self.heard]):
                self.changed.clear()
                await self.changed.wait()
            return events


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen on a free port of this machine."""
    listener = Listener("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head.splitlines()[1:])}
                heard = Heard(headers, await reader.readexactly(int(headers["content-length"])))
                listener.heard.append(heard)
                status = listener.answering(heard.event)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
                listener.changed.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield listener
    finally:
        server.close()

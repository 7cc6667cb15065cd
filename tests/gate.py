"""A gate before a real server: lets its clients through, keeps them waiting, answers in its place, or is shut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 1 << 16
SLOW_SECONDS = 1.5

BUSY = (
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 9\r\nConnection: close\r\n\r\nnot now.\n"
)
# What ClickHouse answers to an INSERT when its disk is full, and when a table takes no writes.
_REFUSALS = {"full": (243, "NOT_ENOUGH_SPACE"), "read-only": (242, "TABLE_IS_READ_ONLY")}


class Gate:
    """``way`` is how the gate stands: open, refusing, slow, busy; and before a ClickHouse full and read-only."""

    def __init__(self, port: int) -> None:
        self.way, self.port, self._behind = "open", 0, port
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.StreamWriter] = set()

    async def stand(self, way: str) -> None:
        """Let clients through from now on, or not; who is inside is sent away when the gate is shut or busy."""
        self.way = way
        if way == "refusing":
            await self.shut()
        elif self._server is None:
            self._server = await asyncio.start_server(self._passed, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Close the gate, and send away who is inside."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._passing:
            writer.transport.abort()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.add(writer)
        with contextlib.suppress(OSError):
            back, behind = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(self._asked(reader, behind, writer), self._answered(back, writer))
        writer.close()  # also where nobody is behind the gate
        self._passing.discard(writer)

    async def _asked(self, reader: asyncio.StreamReader, behind: asyncio.StreamWriter, client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                answer = self._instead(chunk)
                if answer:
                    client.write(answer)
                    await client.drain()
                    break
                behind.write(chunk)
                await behind.drain()
        behind.close()
        if self.way != "open":
            client.close()

    async def _answered(self, back: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await back.read(CHUNK):
                if self.way == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                client.write(chunk)
                await client.drain()
        client.close()

    def _instead(self, chunk: bytes) -> bytes:
        if self.way == "busy":
            return BUSY
        if self.way in _REFUSALS and b"INSERT" in chunk:
            code, name = _REFUSALS[self.way]
            body = f"Code: {code}. DB::Exception: no writes now. ({name})\n".encode()
            head = f"HTTP/1.1 500 Error\r\nX-ClickHouse-Exception-Code: {code}\r\nContent-Length: {len(body)}\r\n"
            return head.encode() + b"Connection: close\r\n\r\n" + body
        return b""


@asynccontextmanager
async def gate_before(port: int) -> AsyncIterator[Gate]:
    """Stand before a server of this machine until the block ends."""
    gate = Gate(port)
    await gate.stand("open")
    try:
        yield gate
    finally:
        await gate.shut()

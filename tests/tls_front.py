"""A server's encrypted front: takes TLS on a port of its own and passes on what comes to the plain server behind."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 1 << 16
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # how a client of PostgreSQL asks for TLS, in plain


@asynccontextmanager
async def encrypted(host: str, port: int, context: ssl.SSLContext, *, postgresql: bool = False) -> AsyncIterator[int]:
    """Serve TLS before a plain server until the block ends; yields the port."""

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if postgresql:
                assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
                writer.write(b"S")
                await writer.start_tls(context)
            behind_reader, behind = await asyncio.open_connection(host, port)
            await asyncio.gather(_pump(reader, behind), _pump(behind_reader, writer))

    server = await asyncio.start_server(passed, "127.0.0.1", 0, ssl=None if postgresql else context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()

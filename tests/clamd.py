"""What ClamAV's daemon says over TCP, for tests: INSTREAM, and the signature of the file that every scanner knows (EICAR)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# In two parts, so that no scanner takes this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
BYTES_MAX = 1 << 20


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sent, answer = b"", b""
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    while size := int.from_bytes(await reader.readexactly(4), "big"):
        sent += await reader.readexactly(size)
        if len(sent) > BYTES_MAX:
            answer = b"INSTREAM size limit exceeded. ERROR\0"
            break
    writer.write(answer or (b"stream: Eicar-Signature FOUND\0" if EICAR in sent else b"stream: OK\0"))
    await writer.drain()
    writer.close()


@asynccontextmanager
async def clamd() -> AsyncIterator[str]:
    """Serve on a port of this machine; yields the URL."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        yield f"clamd://127.0.0.1:{server.sockets[0].getsockname()[1]}"

"""ClamAV's daemon over TCP: a file is sent in pieces by INSTREAM, so that the scanner needs no folder of ours.

https://docs.clamav.net/manual/Usage/Scanning.html#clamd. A connection is for one file. The daemon's ``StreamMaxLength``
must be as large as a file may be (``FILE_BYTES_MAX``): beyond it, it says so or hangs up, and nothing is taken.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from entrepot.base.errors import BadInputError, EngineAwayError

ROLE = "file scanner"
SECONDS_MAX = 120.0

_PIECE_BYTES = 1 << 18
_PORT = 3310
_ANSWER_BYTES = 4_096
_CLEAN, _FOUND = "OK", "FOUND"


class Clamd:
    """``FileScanner`` on ``clamd://host:port``."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or _PORT
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme != "clamd" or not parts.hostname:
            raise BadInputError(f"ENTREPOT_SCANNER_URL is {url!r}: give clamd://host:port.")
        self._host, self._port = parts.hostname, port

    async def found_in(self, path: Path) -> str:
        """Return the signature that a file has, as ClamAV calls it; empty where it has none."""
        try:
            async with asyncio.timeout(SECONDS_MAX):
                answer = await self._asked(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise EngineAwayError(ROLE, str(error) or type(error).__name__) from error
        _, _, told = answer.rstrip("\0\n").partition(": ")
        name, _, verdict = told.rpartition(" ")
        if verdict == _FOUND:
            return name
        if told != _CLEAN:
            raise EngineAwayError(ROLE, f"it answers {answer[:200]!r}")
        return ""

    async def _asked(self, path: Path) -> str:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            # One that has read enough answers and hangs up, while pieces are on their way still: its answer counts.
            with suppress(ConnectionError):
                await _send(path, writer)
            return (await reader.read(_ANSWER_BYTES)).decode(errors="replace")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _send(path: Path, writer: asyncio.StreamWriter) -> None:
    """Send a file, each piece behind its length; a piece of none is the end."""
    writer.write(b"zINSTREAM\0")
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()

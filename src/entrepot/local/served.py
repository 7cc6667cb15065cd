"""What servers that are modules of this package share: run by this same Python, a secret in a file, asked by GET /ping."""

import asyncio
import sys
from pathlib import Path
from typing import ClassVar

from entrepot.local.place import Engine, Place


class ServedModule(Engine):
    """A server of our own: ``module`` is run as a process, its secret lies in ``kept_as``, ``pong`` answers a ping."""

    ports = 1
    module: ClassVar[str]
    kept_as: ClassVar[str]
    pong: ClassVar[bytes]

    def prepare(self, place: Place) -> None:
        """Write the secret where only its owner reads it."""
        super().prepare(place)
        secret = place.data / self.kept_as
        secret.touch(mode=0o600)
        secret.write_text(place.secret)

    def command(self, place: Place) -> list[str]:
        """Return the module run by this same Python."""
        python = Path(sys.executable).with_name("python3")  # the one name every environment has: we know our own by it
        secret = f"--{self.kept_as}-file={place.data / self.kept_as}"
        return [str(python), "-m", self.module, f"--data={place.data}", f"--port={place.ports[0]}", secret]

    async def settle(self, place: Place) -> None:
        """Ask whether it is there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", place.ports[0])
        try:
            writer.write(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        if self.pong not in answer:
            raise ConnectionError(f"GET /ping answered {answer[:100]!r}")

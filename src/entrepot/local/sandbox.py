"""The sandbox gateway (``entrepot.local.gateway``), in a process of its own."""

import asyncio
import sys
from pathlib import Path

from entrepot.local.place import Engine, Place


class SandboxGateway(Engine):
    """The payment gateway of machines that have no account with a real one."""

    role = "gateway"
    product = "Sandbox gateway"
    ports = 1

    def prepare(self, place: Place) -> None:
        """Write the merchant's key where only its owner reads it."""
        super().prepare(place)
        key = place.data / "key"
        key.touch(mode=0o600)
        key.write_text(place.secret)

    def command(self, place: Place) -> list[str]:
        """Return the module run by this same Python."""
        python = Path(sys.executable).with_name("python3")  # the one name every environment has: we know our own by it
        options = {"data": place.data, "port": place.ports[0], "key-file": place.data / "key"}
        return [str(python), "-m", "entrepot.local.gateway", *(f"--{name}={value}" for name, value in options.items())]

    def urls(self, place: Place) -> dict[str, str]:
        """Return the address with the merchant's key."""
        return {"gateway": f"sandbox://{place.secret}@127.0.0.1:{place.ports[0]}"}

    async def settle(self, place: Place) -> None:
        """Ask for its version."""
        reader, writer = await asyncio.open_connection("127.0.0.1", place.ports[0])
        try:
            writer.write(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        if b"version" not in answer:
            raise ConnectionError(f"GET /ping answered {answer[:100]!r}")

"""ClickHouse: chDB behind ClickHouse's own HTTP protocol (``entrepot.local.clickhouse``), in a process of its own."""

import asyncio
import sys
from pathlib import Path

from entrepot.local.place import Engine, Place


class ClickHouse(Engine):
    """The process that holds the chDB folder open; one folder can be open in one process only."""

    role = "columns"
    product = "ClickHouse (chDB)"
    ports = 1

    def prepare(self, place: Place) -> None:
        """Write the password where only its owner reads it."""
        super().prepare(place)
        password = place.data / "password"
        password.touch(mode=0o600)
        password.write_text(place.secret)

    def command(self, place: Place) -> list[str]:
        """Return the module run by this same Python."""
        python = Path(sys.executable).with_name("python3")  # the one name every environment has: we know our own by it
        options = {"data": place.data, "port": place.ports[0], "password-file": place.data / "password"}
        return [str(python), "-m", "entrepot.local.clickhouse", *(f"--{name}={value}" for name, value in options.items())]

    def urls(self, place: Place) -> dict[str, str]:
        """Return the HTTP address with its user and password."""
        return {"columns": f"clickhouse://default:{place.secret}@127.0.0.1:{place.ports[0]}/default"}

    async def settle(self, place: Place) -> None:
        """Ask as ClickHouse's own clients do: GET /ping answers "Ok."."""
        reader, writer = await asyncio.open_connection("127.0.0.1", place.ports[0])
        try:
            writer.write(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        if b"Ok." not in answer:
            raise ConnectionError(f"GET /ping answered {answer[:100]!r}")

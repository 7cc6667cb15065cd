"""The process: opens the books, listens, and closes them in order on SIGTERM or SIGINT."""

import argparse
import asyncio
import fcntl
import signal
import sqlite3
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from entrepot.local.gateway.books import Books
from entrepot.local.gateway.server import Gateway
from entrepot.local.gateway.webhooks import Sender
from entrepot.local.gateway.writer import Writer

HOST = "127.0.0.1"


async def serve(data: Path, port: int, key: str) -> None:
    """Serve the folder on loopback until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    address = f"http://{HOST}:{port}"
    books, reading = Books(data, address), Books(data, address)
    writer = Writer(books.connection)
    sender = Sender(books, writer, key)
    server = Server(
        Gateway(books, reading, writer, sender, key),
        address=HOST,
        port=port,
        interface=Interfaces.ASGINL,
        log_enabled=False,
        websockets=False,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(sender.run())]
    print(f"The sandbox gateway serves {data} on {address}", flush=True)  # noqa: T201  # its log
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it without types
    tasks[1].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    writer.close()
    reading.close()
    books.close()
    if not stopping.done():
        raise OSError(f"it ended by itself: {ends}")


def main() -> int:
    """Read the command line and serve; what stops the start is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m entrepot.local.gateway", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder, which must be there")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1")
    parser.add_argument("--key-file", type=Path, required=True, help="holds the merchant's key")
    given = parser.parse_args()
    try:
        import uvloop  # noqa: PLC0415  # only the process needs it

        with (given.data / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # granian would share a port, and two would share the books
            uvloop.run(serve(given.data.absolute(), given.port, given.key_file.read_text().strip()))
    except BlockingIOError:
        print(f"The sandbox gateway did not start: another one serves {given.data}.", file=sys.stderr)  # noqa: T201  # its log
        return 1
    except (OSError, sqlite3.Error) as error:
        print(f"The sandbox gateway did not start with {given.data} on port {given.port}: {error}", file=sys.stderr)  # noqa: T201  # its log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

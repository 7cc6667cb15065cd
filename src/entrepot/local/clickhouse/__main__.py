"""The process: opens the folder, listens, and closes it in order on SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

from entrepot.base.engine_limits import STOP_SECONDS_MAX
from entrepot.base.errors import EntrepotError
from entrepot.local.clickhouse.engine import Folder
from entrepot.local.clickhouse.server import Server

HOST = "127.0.0.1"


async def serve(data: Path, port: int, password: str) -> None:
    """Serve the folder on loopback until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    spool = data / "spool"
    folder = Folder(data / "chdb")  # first, because it fails where another process has the folder, and its spool
    server = Server(folder, spool, password)
    try:
        shutil.rmtree(spool, ignore_errors=True)  # what a killed process was still receiving
        spool.mkdir()
        async with server.listen(HOST, port, drain_seconds=STOP_SECONDS_MAX / 5):
            print(f"ClickHouse {folder.version} (chDB) serves {data} on http://{HOST}:{port}", flush=True)  # noqa: T201  # its log
            await stop.wait()
    finally:
        if server.running:
            os._exit(0)  # chDB cannot break off a statement; leaving it loses nothing acknowledged, as a kill does not
        folder.close()


def main() -> int:
    """Read the command line and serve; what stops the start is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m entrepot.local.clickhouse", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder; made if it is not there")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1")
    parser.add_argument("--password-file", type=Path, help="holds the password of the user 'default'; without it there is none")
    given = parser.parse_args()
    try:
        password = given.password_file.read_text().strip() if given.password_file else ""
        asyncio.run(serve(given.data.absolute(), given.port, password))
    except (OSError, RuntimeError, EntrepotError) as error:
        print(f"ClickHouse did not start with {given.data} on port {given.port}: {error}", file=sys.stderr)  # noqa: T201  # its log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``entrepot status``: what runs, where, how long, how much memory it takes, and whether it answers."""

import os
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from rich.console import Console
from rich.table import Table

from entrepot import settings
from entrepot.api import degraded
from entrepot.local import control
from entrepot.local.control import EngineStatus

EXIT_NOT_HEALTHY = 3
PIPE_COLUMNS = 240


async def status(*, json: bool = False) -> int:
    """Ask every engine and print what it is; the exit code is 0 only if each of them answers.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    return show(await control.status(settings.load(os.environ), settings.given_roles(os.environ)), as_json=json)


def show(rows: Sequence[EngineStatus], *, as_json: bool) -> int:
    """Print the rows and return the exit code they amount to."""
    if as_json:
        print(msgspec.json.encode({"engines": rows}).decode())
    else:
        _print_table(rows)
    return EXIT_NOT_HEALTHY if any(row.problem for row in rows) else 0


def _print_table(rows: Sequence[EngineStatus]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("role", "engine", "address", "pid", "memory", "up", "restarts", "health"):
        table.add_column(
            heading, justify="right" if heading in {"pid", "memory", "restarts"} else "left", no_wrap=heading != "health"
        )
    for row in rows:
        table.add_row(
            row.role,
            f"{row.product} {row.version}".strip(),
            row.address.partition("://")[2].rpartition("@")[2],
            str(row.pid or ""),
            "" if row.memory_bytes is None else f"{row.memory_bytes >> 20} MB",
            "external" if row.external else _span(row.uptime_seconds),
            "" if row.restarts is None else str(row.restarts),
            row.problem or "ok",
        )
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.role}: {row.note}", highlight=False)
        if row.problem and (means := degraded.meaning(row.role)):
            console.print(f"Without {row.role}: {means}", highlight=False)


def _span(seconds: float | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=round(seconds)))

"""`entrepot archive`: moves the partitions of the log that every projection has passed to object storage."""

import logging
import os
from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from entrepot import duties
from entrepot.app import opened
from entrepot.cli.logs import to_stderr
from entrepot.log.archive import Moved
from entrepot.settings import load


async def archive(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Move what every projection has passed to object storage; the projector does the same every hour.

    A partition that is not over, not passed by everyone, or that holds a quarantined event stays where it is.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    to_stderr(logging.WARNING)
    async with opened(load(os.environ)) as app:
        moved = await duties.archive(app)
    show(moved, as_json=json)


def show(moved: Sequence[Moved], *, as_json: bool) -> None:
    """Print what was moved."""
    if as_json:
        print(msgspec.json.encode({"moved": moved}).decode())
        return
    if not moved:
        print("Nothing is to be moved: every partition of the log is either not over, not passed by all, or in the archive.")
        return
    table = Table()
    for column in ("cell", "partition", "events", "bytes", "object"):
        table.add_column(column, justify="right" if column in {"cell", "events", "bytes"} else "left")
    for one in moved:
        table.add_row(str(one.cell), one.partition, f"{one.rows:,}", f"{one.bytes:,}", one.object)
    Console().print(table)

"""`entrepot scan`: searches every engine, object, file and log for what must not be there; changes nothing."""

import os
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from entrepot.app import keys_of
from entrepot.cli import EXIT_DIFFERS
from entrepot.moving.places import find_places
from entrepot.privacy.scan.cards import CardNumbers
from entrepot.privacy.scanner import Scan, Scanner
from entrepot.record.transaction import open_record
from entrepot.sealing.sealing import open_sealing
from entrepot.settings import load, require

scan = App(name="scan", help="Search everything that is kept for what must not be there.")


@scan.command
async def cards(
    *, restored: list[str] | None = None, json: Annotated[bool, Parameter(name="json", negative="")] = False
) -> int:
    """Search for card numbers; names the places, never a number. Exits with 7 when there is one, or a place was not read.

    Parameters
    ----------
    restored
        URLs of databases that old backups were restored into, to be searched as well.
    json
        Print JSON.
    """
    settings = load(os.environ)
    require(settings, "record", "documents", "memory", "graph", "columns", "search", "objects")
    async with (
        await open_record(settings.engines.record, connections=1) as record,
        await open_sealing(settings.engines.record, keys_of(settings)) as sealing,
    ):
        places = await find_places(settings, record, sealing)
        found = await Scanner(settings, places.moved).look(CardNumbers(), restored or [])
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found)
    return EXIT_DIFFERS if found.findings else 0


def show(found: Scan) -> None:
    """Print what was searched, and where something was found."""
    table = Table("searched", "places", "bytes", "found in")
    for source in found.sources:
        where = ", ".join(f"{one.place} ({one.form})" for one in source.findings)
        table.add_row(source.source, f"{source.places:,}", f"{source.bytes:,}", where)
    console = Console()
    console.print(table)
    console.print("Something must be looked at." if found.findings else "No card number is kept anywhere.")

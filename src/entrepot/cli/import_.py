"""`entrepot import`: bring in categories, products or orders from a file, and account for every row of it."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from entrepot.app import make_room
from entrepot.commerce.approval.migrating import migrate_with_word
from entrepot.importing.accounting import Report, ordered
from entrepot.importing.categories import import_categories
from entrepot.importing.mapping import guess_mapping, load_mapping
from entrepot.importing.orders import Progress as Seen
from entrepot.importing.orders import import_orders
from entrepot.importing.pace import parse_pace
from entrepot.importing.products import import_products
from entrepot.importing.reading import open_source
from entrepot.record.transaction import open_record
from entrepot.record.wake import Waker
from entrepot.settings import load, require

EXIT_REJECTED = 8
PIPE_COLUMNS = 160


async def import_(
    kind: Literal["categories", "products", "orders"],
    file: Path,
    *,
    mapping: str = "",
    rejects: Path | None = None,
    speed: str = "0",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Import a Parquet, CSV or JSON Lines file; exits with 8 when rows were rejected.

    Parameters
    ----------
    kind
        What the file holds.
    file
        The file. An import that was cut is run again, and doubles nothing.
    mapping
        How its columns are read: the name of a mapping that comes along, or a TOML file. Guessed from the columns if not given.
    rejects
        Where rows that became nothing are written, with line number and reason. In the home's `rejects` folder if not given.
    speed
        How fast orders are replayed: 0 as fast as possible, 200 a second, 3600x times as fast as it really went.
    json
        Print JSON instead of a table.
    """
    settings = load(os.environ)
    pace = parse_pace(speed)
    chosen = load_mapping(mapping) if mapping else guess_mapping(kind, open_source(file).columns, str(file))
    require(settings, "record")
    if rejects is None:
        rejects = settings.home / "rejects" / f"{chosen.name}-{kind}.jsonl"
    waker = Waker(settings.engines.record)
    try:
        async with await open_record(settings.engines.record, wake=waker.wake) as record:
            async with await open_record(settings.engines.owner, connections=1) as owner:
                await migrate_with_word(owner, settings.cell, settings.engines.owner)
                await make_room(owner)
            with _progress() as progress:
                seen = _seen(progress, f"{kind} of {file.name}")
                if kind == "categories":
                    report = await import_categories(record, settings, file, chosen, seen, rejects=rejects)
                elif kind == "products":
                    report = await import_products(record, settings, file, chosen, seen, rejects=rejects)
                else:
                    report = await import_orders(record, settings, file, chosen, seen, rejects=rejects, pace=pace)
    finally:
        await waker.close()
    show(report, as_json=json)
    return EXIT_REJECTED if report.rejected else 0


def show(report: Report, *, as_json: bool) -> None:
    """Print how each row was accounted for."""
    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    money = bool(report.currency) and report.kind == "orders"
    table = Table(title=f"{report.kind} of {report.file}, by the mapping {report.source}", title_justify="left")
    table.add_column("rows that became")
    for column in ("rows", *((f"sum {report.currency}", "booked") if money else ())):
        table.add_column(column, justify="right")
    for name, account in ordered(report.classes):
        table.add_row(name, f"{account.rows:,}", *((f"{account.exact:,}", f"{account.booked:,}") if money else ()))
    if money:
        table.add_row("rounding", "", f"{report.rounding:,}", "")
    table.add_section()
    booked = report.sum - report.rounding - report.not_booked
    table.add_row("the file", f"{report.rows:,}", *((f"{report.sum:,}", f"{booked:,}") if money else ()))
    console.print(table)
    done = ", ".join(f"{what.replace('_', ' ')} {count:,}" for what, count in report.counts.items())
    console.print(f"{done or 'nothing to do'} in {report.seconds:.1f} s", highlight=False)
    for reason, rows in sorted(report.rejects.items(), key=lambda item: -item[1]):
        console.print(f"rejected {rows:,}: {reason}", highlight=False, markup=False)
    if report.rejects_file:
        console.print(f"The rejected rows are in {report.rejects_file}.", highlight=False, markup=False)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _seen(progress: Progress, what: str) -> Seen:
    task = progress.add_task(what, total=None)

    def seen(rows: int, total: int | None) -> None:
        progress.update(task, completed=rows, total=total)

    return seen

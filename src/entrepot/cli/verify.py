"""`entrepot verify`: compares every projection with the truth, names each key that differs and why, and mends it if asked."""

import logging
import os
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from entrepot.app import opened, projection_named, projections
from entrepot.cli import EXIT_DIFFERS
from entrepot.cli.logs import to_stderr
from entrepot.settings import load
from entrepot.verify.verify import Report, Verifier


async def verify(
    *names: str, repair: Annotated[bool, Parameter(negative="")] = False, json: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """Compare projections with the truth; exits with 7 when something differs (still, after a repair).

    Parameters
    ----------
    names
        The projections to look at; all of them if none is named.
    repair
        Write what differs anew from the truth, and look again.
    json
        Print JSON instead of a table.
    """
    screen = Console(stderr=True)
    to_stderr(logging.WARNING)
    chosen = [projection_named(name) for name in names] or projections()
    async with opened(load(os.environ)) as app:
        verifier = Verifier(app.record, app.live, cells=(app.settings.cell,))
        reports: list[Report] = []
        with Progress(console=screen, transient=True) as progress:
            for one in chosen:
                task = progress.add_task(one.name, total=None)
                reports.append(
                    await verifier.verify(
                        one,
                        app.stores.of(one),
                        repair=repair,
                        seen=lambda checked, task=task: progress.update(task, completed=checked),  # type: ignore[misc]  # a default binds this round's task
                    )
                )
    show(reports, as_json=json)
    return EXIT_DIFFERS if any(report.differs for report in reports) else 0


def show(reports: list[Report], *, as_json: bool) -> None:
    """Print what verifications found."""
    if as_json:
        print(msgspec.json.encode(reports).decode())
        return
    table = Table()
    for column in ("projection", "items", "differ", "repaired", "seconds"):
        table.add_column(column, justify="left" if column == "projection" else "right")
    for report in reports:
        table.add_row(
            report.projection, f"{report.checked:,}", f"{report.differs:,}", f"{report.repaired:,}", f"{report.seconds:.1f}"
        )
    console = Console()
    console.print(table)
    for report in reports:
        for difference in report.differences:
            fields = f" ({', '.join(difference.fields)})" if difference.fields else ""
            # One line each however narrow the screen, and nothing in it read as markup: it is for grep as well as for eyes.
            line = f"{report.projection}: {difference.id}: {difference.why}{fields}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)

"""Imports orders: reads steps ahead in a thread while the step before is written, and accounts for every row."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from entrepot.base.errors import BadInputError
from entrepot.importing.accounting import Report, check
from entrepot.importing.documents import Step, Stepper
from entrepot.importing.fields import check_columns
from entrepot.importing.mapping import MappingFile
from entrepot.importing.pace import Metronome, Pace
from entrepot.importing.reading import open_source
from entrepot.importing.rejects import RejectsFile
from entrepot.importing.settle import prepare
from entrepot.importing.writing import Writer
from entrepot.record.transaction import Record
from entrepot.settings import Settings

Progress = Callable[[int, int | None], None]


async def import_orders(
    record: Record,
    settings: Settings,
    file: Path,
    mapping: MappingFile,
    progress: Progress,
    *,
    rejects: Path | None = None,
    pace: Pace = Pace(),  # noqa: B008  # frozen: the same one may be shared
) -> Report:
    """Replay the orders of a file through the commands, and account for every row."""
    if mapping.orders is None:
        raise BadInputError(f"The mapping {mapping.name} says nothing of orders: it cannot import {file} as such.")
    source = open_source(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    check_columns(mapping.columns("orders"), source.columns, str(file))
    report = Report(kind="orders", source=mapping.name, file=file.name, currency=mapping.orders.currency)
    begun = time.perf_counter()
    with RejectsFile(rejects, file) as rejected:
        owner, cell = settings.engines.owner, settings.cell
        writer = Writer(record, owner, cell, mapping.name, mapping.orders, report, rejected, Metronome(pace))
        seed = hashlib.sha256(msgspec.json.encode(mapping)).digest()
        steps = Stepper(mapping.orders, f"The mapping {mapping.name}, orders", seed=seed).steps(source.rows())
        await prepare(record, settings.cell, mapping.orders.market, mapping.orders.currency, mapping.orders.warehouse)
        ahead = asyncio.create_task(asyncio.to_thread(_next, steps))
        try:
            while (step := await ahead) is not None:
                ahead = asyncio.create_task(asyncio.to_thread(_next, steps))
                await writer.step(step)
                progress(report.rows, source.rows_total)
        finally:
            # Not left running behind our back: the thread ends with the step that it is reading.
            ahead.cancel()
    check(report)
    report.rejects_file = rejected.name
    report.seconds = time.perf_counter() - begun
    return report


def _next(steps: Iterator[Step]) -> Step | None:
    return next(steps, None)

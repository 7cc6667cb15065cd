"""Links what was committed to the chain. Each link is one transaction: a linker that is killed leaves a whole link or none."""

import time

from entrepot.audit import store
from entrepot.audit.rules import SOURCES
from entrepot.base import limits
from entrepot.record.transaction import Record


async def link_new(record: Record, cell: int) -> int:
    """Link all that is committed and settled, entries first; returns how many rows. Who links at the same time takes turns.

    Entries that the hot path wrote as one row for a whole call get rows of their own before.

    Rows of a transaction that began before one that is still open wait for it, as every reader of the log does.
    """
    linked, until = 0, time.monotonic() + limits.JOB_SECONDS_MAX / 2
    await _write_out(record, cell, until)
    for source in SOURCES:
        taken = limits.AUDIT_LINK_ROWS_MAX
        while taken == limits.AUDIT_LINK_ROWS_MAX and time.monotonic() < until:
            async with record.committing() as connection:
                taken = await store.link_next(connection, cell, source, record.clock.tick(), limits.AUDIT_LINK_ROWS_MAX)
            linked += taken
    return linked


async def _write_out(record: Record, cell: int, until: float) -> None:
    """Give entries rows of their own, for half of the time there is: the other half is for linking them."""
    taken, until = limits.AUDIT_BATCHES_MAX, (time.monotonic() + until) / 2
    while taken == limits.AUDIT_BATCHES_MAX and time.monotonic() < until:
        async with record.committing() as connection:
            taken = await store.write_out(connection, cell, limits.AUDIT_BATCHES_MAX)

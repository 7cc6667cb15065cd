"""Reads rows in commit order wherever they lie: the tables, and the archives of the log and of the entries."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from entrepot.audit import store
from entrepot.audit.rules import Row, Source
from entrepot.audit.store import Place
from entrepot.record.transaction import Record


class Found(Struct, frozen=True):
    """Rows in commit order; ``retired`` when some that lay among them are gone since their time was over."""

    rows: Sequence[Row]
    retired: bool = False


class Archives(Protocol):
    """What has left the tables."""

    async def between(self, source: Source, after: Place, last: Place) -> Found:
        """Return the archived rows of a source after one place up to another."""
        ...


class Rows:
    """The rows of one cell."""

    def __init__(self, record: Record, cell: int, archives: Archives | None = None) -> None:
        self._record, self._cell, self._archives = record, cell, archives

    async def between(self, source: Source, after: Place, last: Place) -> Found:
        """Return the rows of a source after one place up to another."""
        # The table first: what leaves it meanwhile is in the archive already.
        async with self._record.reading() as connection:
            rows = await store.rows(connection, self._cell, source, after, last)
        if self._archives is None:
            return Found(rows)
        archived = await self._archives.between(source, after, last)
        if not archived.rows and not archived.retired:
            return Found(rows)
        known = {row.id for row in rows}
        rows += [row for row in archived.rows if row.id not in known]
        return Found(sorted(rows, key=lambda row: row.place), archived.retired)

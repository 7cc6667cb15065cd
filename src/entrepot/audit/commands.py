"""Noting entries: many requests' together, or one in a command's own transaction."""

from collections.abc import Sequence

from entrepot.audit import store
from entrepot.audit.store import Entry
from entrepot.base import limits
from entrepot.base.errors import EntrepotError
from entrepot.record.gathering import Gathering
from entrepot.record.transaction import Record, Transaction

__all__ = ["Auditor", "Entry", "note_in"]


class Auditor:
    """Notes the entries of one process and one cell: those that arrive together by one INSERT, durable when it returns."""

    def __init__(self, record: Record, cell: int) -> None:
        self._record, self._cell = record, cell
        self._gathering = Gathering[Entry, None](self._put, apart_seconds=limits.AUDIT_APART_SECONDS)

    @property
    def sizes(self) -> dict[int, int]:
        """How many INSERTs took how many entries each."""
        return self._gathering.sizes

    async def note(self, entry: Entry) -> None:
        """Return once the entry is durable; ``EngineAwayError`` when it cannot be, and then nothing may be answered."""
        await self._gathering.ask(entry)

    async def close(self) -> None:
        """Wait until every entry under way is written."""
        await self._gathering.close()

    async def _put(self, entries: Sequence[Entry]) -> list[EntrepotError | None]:
        async with self._record.committing() as connection:
            await store.put_entries(connection, self._cell, entries)
        return [None] * len(entries)


async def note_in(tx: Transaction, entry: Entry) -> None:
    """Note an entry in the transaction of what it tells of: both are there, or neither."""
    await store.put_entries(tx.connection, tx.cell, [entry])

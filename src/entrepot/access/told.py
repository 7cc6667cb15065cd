"""Of whom an answer tells: the persons whose ids it holds, and those whose the things are that it names. Reads only.

An answer is searched for ids as it goes out, page or JSON, so that no route can forget to say whose data it gave away.
"""

import re
from uuid import UUID

from entrepot.base import limits
from entrepot.record.named import queries
from entrepot.record.transaction import Record

SQL = queries(__package__, "told.sql")

_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Told:
    """Finds whom answers tell of."""

    def __init__(self, record: Record, cell: int) -> None:
        self._record, self._cell = record, cell

    async def of(self, text: str) -> list[UUID]:
        """Return the persons of whom a text tells, in its order."""
        ids = list(dict.fromkeys(_ID.findall(text)))[: limits.AUDIT_IDS_MAX]
        if not ids:
            return []
        async with self._record.committing() as connection:
            rows = await connection.fetch(SQL["told_of"], self._cell, ids)
        return [row["subject"] for row in rows]

"""Gathers rows of orders into documents (invoices), and documents into steps: what is written, and marked as done, together.

A step never holds two days, so that within a step sales may go before returns: opening stock is reckoned the same way
(``articles``). A document whose rows do not lie together is whole as long as they lie in one step.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from entrepot.base import limits
from entrepot.importing.mapping import OrdersMapping
from entrepot.importing.reading import Raw, Row
from entrepot.importing.rows import OrderRow, RowReader, Rules, Unread, Verdict


class Judged(Struct):
    """A row and what it becomes; ``repeats`` when the document holds another row that is the same in every column."""

    row: OrderRow
    verdict: Verdict
    repeats: bool


class Document(Struct):
    """An invoice: its rows in order, the moment of the first of them, and whether money is owed back by it."""

    name: str
    at: datetime
    customer: str
    country: str
    credit: bool
    rows: list[Judged]


class Reject(Struct, frozen=True):
    """A row that became nothing: where it stands, why, what it held, and what it would have counted."""

    line: int
    reason: str
    raw: Raw
    amount: Decimal


class Step(Struct):
    """Documents of one day, and the rows among them that no document can hold. ``digest`` names the step by its content."""

    documents: list[Document]
    rejects: list[Reject]
    rows: int
    digest: str


class Stepper:
    """Cuts the rows of a file into steps."""

    def __init__(
        self, mapping: OrdersMapping, where: str, *, seed: bytes = b"", rows_max: int = limits.IMPORT_STEP_ROWS_MAX
    ) -> None:
        self._reader = RowReader(mapping, where)
        self._rules = Rules(mapping, where)
        self._seed = seed
        self._rows_max = rows_max
        self._closed: set[str] = set()
        self._closed_order: deque[str] = deque()
        self._open: dict[str, list[OrderRow]] = {}
        self._rejects: list[Reject] = []
        self._rows = 0
        self._day: date | None = None
        self._digest = hashlib.sha256(seed)

    def steps(self, rows: Iterable[Row]) -> Iterator[Step]:
        """Yield the steps of a file, in its order."""
        for row in rows:
            read = self._reader.read(row)
            if self._is_full(read):
                yield self._close()
            self._rows += 1
            self._digest.update(f"{row.line}{tuple(row.raw.values())}".encode("utf-8", "surrogatepass"))
            self._take(read)
        if self._rows:
            yield self._close()

    def _is_full(self, row: OrderRow | Unread) -> bool:
        """Say whether the step ends before this row: never within a document, nor later than after so many rows without one."""
        if isinstance(row, Unread):
            return not self._open and self._rows >= self._rows_max
        if row.document in self._open:
            return False
        day, before = row.at.date(), self._day
        self._day = day
        return bool(self._open) and (day != before or self._rows >= self._rows_max)

    def _take(self, row: OrderRow | Unread) -> None:
        if isinstance(row, Unread):
            self._rejects.append(Reject(row.line, row.reason, row.raw, row.amount))
            return
        if row.document in self._closed:
            self._reject(row, f"document {row.document} goes on here after other days' rows: sort the file by document")
            return
        rows = self._open.setdefault(row.document, [])
        if rows and (rows[0].customer, rows[0].country) != (row.customer, row.country):
            self._reject(row, f"document {row.document} is of another customer or country in line {rows[0].line}")
            return
        rows.append(row)

    def _reject(self, row: OrderRow, reason: str) -> None:
        self._rejects.append(Reject(row.line, reason, row.raw, row.amount))

    def _close(self) -> Step:
        documents = [document for rows in self._open.values() if (document := self._judge(rows))]
        step = Step(documents, self._rejects, self._rows, self._digest.hexdigest()[:32])
        for name in self._open:
            self._closed.add(name)
            self._closed_order.append(name)
        while len(self._closed_order) > limits.IMPORT_DOCUMENTS_REMEMBERED_MAX:
            self._closed.discard(self._closed_order.popleft())
        self._open, self._rejects, self._rows, self._digest = {}, [], 0, hashlib.sha256(self._seed)
        return step

    def _judge(self, rows: list[OrderRow]) -> Document | None:
        priced = "yes" if any(row.unit_price for row in rows) else "no"
        first = rows[0]
        credit = self._rules.is_credit_note(first)
        document = Document(first.document, min(row.at for row in rows), first.customer, first.country, credit, [])
        seen: dict[tuple[str, int], list[Raw]] = {}
        for row in rows:
            row.priced = priced
            verdict = self._rules.classify(row)
            if verdict.becomes == "reject":
                self._reject(row, verdict.because)
                continue
            alike = seen.setdefault((row.article, row.quantity), [])
            document.rows.append(Judged(row, verdict, row.raw in alike))
            alike.append(row.raw)
        return document if document.rows else None

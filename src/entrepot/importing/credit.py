"""Finds what a credit note gives back: a whole order, or lines of earlier purchases of the same customer and article. Pure.

Remembers the run's own purchases, newest first and up to a limit; what it does not find comes back without an order.
"""

import hashlib
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.importing.documents import Document, Judged

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Sold(Struct, gc=False):
    """An order that was placed; ``touched`` once some of it came back, for then it cannot be cancelled whole."""

    order_id: UUID
    at: datetime
    touched: bool = False


class Purchase(Struct, gc=False):
    """A line that was sold, and how many of its pieces are still out."""

    sold: Sold
    line: int
    unit_price: Decimal
    left: int


class Part(Struct, frozen=True):
    """Some of the pieces that come back, and the order line they were sold on, if one is known."""

    pieces: int
    order_id: UUID | None = None
    line: int | None = None


class Newest(Generic[K, V]):
    """Values by key, in the order they came; of all of them the oldest goes when there are too many."""

    def __init__(self, kept_max: int) -> None:
        self._kept_max = kept_max
        self._of: dict[K, list[V]] = {}
        self._oldest: deque[K] = deque()

    def add(self, key: K, value: V) -> None:
        """Keep a value, and let the oldest go if it is one too many."""
        self._of.setdefault(key, []).append(value)
        self._oldest.append(key)
        if len(self._oldest) > self._kept_max:
            oldest = self._oldest.popleft()
            self._of[oldest].pop(0)
            if not self._of[oldest]:
                del self._of[oldest]

    def of(self, key: K) -> Sequence[V]:
        """Return what is kept of a key, oldest first."""
        return self._of.get(key, ())


class Purchases:
    """What this run has sold, so that what comes back finds where it came from."""

    def __init__(self, kept_max: int = limits.IMPORT_PURCHASES_MAX) -> None:
        self._by_article: Newest[tuple[str, str], Purchase] = Newest(kept_max)
        self._whole: Newest[tuple[str, bytes], Sold] = Newest(kept_max)

    def remember(self, document: Document, order_id: UUID, lines: Iterable[Judged]) -> None:
        """Note an order that was placed; without a customer nothing can be found again."""
        if not document.customer:
            return
        sold = Sold(order_id, document.at)
        for number, judged in enumerate(lines, 1):
            row = judged.row
            self._by_article.add((document.customer, row.article), Purchase(sold, number, row.unit_price, row.quantity))
        self._whole.add((document.customer, _signature(document, 1)), sold)

    def cancelled_by(self, note: Document) -> UUID | None:
        """Return the latest earlier order of which the credit note takes back everything, charges included, or None."""
        if not note.customer:
            return None
        for sold in reversed(self._whole.of((note.customer, _signature(note, -1)))):
            if sold.at <= note.at and not sold.touched:
                sold.touched = True
                return sold.order_id
        return None

    def take_back(self, note: Document, judged: Judged) -> list[Part]:
        """Return where the pieces of a row were sold: at the same price and latest first; what is not found has no order."""
        row, wanted = judged.row, -judged.row.quantity
        bought = self._by_article.of((note.customer, row.article)) if note.customer else ()
        # A cancelled order has nothing left to give back: its purchases are emptied by `forget`.
        open_ones = [p for p in reversed(bought) if p.left and p.sold.at <= note.at and p.unit_price >= row.unit_price]
        open_ones.sort(key=lambda p: (p.unit_price != row.unit_price, p.left < wanted))
        parts: list[Part] = []
        for purchase in open_ones:
            if not wanted:
                break
            pieces = min(wanted, purchase.left)
            purchase.left -= pieces
            wanted -= pieces
            purchase.sold.touched = True
            parts.append(Part(pieces, purchase.sold.order_id, purchase.line))
        return [*parts, Part(wanted)] if wanted else parts

    def forget(self, note: Document, order_id: UUID) -> None:
        """Note that an order was cancelled: none of its pieces is out any more."""
        for judged in note.rows:
            for purchase in self._by_article.of((note.customer, judged.row.article)):
                if purchase.sold.order_id == order_id:
                    purchase.left = 0


def _signature(document: Document, sign: int) -> bytes:
    rows = sorted((j.row.article, sign * j.row.quantity, str((sign * j.row.amount + 0).normalize())) for j in document.rows)
    return hashlib.sha256(repr(rows).encode()).digest()

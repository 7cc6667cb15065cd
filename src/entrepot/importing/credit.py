"""Finds what a credit note gives back: a whole order, or lines of earlier purchases of the same customer and article. Pure.

Remembers the run's own purchases, newest first and up to a limit; what it does not find comes back without an order.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.importing.documents import Document, Judged


class Purchase(Struct, gc=False):
    """A line that was sold, and how many of its pieces are still out."""

    order_id: UUID
    line: int
    at: datetime
    unit_price: Decimal
    left: int


class Part(Struct, frozen=True):
    """Some of the pieces that come back, and the order line they were sold on, if one is known."""

    pieces: int
    order_id: UUID | None = None
    line: int | None = None


class Purchases:
    """What this run has sold, so that what comes back finds where it came from."""

    def __init__(self, kept_max: int = limits.IMPORT_PURCHASES_MAX) -> None:
        self._kept_max = kept_max
        self._by_article: dict[tuple[str, str], list[Purchase]] = {}
        self._oldest: deque[tuple[str, str]] = deque()
        self._whole: dict[tuple[str, bytes], list[tuple[UUID, datetime]]] = defaultdict(list)
        self._touched: set[UUID] = set()

    def remember(self, document: Document, order_id: UUID, lines: Iterable[Judged]) -> None:
        """Note an order that was placed; without a customer nothing can be found again."""
        if not document.customer:
            return
        for number, judged in enumerate(lines, 1):
            row, key = judged.row, (document.customer, judged.row.article)
            purchase = Purchase(order_id, number, document.at, row.unit_price, row.quantity)
            self._by_article.setdefault(key, []).append(purchase)
            self._oldest.append(key)
        while len(self._oldest) > self._kept_max:
            key = self._oldest.popleft()
            self._by_article[key].pop(0)
            if not self._by_article[key]:
                del self._by_article[key]
        self._whole[document.customer, _signature(document, 1)].append((order_id, document.at))

    def cancelled_by(self, note: Document) -> UUID | None:
        """Return the latest earlier order of which the credit note takes back everything, charges included, or None."""
        if not note.customer:
            return None
        for order_id, at in reversed(self._whole.get((note.customer, _signature(note, -1)), [])):
            if at <= note.at and order_id not in self._touched:
                self._touched.add(order_id)
                return order_id
        return None

    def take_back(self, note: Document, judged: Judged) -> list[Part]:
        """Return where the pieces of a row were sold: at the same price and latest first; what is not found has no order."""
        row, wanted = judged.row, -judged.row.quantity
        sold = self._by_article.get((note.customer, row.article), ()) if note.customer else ()
        # A cancelled order has nothing left to give back: its purchases are emptied by `forget`.
        open_ones = [p for p in reversed(sold) if p.left and p.at <= note.at and p.unit_price >= row.unit_price]
        open_ones.sort(key=lambda p: (p.unit_price != row.unit_price, p.left < wanted))
        parts: list[Part] = []
        for purchase in open_ones:
            if not wanted:
                break
            pieces = min(wanted, purchase.left)
            purchase.left -= pieces
            wanted -= pieces
            self._touched.add(purchase.order_id)
            parts.append(Part(pieces, purchase.order_id, purchase.line))
        return [*parts, Part(wanted)] if wanted else parts

    def forget(self, note: Document, order_id: UUID) -> None:
        """Note that an order was cancelled: none of its pieces is out any more."""
        for judged in note.rows:
            for purchase in self._by_article.get((note.customer, judged.row.article), ()):
                if purchase.order_id == order_id:
                    purchase.left = 0


def _signature(document: Document, sign: int) -> bytes:
    rows = sorted((j.row.article, sign * j.row.quantity, str((sign * j.row.amount + 0).normalize())) for j in document.rows)
    return hashlib.sha256(repr(rows).encode()).digest()

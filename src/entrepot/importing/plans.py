"""Turns a document into what is asked of checkout and stock, each under the key that only this document has. Pure.

Ids and keys follow from the source and the document's name, so that a second run asks for exactly the same.
"""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from msgspec import Struct

from entrepot.base.ids import derived
from entrepot.base.money import Currency, to_minor
from entrepot.base.time import millis_of
from entrepot.commerce.checkout.requests import (
    ChargeRequest,
    LineRequest,
    OrderRequest,
    ReturnLineRequest,
    ReturnRequest,
)
from entrepot.importing.credit import Part, Purchases
from entrepot.importing.documents import Document, Judged
from entrepot.importing.mapping import OrdersMapping

_SALE = {"line", "sample"}


class OrderPlan(Struct, frozen=True):
    """A sale: ``lines`` are the rows of its lines, in the request's order, ``rows`` all that it books."""

    key: str
    id: UUID
    request: OrderRequest
    document: Document
    lines: list[Judged]
    rows: list[Judged]

    def account(self, judged: Judged) -> str:
        """Return the class of rows that a row of it belongs to."""
        return "ordered" if judged.verdict.becomes == "line" else judged.verdict.becomes


class CreditPlan(Struct, frozen=True):
    """What is owed back: a whole order cancelled, or returns, one per order that something comes back from."""

    key: str
    document: Document
    rows: list[Judged]
    cancels: UUID | None
    returns: list[ReturnRequest]

    def account(self, judged: Judged) -> str:
        """Return the class of rows that a row of it belongs to."""
        return judged.verdict.becomes if self.cancels is None else "cancellation"


class StockPlan(Struct, frozen=True):
    """Pieces found or lost, by SKU."""

    key: str
    pieces: dict[str, int]
    rows: list[Judged]

    def account(self, judged: Judged) -> str:
        """Return the class of rows that a row of it belongs to."""
        return judged.verdict.becomes


class Planner:
    """Plans one source's documents."""

    def __init__(self, source: str, mapping: OrdersMapping) -> None:
        self._source = source
        self._mapping = mapping
        self._currency = Currency(mapping.currency)

    def counted(self, document: Document) -> list[Judged]:
        """Return the rows that count: all, or without those that repeat another, as the mapping says."""
        return [j for j in document.rows if not (j.repeats and self._mapping.duplicates == "skip")]

    def skipped(self, document: Document) -> list[Judged]:
        """Return the rows that do not count, because they repeat another."""
        return [j for j in document.rows if j.repeats and self._mapping.duplicates == "skip"]

    def minor(self, judged: Judged) -> int:
        """Return what the row is booked at."""
        return to_minor(judged.row.amount, self._currency)

    def order(self, document: Document) -> OrderPlan | None:
        """Return the sale in a document, if there is one: its lines, and the charges beside them."""
        rows = [j for j in self.counted(document) if j.verdict.becomes in _SALE | ({"charge"} - _credit(document))]
        if not rows:
            return None
        lines = [j for j in rows if j.verdict.becomes in _SALE]
        order_id = self._id(document)
        request = OrderRequest(
            market=self._mapping.market,
            country=document.country,
            currency=self._mapping.currency,
            lines=[LineRequest(sku=j.row.article, quantity=j.row.quantity, amount_minor=self.minor(j)) for j in lines],
            charges=[self._charge(j, 1) for j in rows if j.verdict.becomes == "charge"],
            customer_id=self._customer(document),
            placed_at=document.at,
            id=order_id,
        )
        return OrderPlan(self._key(document), order_id, request, document, lines, rows)

    def credit(self, document: Document, purchases: Purchases) -> CreditPlan | None:
        """Return what a document gives back, if anything; what was sold to whom is looked up, and noted as given back."""
        rows = [j for j in self.counted(document) if j.verdict.becomes in {"return"} | ({"charge"} & _credit(document))]
        if not rows:
            return None
        key = self._key(document, "return")
        whole = document.credit and len(rows) == len(document.rows)
        order_id = purchases.cancelled_by(document) if whole else None
        if order_id is not None:
            purchases.forget(document, order_id)
            return CreditPlan(key, document, rows, order_id, [])
        return CreditPlan(key, document, rows, None, self._returns(document, rows, purchases))

    def stock(self, document: Document) -> StockPlan | None:
        """Return the pieces that a document finds or writes off, if any."""
        rows = [j for j in self.counted(document) if j.verdict.becomes == "adjustment"]
        pieces: dict[str, int] = {}
        for judged in rows:
            pieces[judged.row.article] = pieces.get(judged.row.article, 0) + judged.row.quantity
        return StockPlan(self._key(document, "stock"), pieces, rows) if rows else None

    def _returns(self, document: Document, rows: Sequence[Judged], purchases: Purchases) -> list[ReturnRequest]:
        lines: list[tuple[str, Part, ReturnLineRequest]] = []
        for judged in (j for j in rows if j.verdict.becomes == "return"):
            given = 0
            for part in purchases.take_back(document, judged):
                owed = self._owed(judged, given + part.pieces) - self._owed(judged, given)
                given += part.pieces
                asked = ReturnLineRequest(sku=judged.row.article, quantity=part.pieces, amount_minor=owed, order_line=part.line)
                lines.append((str(part.order_id or ""), part, asked))
        # Known orders first: what is owed beside the goods goes with the first return.
        lines.sort(key=lambda line: line[0], reverse=True)
        grouped = [[line[1:] for line in group] for _, group in groupby(lines, lambda line: line[0])] or [[]]
        charges = [self._charge(j, -1) for j in rows if j.verdict.becomes == "charge"]
        return [
            ReturnRequest(
                market=self._mapping.market,
                country=document.country,
                currency=self._mapping.currency,
                lines=[asked for _, asked in group],
                charges=charges if number == 0 else [],
                reason=self._mapping.reason,
                order_id=group[0][0].order_id if group else None,
                customer_id=self._customer(document),
                at=document.at,
                id=self._id(document, "return", str(number)),
                warehouse=self._mapping.warehouse,
            )
            for number, group in enumerate(grouped)
        ]

    def _owed(self, judged: Judged, pieces: int) -> int:
        """Return what is owed for the first pieces of a row that comes back; for all of them, what the row is booked at."""
        if pieces == -judged.row.quantity:
            return -self.minor(judged)
        return to_minor(judged.row.unit_price * pieces, self._currency)

    def _charge(self, judged: Judged, sign: int) -> ChargeRequest:
        assert judged.verdict.kind is not None
        return ChargeRequest(kind=judged.verdict.kind, amount_minor=sign * self.minor(judged), note=judged.row.title)

    def _customer(self, document: Document) -> UUID | None:
        return derived(0, self._source, "customer", document.customer) if document.customer else None

    def _id(self, document: Document, *part: str) -> UUID:
        return derived(millis_of(document.at), self._source, document.name, *part)

    def _key(self, document: Document, *part: str) -> str:
        return ":".join(("import", self._source, document.name, *part))


def _credit(document: Document) -> set[str]:
    """Return what belongs to the credit side of a document: its charges, when the whole of it is a credit note."""
    return {"charge"} if document.credit else set()

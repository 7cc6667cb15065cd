"""What a part of an order is worth (money, tax, commission), so that all parts together are exactly the order. Pure.

Every amount is cut along its pieces: pieces ``first`` to ``last`` of ``q`` cost ``amount*last//q - amount*first//q``, so all
cuts, in whatever steps, add up. Pieces leave and return from the front, and are cancelled from the back: what returned never
costs more than what left, and what left never more than what was not cancelled.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from entrepot.commerce.ordering.events import Charge, ChargeKind, Line, OrderPlaced, TaxLine

Pieces = Mapping[int, int]
"""How many pieces of each line, by the line's number."""

Spans = Mapping[int, tuple[int, int]]
"""Of each line, from which piece to which."""

# What is owed once, as soon as anything leaves. Discounts are cut with the goods, tax with what is taxed.
ONCE: frozenset[ChargeKind] = frozenset({"postage", "fee", "donation"})
POSTAGE: frozenset[ChargeKind] = frozenset({"postage"})
NOTHING: frozenset[ChargeKind] = frozenset()


class OrderedLine(Struct, frozen=True):
    """A line of a placed order, and what has become of its pieces: ``returned`` ones had left, ``cancelled`` never did."""

    line: Line
    returned: int
    shipped: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Return how many pieces have neither left nor been cancelled."""
        # History tells of pieces that returned, and not that they had left.
        return self.line.quantity - max(self.shipped, self.returned) - self.cancelled


class StoredOrder(Struct, frozen=True):
    """An order as it stands: what was placed, its state and version, and what has become of each line."""

    placed: OrderPlaced
    state: str
    version: int
    lines: list[OrderedLine]

    def line(self, number: int) -> OrderedLine | None:
        """Return a line by its number."""
        return next((line for line in self.lines if line.line.line == number), None)


def due(order: StoredOrder) -> OrderPlaced:
    """Return the part of the order that has left: its total is what may be captured by now."""
    spans = {line.line.line: (0, line.shipped) for line in order.lines}
    return _part(order.placed, spans, ONCE if any(line.shipped for line in order.lines) else NOTHING)


def to_cancel(order: StoredOrder, pieces: Pieces) -> OrderPlaced:
    """Return the part of the order that these pieces are, which shall never leave; with the last of all, all else goes too."""
    spans = {}
    for line in order.lines:
        last = line.line.quantity - line.cancelled
        spans[line.line.line] = (last - pieces.get(line.line.line, 0), last)
    last_of_all = any(pieces.values()) and all(first == 0 for first, _ in spans.values())
    return _part(order.placed, spans, ONCE if last_of_all else NOTHING)


def to_return(order: StoredOrder, pieces: Pieces, *, postage: bool) -> OrderPlaced:
    """Return the part of the order that these pieces are, which had left and came back, with or without its postage."""
    spans = {line.line.line: (line.returned, line.returned + pieces.get(line.line.line, 0)) for line in order.lines}
    return _part(order.placed, spans, POSTAGE if postage else NOTHING)


def _part(order: OrderPlaced, spans: Spans, once: frozenset[ChargeKind]) -> OrderPlaced:
    taxes = list(_taxes(order, spans, once))
    lines = [_line(line, *spans[line.line], taxes) for line in order.lines if spans[line.line][0] < spans[line.line][1]]
    charges = list(_charges(order, spans, once, taxes))
    goods, beside = sum(line.amount_minor for line in lines), sum(charge.amount_minor for charge in charges)
    return msgspec.structs.replace(
        order, lines=lines, charges=charges, taxes=taxes, goods_minor=goods, charges_minor=beside, total_minor=goods + beside,
        tax_minor=sum(tax.tax_minor for tax in taxes),
    )  # fmt: skip


def _cut(amount: int, first: int, last: int, whole: int) -> int:
    return amount * last // whole - amount * first // whole


def _line(line: Line, first: int, last: int, taxes: Sequence[TaxLine]) -> Line:
    amount = _cut(line.amount_minor, first, last, line.quantity)
    within = [tax.tax_minor for tax in taxes if tax.included and tax.line == line.line]
    return msgspec.structs.replace(
        line,
        quantity=last - first,
        amount_minor=amount,
        unit_minor=(2 * amount + last - first) // (2 * (last - first)),
        discount_minor=_cut(line.discount_minor, first, last, line.quantity),
        tax_minor=sum(within) if within else _cut(line.tax_minor, first, last, line.quantity),
        commission_minor=_cut(line.commission_minor, first, last, line.quantity),
    )


def _taxes(order: OrderPlaced, spans: Spans, once: frozenset[ChargeKind]) -> Iterator[TaxLine]:
    """Yield the taxes of the part: those of its lines, cut as they are; those of the postage with the postage."""
    quantities = {line.line: line.quantity for line in order.lines}
    for tax in order.taxes:
        first, last, whole = (
            (*spans[tax.line], quantities[tax.line]) if tax.line is not None else (0, int("postage" in once), 1)
        )
        base, owed = _cut(tax.base_minor, first, last, whole), _cut(tax.tax_minor, first, last, whole)
        if base or owed:
            yield msgspec.structs.replace(tax, base_minor=base, tax_minor=owed)


def _charges(order: OrderPlaced, spans: Spans, once: frozenset[ChargeKind], taxes: Sequence[TaxLine]) -> Iterator[Charge]:
    """Yield the charges of the part, numbered: what is owed once, tax as its lines say, all else in proportion to the goods."""
    # Goods that cost nothing still carry what is cut with the goods: then by their pieces.
    free = not any(line.amount_minor for line in order.lines)
    worth = {line.line: line.quantity if free else line.amount_minor for line in order.lines}
    first, last = (sum(worth[line.line] * spans[line.line][end] // line.quantity for line in order.lines) for end in (0, 1))
    # What tax charges have beyond the tax lines (an order from elsewhere has none) is cut with the goods too.
    untold = sum(charge.amount_minor for charge in order.charges if charge.kind == "tax") - _added(order.taxes)
    tax_minor = _cut(untold, first, last, sum(worth.values())) + _added(taxes) if worth else 0
    amounts = [
        (charge.kind, charge.note, _charged(charge, once, (first, last, sum(worth.values())))) for charge in order.charges
    ]
    amounts += [("tax", next((charge.note for charge in order.charges if charge.kind == "tax"), ""), tax_minor)]
    told = [one for one in amounts if one[2]]
    yield from (Charge(charge=n, kind=kind, amount_minor=amount, note=note) for n, (kind, note, amount) in enumerate(told, 1))


def _charged(charge: Charge, once: frozenset[ChargeKind], goods: tuple[int, int, int]) -> int:
    if charge.kind == "tax":
        return 0  # told apart, in one
    if charge.kind in ONCE:
        return charge.amount_minor if charge.kind in once else 0
    return _cut(charge.amount_minor, *goods)


def _added(taxes: Sequence[TaxLine]) -> int:
    return sum(tax.tax_minor for tax in taxes if not tax.included)

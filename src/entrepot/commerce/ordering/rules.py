"""Pure decisions about an order's life and about what the ledger books for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, cast

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NotFoundError, PiecesRefusedError
from entrepot.base.machine import Machine
from entrepot.commerce.ordering.events import (
    Charge,
    ChargeKind,
    LineProgress,
    OrderCancelled,
    OrderMoved,
    OrderPlaced,
    OrderReturned,
    OrderState,
)
from entrepot.commerce.ordering.parts import OrderedLine, Pieces, StoredOrder

Account = Literal[
    "receivable", "sales", "sales_returns", "postage", "fees", "discounts", "adjustments", "donations",
    "tax", "gateway", "gateway_fees", "seller", "commission", "supply", "bank", "disputes", "rounding",
]  # fmt: skip

ACCOUNT_OF_CHARGE: dict[ChargeKind, Account] = {
    "postage": "postage",
    "fee": "fees",
    "discount": "discounts",
    "voucher": "discounts",
    "donation": "donations",
    "adjustment": "adjustments",
    "sample": "adjustments",
    "tax": "tax",
}


ORDER = Machine(
    "order",
    {
        "placed": ("part_shipped", "shipped", "cancelled"),
        "part_shipped": ("shipped",),
        "shipped": ("delivered",),
        "delivered": (),
        "cancelled": (),
    },
)


class Transfer(Struct, frozen=True):
    """Money that moves from one account to another: it names both, so nothing can be booked that does not sum to zero.

    A party is whose account it is, where there are many: a seller's id, a gateway, a tax authority, a company's id.
    """

    debit: Account
    credit: Account
    amount_minor: int
    debit_party: str = ""
    credit_party: str = ""

    def reversed(self) -> "Transfer":
        """Return the same the other way round."""
        return Transfer(self.credit, self.debit, self.amount_minor, self.credit_party, self.debit_party)


def cancel(order: StoredOrder, at: datetime, reason: str) -> OrderCancelled:
    """Return the cancellation of a whole order; one of which something left or came back, or that is off, is refused."""
    check_reason("cancellation", reason)
    order_id, returned = order.placed.id, sum(line.returned for line in order.lines)
    if order.state == "cancelled":
        raise ConflictError(f"Order {order_id} is cancelled already.", order_id=str(order_id))
    if returned:
        raise ConflictError(
            f"{returned} pieces of order {order_id} came back already: return the rest.", order_id=str(order_id)
        )
    ORDER.check(order_id, order.state, "cancelled")
    return OrderCancelled(id=order_id, at=at, reason=reason, order=order.placed)


def check_reason(what: str, reason: str) -> None:
    """Refuse what is undone without a reason, or with a novel."""
    if not reason.strip():
        raise BadInputError(f"A {what} needs a reason: say why.")
    if len(reason) > limits.REASON_CHARS_MAX:
        raise BadInputError(f"The reason has {len(reason)} characters: {limits.REASON_CHARS_MAX} at most.")


def ship(order: StoredOrder, pieces: Pieces) -> StoredOrder:
    """Return the order after these pieces have left; more than are open is refused."""
    _check_open(order, pieces, "shipped")
    return _progressed(order, shipped=pieces)


def cancel_pieces(order: StoredOrder, pieces: Pieces) -> StoredOrder:
    """Return the order after these pieces were cancelled; what has left, or is cancelled already, is refused."""
    _check_open(order, pieces, "cancelled")
    return _progressed(order, cancelled=pieces)


def take_back(order: StoredOrder, pieces: Pieces) -> StoredOrder:
    """Return the order after these pieces came back; more than have left and not come back is refused."""
    for number, wanted in pieces.items():
        line = line_of(order, number)
        if wanted > line.shipped - line.returned:
            left = line.shipped - line.returned
            raise PiecesRefusedError("taken back", line.line.sku, wanted=wanted, left=left, where="are out")
    return _progressed(order, returned=pieces, moves=False)


def deliver(order: StoredOrder) -> StoredOrder:
    """Return the order after all that left has arrived."""
    ORDER.check(order.placed.id, order.state, "delivered")
    return msgspec.structs.replace(order, state="delivered", version=order.version + 1)


def told(order: StoredOrder, at: datetime) -> OrderMoved:
    """Return the event that tells how far an order is."""
    lines = [
        LineProgress(
            line=one.line.line, sku=one.line.sku, quantity=one.line.quantity, shipped=one.shipped, cancelled=one.cancelled,
            returned=one.returned,
        )
        for one in order.lines
    ]  # fmt: skip
    return OrderMoved(id=order.placed.id, at=at, state=cast("OrderState", order.state), lines=lines)


def ending(order: StoredOrder, at: datetime, reason: str) -> tuple[datetime | None, str | None]:
    """Return when and why an order was cancelled, when it is."""
    return (at, reason) if order.state == "cancelled" else (None, None)


def line_of(order: StoredOrder, number: int) -> OrderedLine:
    """Return a line of the order; one that it does not have is refused."""
    line = order.line(number)
    if line is None:
        raise NotFoundError(
            f"Order {order.placed.id} has no line {number}: its lines are 1 to {len(order.lines)}.", line=number
        )
    return line


def _check_open(order: StoredOrder, pieces: Pieces, what: str) -> None:
    for number, wanted in pieces.items():
        line = line_of(order, number)
        if wanted > line.open:
            raise PiecesRefusedError(
                what, line.line.sku, wanted=wanted, left=line.open, where="have not left and are not cancelled"
            )


def _progressed(
    order: StoredOrder, *, shipped: Pieces | None = None, cancelled: Pieces | None = None, returned: Pieces | None = None,
    moves: bool = True,
) -> StoredOrder:  # fmt: skip
    """Return the order with these pieces counted, in the state that follows from them."""
    lines = [
        OrderedLine(
            one.line,
            one.returned + (returned or {}).get(one.line.line, 0),
            one.shipped + (shipped or {}).get(one.line.line, 0),
            one.cancelled + (cancelled or {}).get(one.line.line, 0),
        )
        for one in order.lines
    ]
    if not moves:
        return msgspec.structs.replace(order, lines=lines)
    any_left, any_open = any(line.shipped for line in lines), any(line.open for line in lines)
    state = ("part_shipped" if any_left else "placed") if any_open else ("shipped" if any_left else "cancelled")
    if state != order.state:
        ORDER.check(order.placed.id, order.state, state)
    return StoredOrder(order.placed, state, order.version + 1, lines)


def book_sale(order: OrderPlaced) -> list[Transfer]:
    """Return what a placed order books: what is owed for it, and to whom of it: sellers, tax authorities, ourselves."""
    buyer = str(order.company_id) if order.paid_by == "terms" and order.company_id else ""
    sold: dict[str, int] = {}
    shares: dict[str, int] = {}
    for line in order.lines:
        seller = str(line.seller_id) if line.seller_id else ""
        sold[seller] = sold.get(seller, 0) + line.amount_minor
        shares[seller] = shares.get(seller, 0) + line.commission_minor
    transfers = [
        Transfer("receivable", "seller" if seller else "sales", amount, buyer, seller) for seller, amount in sold.items()
    ]
    transfers += [Transfer("seller", "commission", share, seller) for seller, share in shares.items()]
    transfers += _book_charges(order.charges, buyer)
    transfers += _book_taxes(order)
    return [transfer for transfer in transfers if transfer.amount_minor]


def book_cancellation(order: OrderPlaced) -> list[Transfer]:
    """Return the sale's transfers the other way round."""
    return [transfer.reversed() for transfer in book_sale(order)]


def book_part_returned(part: OrderPlaced) -> list[Transfer]:
    """Return what a part of an order books that came back: as its sale, the other way round, the returned goods apart."""
    instead: dict[Account, Account] = {"sales": "sales_returns"}
    return [
        msgspec.structs.replace(back, debit=instead.get(back.debit, back.debit), credit=instead.get(back.credit, back.credit))
        for back in book_cancellation(part)
    ]


def book_return(event: OrderReturned) -> list[Transfer]:
    """Return what goods that came back book: what is owed for them, and the charges that are owed back with them."""
    goods = sum(line.amount_minor for line in event.lines)
    back = [Transfer("sales_returns", "receivable", goods)] if goods else []
    return back + [transfer.reversed() for transfer in _book_charges(event.charges, "")]


def _book_charges(charges: Sequence[Charge], buyer: str) -> list[Transfer]:
    """Return what charges book. Tax on top goes to an account without a party; ``_book_taxes`` says whose it is."""
    transfers = []
    for charge in charges:
        account = ACCOUNT_OF_CHARGE[charge.kind]
        if charge.amount_minor > 0:
            transfers.append(Transfer("receivable", account, charge.amount_minor, buyer))
        elif charge.amount_minor < 0:
            transfers.append(Transfer(account, "receivable", -charge.amount_minor, "", buyer))
    return transfers


def _book_taxes(order: OrderPlaced) -> list[Transfer]:
    """Return what is owed to each tax authority: out of the sales where prices include it, else out of the tax charged.

    Tax within a seller's line is the seller's to pay, as the price is the seller's.
    """
    owed: dict[tuple[Account, str], int] = {}
    sellers = {line.line for line in order.lines if line.seller_id}
    for tax in order.taxes:
        if tax.included and tax.line in sellers:
            continue
        source: Account = ("sales" if tax.line is not None else "postage") if tax.included else "tax"
        owed[source, tax.jurisdiction] = owed.get((source, tax.jurisdiction), 0) + tax.tax_minor
    return [Transfer(source, "tax", amount, "", jurisdiction) for (source, jurisdiction), amount in owed.items()]

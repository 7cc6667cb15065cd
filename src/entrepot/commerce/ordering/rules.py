"""Pure decisions about an order's life and about what the ledger books for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.commerce.ordering.events import Charge, ChargeKind, OrderCancelled, OrderPlaced, OrderReturned

Account = Literal["receivable", "sales", "sales_returns", "postage", "fees", "discounts", "adjustments", "donations"]

ACCOUNT_OF_CHARGE: dict[ChargeKind, Account] = {
    "postage": "postage",
    "fee": "fees",
    "discount": "discounts",
    "voucher": "discounts",
    "donation": "donations",
    "adjustment": "adjustments",
    "sample": "adjustments",
}


class Transfer(Struct, frozen=True):
    """Money that moves from one account to another: it names both, so nothing can be booked that does not sum to zero."""

    debit: Account
    credit: Account
    amount_minor: int


def cancel(order: OrderPlaced, state: str, returned: int, at: datetime, reason: str) -> OrderCancelled:
    """Return the cancellation of a placed order; one that is cancelled, or of which something came back, is refused."""
    if not reason.strip():
        raise BadInputError("A cancellation needs a reason: say why.")
    if state == "cancelled":
        raise ConflictError(f"Order {order.id} is cancelled already.", order_id=str(order.id))
    if returned:
        raise ConflictError(
            f"{returned} pieces of order {order.id} came back already: return the rest.", order_id=str(order.id)
        )
    return OrderCancelled(id=order.id, at=at, reason=reason, order=order)


def book_sale(order: OrderPlaced) -> list[Transfer]:
    """Return what a placed order books: the hot path does the same in SQL (a test holds the two together)."""
    goods = [Transfer("receivable", "sales", order.goods_minor)] if order.goods_minor else []
    return goods + _book_charges(order.charges)


def book_cancellation(order: OrderPlaced) -> list[Transfer]:
    """Return the sale's transfers the other way round."""
    return [Transfer(t.credit, t.debit, t.amount_minor) for t in book_sale(order)]


def book_return(event: OrderReturned) -> list[Transfer]:
    """Return what goods that came back book: what is owed for them, and the charges that are owed back with them."""
    goods = sum(line.amount_minor for line in event.lines)
    back = [Transfer("sales_returns", "receivable", goods)] if goods else []
    return back + [Transfer(t.credit, t.debit, t.amount_minor) for t in _book_charges(event.charges)]


def _book_charges(charges: Sequence[Charge]) -> list[Transfer]:
    transfers = []
    for charge in charges:
        account = ACCOUNT_OF_CHARGE[charge.kind]
        if charge.amount_minor > 0:
            transfers.append(Transfer("receivable", account, charge.amount_minor))
        elif charge.amount_minor < 0:
            transfers.append(Transfer(account, "receivable", -charge.amount_minor))
    return transfers

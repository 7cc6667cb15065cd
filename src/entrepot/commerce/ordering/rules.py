"""Pure decisions about an order's life and about what the ledger books for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.commerce.ordering.events import Charge, ChargeKind, OrderCancelled, OrderPlaced, OrderReturned

Account = Literal[
    "receivable", "sales", "sales_returns", "postage", "fees", "discounts", "adjustments", "donations",
    "tax", "gateway", "gateway_fees", "seller", "commission", "bank", "disputes", "rounding",
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

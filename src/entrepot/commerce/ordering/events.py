"""What can have happened to an order. Keys: ``order/<id>``; a return is a thing of its own, ``return/<return id>``.

Amounts are in minor units of the order's currency.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

ORDER_PLACED = "ordering.order_placed.v1"
ORDER_CANCELLED = "ordering.order_cancelled.v1"
ORDER_RETURNED = "ordering.order_returned.v1"
ORDER_MOVED = "ordering.order_moved.v1"
LINES_CANCELLED = "ordering.lines_cancelled.v1"

ChargeKind = Literal["postage", "fee", "discount", "adjustment", "donation", "sample", "voucher", "tax"]
Delivery = Literal["ship", "digital", "service"]
PaidBy = Literal["open", "card", "terms", "none"]
OrderState = Literal["placed", "part_shipped", "shipped", "delivered", "cancelled"]


class Line(Struct, frozen=True, kw_only=True):
    """One article of an order. ``amount_minor`` is what the line costs (the truth); ``unit_minor`` is for display.

    ``list_minor`` is what a piece cost before anything was taken off, ``discount_minor`` what was taken off the line,
    ``tax_minor`` the tax within its amount, ``commission_minor`` our share of a seller's line.
    """

    line: int
    product_id: UUID
    variant_id: UUID
    sku: str
    warehouse: str
    quantity: int
    unit_minor: int
    amount_minor: int
    category_id: UUID | None = None
    seller_id: UUID | None = None
    delivery: Delivery = "ship"
    list_minor: int | None = None
    discount_minor: int = 0
    tax_minor: int = 0
    commission_minor: int = 0


class TaxLine(Struct, frozen=True, kw_only=True):
    """What is owed to one tax authority of one line, or of the charges (``line`` is None). The rate is in parts of a million.

    ``included``: the tax is within the prices; else it was added on top, as a charge of the kind ``tax``.
    """

    jurisdiction: str
    name: str
    rate_ppm: int
    base_minor: int
    tax_minor: int
    included: bool
    line: int | None = None


class Charge(Struct, frozen=True, kw_only=True):
    """What is paid beside the articles, or taken off (negative)."""

    charge: int
    kind: ChargeKind
    amount_minor: int
    note: str = ""


class OrderPlaced(Struct, frozen=True, kw_only=True):
    """An order was accepted and its stock taken. ``placed_at`` is business time (a replayed order keeps its own).

    ``paid_by``: ``open`` is owed without more said; ``tax_minor`` is all tax, within the prices and on top of them.
    """

    id: UUID
    placed_at: datetime
    market: str
    country: str
    currency: str
    lines: list[Line]
    charges: list[Charge] = field(default_factory=list)
    customer_id: UUID | None = None
    goods_minor: int = 0
    charges_minor: int = 0
    total_minor: int = 0
    channel: str = "direct"
    paid_by: PaidBy = "open"
    company_id: UUID | None = None
    tax_minor: int = 0
    taxes: list[TaxLine] = field(default_factory=list)


class OrderCancelled(Struct, frozen=True, kw_only=True):
    """The whole order is off: its stock was given back and its money is owed back. Lines as they were placed."""

    id: UUID
    at: datetime
    reason: str
    order: OrderPlaced


class OrderReturned(Struct, frozen=True, kw_only=True):
    """Some pieces came back. ``lines`` hold what came back, positive; ``restocked`` says whether it can be sold again.

    ``id`` is the order's, where it is known: a history that begins in the middle has returns of orders it never saw.
    """

    return_id: UUID
    id: UUID | None = None
    at: datetime
    reason: str
    market: str
    country: str
    currency: str
    lines: list[Line]
    charges: list[Charge] = field(default_factory=list)
    customer_id: UUID | None = None
    restocked: bool = True
    total_minor: int = 0
    taxes: list[TaxLine] = field(default_factory=list)


class LinesCancelled(Struct, frozen=True, kw_only=True):
    """Some pieces of an order will never leave. ``lines`` hold them, positive, and what they cost; the rest goes on.

    Its key is ``return/<return id>``, as that of a return: both are what was given back of an order.
    """

    return_id: UUID
    id: UUID
    at: datetime
    reason: str
    market: str
    country: str
    currency: str
    lines: list[Line]
    charges: list[Charge] = field(default_factory=list)
    customer_id: UUID | None = None
    total_minor: int = 0
    taxes: list[TaxLine] = field(default_factory=list)


class LineProgress(Struct, frozen=True, kw_only=True):
    """What has become of the pieces of a line so far."""

    line: int
    sku: str
    quantity: int
    shipped: int
    cancelled: int
    returned: int


class OrderMoved(Struct, frozen=True, kw_only=True):
    """An order came a step further: pieces left, arrived, or were cancelled before they could."""

    id: UUID
    at: datetime
    state: OrderState
    lines: list[LineProgress]

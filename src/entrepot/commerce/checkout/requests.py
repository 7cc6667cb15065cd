"""What can be asked of checkout, and what it answers."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from entrepot.base.event import Token
from entrepot.commerce.ordering.events import ChargeKind


class LineRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article that is wanted. ``amount_minor`` is an agreed price of the whole line; without it the list price counts."""

    sku: str
    quantity: int
    amount_minor: int | None = None


class ChargeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something paid beside the articles (postage), or taken off (a negative discount)."""

    kind: ChargeKind
    amount_minor: int
    note: str = ""


class OrderRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as it is asked for. ``placed_at`` and ``id`` are given only by a replay of history."""

    market: str
    country: str
    currency: str
    lines: list[LineRequest]
    charges: list[ChargeRequest] = field(default_factory=list)
    customer_id: UUID | None = None
    placed_at: datetime | None = None
    id: UUID | None = None


class Placed(Struct, frozen=True, kw_only=True):
    """The answer to an order that was accepted; ``repeated`` when an earlier call with the same key had placed it."""

    order_id: UUID
    total_minor: int
    currency: str
    token: Token
    repeated: bool = False


class ReturnLineRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces that came back; ``order_line`` says which line of the order they were, ``amount_minor`` what is owed back."""

    sku: str
    quantity: int
    amount_minor: int | None = None
    order_line: int | None = None


class ReturnRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods that came back; without ``order_id`` the order is not known here (a history that begins in the middle)."""

    market: str
    country: str
    currency: str
    lines: list[ReturnLineRequest]
    reason: str
    order_id: UUID | None = None
    charges: list[ChargeRequest] = field(default_factory=list)
    customer_id: UUID | None = None
    at: datetime | None = None
    id: UUID | None = None
    restock: bool = True
    warehouse: str | None = None


class Returned(Struct, frozen=True, kw_only=True):
    """The answer to goods taken back: what is owed for them, in minor units."""

    return_id: UUID
    total_minor: int
    currency: str
    token: Token
    repeated: bool = False

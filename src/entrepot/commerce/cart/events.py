"""What can have happened to a cart that others should know. Key: ``abandonment/<id>``: each is told once, as its version 1."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

CART_ABANDONED = "cart.abandoned.v1"


class CartedLine(Struct, frozen=True, kw_only=True):
    """An article in a cart; ``unit_minor`` is the price that its buyer saw last."""

    sku: str
    quantity: int
    unit_minor: int | None = None


class CartAbandoned(Struct, frozen=True, kw_only=True):
    """A cart with something in it was left alone for hours. ``reference`` finds it in the drawer; it is not the cart's id."""

    id: UUID
    reference: str
    touched_at: datetime
    market: str
    country: str
    currency: str
    lines: list[CartedLine]
    customer_id: UUID | None = None

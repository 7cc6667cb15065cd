"""What can have happened to a checkout that got no order (of the others, ordering tells). Key: ``checkout/<id>``."""

from uuid import UUID

from msgspec import Struct

CHECKOUT_RELEASED = "checkout.released.v1"


class CheckoutReleased(Struct, frozen=True, kw_only=True):
    """A checkout ended without an order, ``declined``, ``expired`` or ``compensated``: what it held was given back."""

    id: UUID
    state: str
    reason: str
    total_minor: int
    currency: str

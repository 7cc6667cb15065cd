"""What can have happened to sellers, their orders and payouts.

Keys: ``seller/<id>``, ``seller_order/<order id>/<seller id>``, ``payout_to_seller/<id>``, and of what happens once,
``charge_back/<dispute id>/<seller id>`` and ``feed/<warehouse>/<sequence>``.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

SELLER_CHANGED = "marketplace.seller_changed.v1"
SELLER_ORDER_MOVED = "marketplace.seller_order_moved.v1"
SELLER_CHARGED_BACK = "marketplace.seller_charged_back.v1"
FEED_APPLIED = "marketplace.feed_applied.v1"
PAYOUT_ASKED = "marketplace.payout_asked.v1"
PAYOUT_DONE = "marketplace.payout_done.v1"
PAYOUT_FAILED = "marketplace.payout_failed.v1"

SellerKind = Literal["marketplace", "supplier"]
Bears = Literal["net", "gross"]
SellerState = Literal["active", "paused", "closed"]
SellerOrderState = Literal["placed", "part_shipped", "shipped", "delivered", "cancelled"]
PayoutState = Literal["asked", "done", "failed"]


class SellerChanged(Struct, frozen=True, kw_only=True):
    """A seller was registered, changed, paused, let go on, or closed: its whole state."""

    id: UUID
    code: str
    name: str
    kind: SellerKind
    state: SellerState
    country: str
    commission_permille: int
    holdback_days: int
    payout_days: int
    disputes: Bears = "net"


class SellerOrderMoved(Struct, frozen=True, kw_only=True):
    """What a seller has to do with an order is new, or came a step further."""

    order_id: UUID
    seller_id: UUID
    state: SellerOrderState
    at: datetime


class SellerChargedBack(Struct, frozen=True, kw_only=True):
    """A dispute over an order was lost, and the seller's share of it is taken from the seller.

    ``commission_minor`` is our part of its sale, which we gave up with it; none where the seller bears all.
    """

    dispute_id: UUID
    order_id: UUID
    seller_id: UUID
    amount_minor: int
    currency: str
    at: datetime
    commission_minor: int = 0


class FeedApplied(Struct, frozen=True, kw_only=True):
    """A supplier told what it has; so many articles were known, and so many levels changed."""

    warehouse: str
    seller_id: UUID
    sequence: int
    articles: int
    changed: int
    at: datetime


class PayoutMoved(Struct, frozen=True, kw_only=True):
    """A payout as it now stands. ``reference`` is what the bank calls it, ``reason`` why it refused."""

    id: UUID
    seller_id: UUID
    currency: str
    amount_minor: int
    state: PayoutState
    at: datetime
    reference: str = ""
    reason: str = ""

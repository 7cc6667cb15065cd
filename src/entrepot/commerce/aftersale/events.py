"""What can have happened to a return under way. Key: ``return_case/<id>``. Once it is settled, ``ordering`` tells of it.

``ordering.order_returned.v1`` of the key ``return/<id>`` has what was given back: both ids are the same.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

RETURN_REQUESTED = "aftersale.return_requested.v1"
RETURN_RECEIVED = "aftersale.return_received.v1"
RETURN_INSPECTED = "aftersale.return_inspected.v1"
RETURN_REFUNDED = "aftersale.return_refunded.v1"
RETURN_EXCHANGED = "aftersale.return_exchanged.v1"
RETURN_REJECTED = "aftersale.return_rejected.v1"

CaseState = Literal["requested", "received", "inspected", "refunded", "exchanged", "rejected"]
Reason = Literal["changed_mind", "does_not_fit", "late", "damaged", "wrong_article", "not_as_described", "lost"]


class CaseLine(Struct, frozen=True, kw_only=True):
    """Pieces of an order's line in a return: wished for, received, and what inspection found of them."""

    line: int
    sku: str
    requested: int
    received: int = 0
    restocked: int = 0
    written_off: int = 0
    refused: int = 0


class ReturnMoved(Struct, frozen=True, kw_only=True):
    """A return is now in this state. ``refunded_minor`` is what was given back, ``exchange_order_id`` what was sent instead."""

    id: UUID
    order_id: UUID
    at: datetime
    state: CaseState
    reason: Reason
    lines: list[CaseLine]
    refunded_minor: int = 0
    exchange_order_id: UUID | None = None

"""What can have happened to a shipment. Key: ``shipment/<id>``. Every body is the whole shipment as it then was.

How far a parcel is that a carrier was asked to take has the key ``parcel/<shipment id>``.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

SHIPMENT_PLANNED = "fulfilment.shipment_planned.v1"
SHIPMENT_PICKED = "fulfilment.shipment_picked.v1"
SHIPMENT_PACKED = "fulfilment.shipment_packed.v1"
SHIPMENT_SHIPPED = "fulfilment.shipment_shipped.v1"
SHIPMENT_DELIVERED = "fulfilment.shipment_delivered.v1"
SHIPMENT_LOST = "fulfilment.shipment_lost.v1"
SHIPMENT_CANCELLED = "fulfilment.shipment_cancelled.v1"
PARCEL_MOVED = "fulfilment.parcel_moved.v1"

ShipmentState = Literal["planned", "picked", "packed", "shipped", "delivered", "lost", "cancelled"]
ParcelState = Literal["asked", "booked", "refused", "given_up", "under_way", "delivered", "lost"]


class ShipmentLine(Struct, frozen=True, kw_only=True):
    """So many pieces of an order's line in a shipment."""

    line: int
    sku: str
    variant_id: UUID
    quantity: int


class ShipmentMoved(Struct, frozen=True, kw_only=True):
    """A shipment is now in this state. ``seller_id`` is whose goods they are, when they are not ours."""

    id: UUID
    order_id: UUID
    at: datetime
    state: ShipmentState
    warehouse: str
    lines: list[ShipmentLine]
    seller_id: UUID | None = None
    carrier: str = ""
    tracking: str = ""


class ParcelMoved(Struct, frozen=True, kw_only=True):
    """A parcel is now in this state with its carrier."""

    shipment_id: UUID
    order_id: UUID
    at: datetime
    state: ParcelState
    carrier: str

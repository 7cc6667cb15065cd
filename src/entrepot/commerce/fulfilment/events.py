"""What can have happened to a shipment. Key: ``shipment/<id>``. Every body is the whole shipment as it then was."""

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

ShipmentState = Literal["planned", "picked", "packed", "shipped", "delivered", "lost", "cancelled"]


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

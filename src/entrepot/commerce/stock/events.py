"""What can have happened to stock. Key: ``stock/<variant id>/<warehouse>``."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

STOCK_CHANGED = "stock.changed.v1"

Reason = Literal[
    "received", "adjusted", "sold", "cancelled", "returned", "reserved", "released", "filled", "counted", "transferred"
]


class StockChanged(Struct, frozen=True, kw_only=True):
    """The pieces of a variant a sale may still take from a warehouse, after the change; ``delta`` may sum several sales."""

    variant_id: UUID
    warehouse: str
    available: int
    delta: int
    reason: Reason

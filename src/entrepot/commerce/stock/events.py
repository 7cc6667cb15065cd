"""What can have happened to stock. Key: ``stock/<variant id>/<warehouse>``; of a whole variant ``stock_watch/<variant id>``.

How a market's orders are allocated has the key ``routing/<market>``.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

STOCK_CHANGED = "stock.changed.v1"
STOCK_LOW = "stock.low.v1"
STOCK_RECOVERED = "stock.recovered.v1"
ROUTING_SAVED = "stock.routing_saved.v1"

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
    note: str = ""


class StockWatched(Struct, frozen=True, kw_only=True):
    """A variant has become low (as few pieces as the threshold, in all warehouses together), or has recovered from that."""

    variant_id: UUID
    sku: str
    available: int
    threshold: int


class RoutingSaved(Struct, frozen=True, kw_only=True):
    """How the orders of a market are allocated from now on: among our own warehouses, and among suppliers."""

    market: str
    allocation: str
    supplying: str

"""What can be asked after the order, and what it answers."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct, field

from entrepot.base.event import Token
from entrepot.commerce.aftersale.events import Reason


class LinePieces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of an order's line, by the line's number."""

    line: int
    quantity: int


class Inspected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What inspection found of the received pieces of a line; those refused go back to the customer."""

    line: int
    restock: int = 0
    write_off: int = 0
    refuse: int = 0


class Cancellation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall not leave, and why; without lines it is all that has not left."""

    reason: str
    lines: list[LinePieces] | None = None


class ReturnWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall come back, and why."""

    reason: Reason
    lines: list[LinePieces]
    note: str = ""


class Moved(Struct, frozen=True, kw_only=True):
    """An order, shipment or return after a command: its state, and what was asked of the gateway for it (operations)."""

    id: UUID
    order_id: UUID
    state: str
    token: Token
    amount_minor: int = 0
    currency: str = ""
    operations: Sequence[UUID] = field(default_factory=list)
    exchange_order_id: UUID | None = None

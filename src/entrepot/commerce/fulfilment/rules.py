"""Pure decisions about shipments: what is planned, what may follow, what is taken out of one again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.machine import Machine
from entrepot.commerce.fulfilment.events import (
    SHIPMENT_CANCELLED,
    SHIPMENT_DELIVERED,
    SHIPMENT_LOST,
    SHIPMENT_PACKED,
    SHIPMENT_PICKED,
    SHIPMENT_PLANNED,
    SHIPMENT_SHIPPED,
    ShipmentLine,
    ShipmentMoved,
    ShipmentState,
)

MACHINE = Machine(
    "shipment",
    {
        "planned": ("picked", "packed", "shipped", "cancelled"),
        "picked": ("packed", "shipped", "cancelled"),
        "packed": ("shipped", "cancelled"),
        "shipped": ("delivered", "lost"),
        "delivered": (),
        "lost": (),
        "cancelled": (),
    },
)

KIND_OF: Mapping[ShipmentState, str] = {
    "planned": SHIPMENT_PLANNED,
    "picked": SHIPMENT_PICKED,
    "packed": SHIPMENT_PACKED,
    "shipped": SHIPMENT_SHIPPED,
    "delivered": SHIPMENT_DELIVERED,
    "lost": SHIPMENT_LOST,
    "cancelled": SHIPMENT_CANCELLED,
}

# In which order shipments give up what is cancelled: where the least work is lost.
_OPEN: tuple[ShipmentState, ...] = ("planned", "picked", "packed")


class Shipment(Struct, frozen=True, kw_only=True):
    """A shipment as it stands."""

    id: UUID
    order_id: UUID
    warehouse: str
    state: ShipmentState
    version: int
    lines: list[ShipmentLine]
    seller_id: UUID | None = None
    carrier: str = ""
    tracking: str = ""


class ToSend(Struct, frozen=True):
    """Pieces of a line that are to leave from a warehouse."""

    line: int
    sku: str
    variant_id: UUID
    warehouse: str
    seller_id: UUID | None
    quantity: int


def plan(order_id: UUID, to_send: Iterable[ToSend], new_id: Iterable[UUID]) -> list[Shipment]:
    """Return a shipment for each warehouse, and in it for each seller: what is packed and accounted for apart."""
    groups: dict[tuple[str, UUID | None], list[ShipmentLine]] = {}
    for one in to_send:
        if one.quantity:
            line = ShipmentLine(line=one.line, sku=one.sku, variant_id=one.variant_id, quantity=one.quantity)
            groups.setdefault((one.warehouse, one.seller_id), []).append(line)
    return [
        Shipment(id=id_, order_id=order_id, warehouse=warehouse, state="planned", version=1, lines=lines, seller_id=seller_id)
        for id_, ((warehouse, seller_id), lines) in zip(new_id, groups.items(), strict=False)
    ]


def move(shipment: Shipment, to: ShipmentState) -> Shipment:
    """Return the shipment in its next state; a move that may not be is refused."""
    MACHINE.check(shipment.id, shipment.state, to)
    return msgspec.structs.replace(shipment, state=to, version=shipment.version + 1)


def send(shipment: Shipment, carrier: str, tracking: str) -> Shipment:
    """Return the shipment on its way."""
    for what, text in (("carrier", carrier), ("tracking number", tracking)):
        if len(text) > limits.TRACKING_CHARS_MAX or not (text.isprintable() or not text):
            raise BadInputError(
                f"The {what} {text[:50]!r} is not usable: {limits.TRACKING_CHARS_MAX} printable characters at most."
            )
    if not carrier:
        raise BadInputError("A shipment needs its carrier: say who takes it.", field="carrier")
    return msgspec.structs.replace(move(shipment, "shipped"), carrier=carrier, tracking=tracking)


class TakenOut(Struct, frozen=True):
    """Pieces of a line that shall not leave after all, and the warehouse where they lie (or were promised)."""

    line: int
    warehouse: str
    quantity: int


class Waiting(Struct, frozen=True):
    """Pieces of a line that were sold by promise and wait for a receipt; ``warehouse`` is the promise's."""

    variant_id: UUID
    order_id: UUID
    line: int
    sku: str
    seller_id: UUID | None
    warehouse: str
    quantity: int


def without(shipments: Sequence[Shipment], pieces: Mapping[int, int]) -> tuple[list[Shipment], list[TakenOut]]:
    """Return the shipments that change when these pieces shall not leave, and what was taken out of which warehouse.

    One that is left empty is cancelled. What is in no shipment is not taken out here: it waits, or was not planned yet.
    """
    missing, changed, out = dict(pieces), [], []
    for shipment in sorted((one for one in shipments if one.state in _OPEN), key=lambda one: _OPEN.index(one.state)):
        lines = []
        for line in shipment.lines:
            taken = min(line.quantity, missing.get(line.line, 0))
            if taken:
                missing[line.line] -= taken
                out.append(TakenOut(line.line, shipment.warehouse, taken))
            if line.quantity > taken:
                lines.append(msgspec.structs.replace(line, quantity=line.quantity - taken))
        if lines != shipment.lines:
            smaller = msgspec.structs.replace(shipment, lines=lines, version=shipment.version + 1)
            changed.append(smaller if lines else msgspec.structs.replace(move(shipment, "cancelled"), lines=[]))
    return changed, out


def unwait(waiting: Sequence[Waiting], pieces: Mapping[int, int]) -> tuple[list[Waiting], list[TakenOut]]:
    """Return what waits when these pieces shall wait no longer (nothing: quantity 0), and what was taken out."""
    after = [msgspec.structs.replace(one, quantity=max(one.quantity - pieces.get(one.line, 0), 0)) for one in waiting]
    out = [
        TakenOut(one.line, one.warehouse, one.quantity - now.quantity)
        for one, now in zip(waiting, after, strict=True)
        if now.quantity < one.quantity
    ]
    return after, out


def fill(waiting: Sequence[Waiting], received: int) -> tuple[list[Waiting], list[Waiting]]:
    """Return what still waits after a receipt, and the pieces that wait no longer: the oldest orders first."""
    after, filled = [], []
    for one in waiting:
        pieces = min(one.quantity, received)
        received -= pieces
        after.append(msgspec.structs.replace(one, quantity=one.quantity - pieces))
        if pieces:
            filled.append(msgspec.structs.replace(one, quantity=pieces))
    return after, filled


def planned(shipments: Iterable[Shipment]) -> dict[int, int]:
    """Return how many pieces of each line wait in shipments that have not left."""
    counts: dict[int, int] = {}
    for shipment in shipments:
        if shipment.state in _OPEN:
            for line in shipment.lines:
                counts[line.line] = counts.get(line.line, 0) + line.quantity
    return counts


def told(shipment: Shipment, at: datetime) -> ShipmentMoved:
    """Return the event that tells of the shipment as it now is."""
    return ShipmentMoved(
        id=shipment.id, order_id=shipment.order_id, at=at, state=shipment.state, warehouse=shipment.warehouse,
        lines=shipment.lines, seller_id=shipment.seller_id, carrier=shipment.carrier, tracking=shipment.tracking,
    )  # fmt: skip

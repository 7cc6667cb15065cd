"""Pure decisions about parcels: shipments that a carrier was asked to take, from the asking until they arrive."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.commerce.fulfilment.events import ParcelMoved, ParcelState
from entrepot.commerce.fulfilment.rules import MACHINE, Shipment
from entrepot.partners.carrier.port import Seen

PARCEL = Machine(
    "parcel",
    {
        "asked": ("booked", "refused", "given_up"),
        "booked": ("under_way", "delivered", "lost"),
        "under_way": ("delivered", "lost"),
        "delivered": (),
        "lost": (),
        "refused": ("asked",),
        "given_up": ("asked",),
    },
)

# Those that may be asked for anew, of whomever.
AGAIN = frozenset({"refused", "given_up"})


class Parcel(Struct, frozen=True, kw_only=True):
    """A parcel as it stands. ``reference`` is what its carrier is asked under: asked again, it books nothing more."""

    shipment_id: UUID
    order_id: UUID
    reference: UUID
    carrier: str
    state: ParcelState
    version: int
    tracking: str = ""


class ParcelRefusedError(ConflictError):
    """A carrier does not take a parcel: another may, and the shipment is then sent by hand under that one's name."""

    slug = "parcel-refused"

    def __init__(self, shipment_id: UUID, carrier: str, reason: str) -> None:
        super().__init__(
            f"The carrier {carrier} does not take the shipment {shipment_id}: {reason}. Nothing was sent; send it without "
            "booking, under the name and the number of whoever takes it.",
            shipment_id=str(shipment_id),
            carrier=carrier,
            reason=reason,
        )


class NotBookedError(ConflictError):
    """A shipment has no label of a carrier, since none was booked for it."""

    slug = "not-booked"

    def __init__(self, shipment_id: UUID) -> None:
        super().__init__(
            f"No carrier was booked for the shipment {shipment_id}, so there is no label of one: send it with book, or use the "
            "label of whoever takes it.",
            shipment_id=str(shipment_id),
        )


def check_booked(shipment_id: UUID, parcel: Parcel | None) -> Parcel:
    """Return a parcel that its carrier has taken; refuses where none was."""
    if parcel is None or not parcel.tracking:
        raise NotBookedError(shipment_id)
    return parcel


def chosen(order_id: UUID, carriers: Sequence[str]) -> str:
    """Return the carrier that an order goes by; where the order leaves it open, it must be named."""
    if len(carriers) != 1:
        known = ", ".join(sorted(carriers)) or "none"
        raise BadInputError(
            f"The order {order_id} does not say which carrier it goes by (possible: {known}): name one.", field="carrier"
        )
    return carriers[0]


def ask(shipment: Shipment, before: Parcel | None, carrier: str, reference: UUID) -> Parcel:
    """Return the parcel to ask a carrier for. One that was asked for, and has no answer, is asked for under the same name."""
    if before is not None and before.carrier != carrier and before.state not in AGAIN:
        raise ConflictError(
            f"The carrier {before.carrier} was asked to take the shipment {shipment.id} ({before.state}): ask that one again, "
            "or send it without booking.",
            shipment_id=str(shipment.id),
            carrier=before.carrier,
        )
    if before is not None and before.tracking:
        return before
    MACHINE.check(shipment.id, shipment.state, "shipped")
    if before is None:
        return Parcel(
            shipment_id=shipment.id, order_id=shipment.order_id, reference=reference, carrier=carrier, state="asked", version=1
        )  # fmt: skip
    if before.state in AGAIN:
        return msgspec.structs.replace(move(before, "asked"), carrier=carrier, reference=reference)
    return before


def move(parcel: Parcel, to: ParcelState) -> Parcel:
    """Return the parcel in its next state; a move that may not be is refused."""
    PARCEL.check(parcel.shipment_id, parcel.state, to)
    return msgspec.structs.replace(parcel, state=to, version=parcel.version + 1)


def booked(parcel: Parcel, tracking: str) -> Parcel:
    """Return the parcel with its number."""
    return msgspec.structs.replace(move(parcel, "booked"), tracking=tracking)


def is_waiting(parcel: Parcel) -> bool:
    """Say whether a parcel waits for its carrier's answer."""
    return parcel.state == "asked"


def check_waits(kept: Parcel | None, answered: Parcel) -> None:
    """Refuse an answer about a parcel that was given up, or that another call has noted, in the meantime."""
    if kept is None or not is_waiting(kept) or kept.reference != answered.reference:
        raise ConflictError(
            f"The parcel of shipment {answered.shipment_id} was booked or given up in the meantime: look at it, and ask again.",
            shipment_id=str(answered.shipment_id),
        )


def follow(parcel: Parcel, seen: Sequence[Seen]) -> Parcel:
    """Return the parcel as its carrier says that it is; what cannot follow on how it stands is not believed."""
    last = max(seen, key=lambda one: one.at, default=None)
    return move(parcel, last.state) if last and PARCEL.allows(parcel.state, last.state) else parcel


def ending(shipment: Shipment, parcel: Parcel) -> Literal["delivered", "lost"] | None:
    """Return how a shipment ends when its parcel stands so; None when it goes on, or people have said so already."""
    if shipment.state != "shipped":
        return None
    return parcel.state if parcel.state in ("delivered", "lost") else None


def told(parcel: Parcel, at: datetime) -> ParcelMoved:
    """Return the event that tells of the parcel as it now is."""
    return ParcelMoved(
        shipment_id=parcel.shipment_id, order_id=parcel.order_id, at=at, state=parcel.state, carrier=parcel.carrier
    )

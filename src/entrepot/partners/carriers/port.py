"""What a carrier must be able to do: take a parcel, and say where it is. Values and a Protocol; no carrier is known here.

What shipping costs the buyer is decided by `commerce/shipping`, from zones and methods; a carrier only carries.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from entrepot.base.errors import EntrepotError

ParcelState = Literal["booked", "collected", "under_way", "delivered", "lost"]


class CarrierAwayError(EntrepotError):
    """A carrier does not answer; ask again with the same reference, which books no second parcel."""

    slug = "carrier-away"
    status = 503
    exit_code = 5

    def __init__(self, carrier: str, why: str) -> None:
        super().__init__(f"The carrier {carrier} does not answer ({why}): try again shortly.", carrier=carrier, why=why)


class Address(Struct, frozen=True, kw_only=True):
    """Where a parcel goes: personal, so it is never logged nor put into an event."""

    name: str
    lines: Sequence[str]
    city: str
    country: str
    region: str = ""
    postcode: str = ""
    phone: str = ""


class Consignment(Struct, frozen=True, kw_only=True):
    """A parcel to be carried. ``reference`` is the shipment's id: booking it twice is booking it once."""

    reference: str
    method: str
    grams: int
    to: Address
    warehouse: str
    warehouse_country: str = ""


class Booked(Struct, frozen=True, kw_only=True):
    """What the carrier calls the parcel, and where people can follow it."""

    tracking: str
    tracking_url: str = ""


class Seen(Struct, frozen=True, kw_only=True):
    """One thing that happened to a parcel under way."""

    at: datetime
    state: ParcelState
    place: str = ""


class Carrier(Protocol):
    """What carries parcels."""

    @property
    def code(self) -> str:
        """Return the name that shipping methods call it by."""
        ...

    async def book(self, parcel: Consignment) -> Booked:
        """Hand a parcel over; the same reference gets the same answer."""
        ...

    async def cancel(self, tracking: str) -> None:
        """Take a parcel back that has not been collected; one that is cancelled already stays so."""
        ...

    async def track(self, tracking: str) -> Sequence[Seen]:
        """Return what has happened to a parcel so far, the oldest first."""
        ...

"""What a carrier must be able to do: take a parcel under a name of ours, and say where it is. No carrier is known here.

What shipping costs the buyer is decided by `commerce/shipping`, from zones and methods; a carrier only carries.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import EntrepotError

SeenState: TypeAlias = Literal["under_way", "delivered", "lost"]
LabelKind: TypeAlias = Literal["pdf", "zpl"]


class CarrierAwayError(EntrepotError):
    """A carrier does not answer: asked again, it books no second parcel; or the shipment is sent by hand."""

    slug = "carrier-away"
    status = 503
    exit_code = 5

    def __init__(self, carrier: str, why: str) -> None:
        super().__init__(
            f"The carrier {carrier} does not answer ({why}): ask again shortly, which books no second parcel, or send the "
            "shipment without booking, under the name and the number of whoever takes it.",
            carrier=carrier,
        )


class Consignee(Struct, frozen=True, kw_only=True):
    """Whom a parcel goes to, and where: personal, so it is never logged nor put into an event."""

    name: str
    lines: Sequence[str]
    city: str
    country: str
    region: str = ""
    postcode: str = ""
    phone: str = ""


class Consignment(Struct, frozen=True, kw_only=True):
    """A parcel to be carried. ``reference`` is our name for it: asked again, it is the same parcel."""

    reference: UUID
    grams: int
    to: Consignee | None


class Booked(Struct, frozen=True):
    """The carrier takes it; ``tracking`` is the number on its label."""

    tracking: str


class NotTaken(Struct, frozen=True):
    """The carrier will not take it, and did not; ``reason`` says why, and names nobody."""

    reason: str


class Seen(Struct, frozen=True):
    """What happened to a parcel, and when."""

    at: datetime
    state: SeenState


class Tidings(Struct, frozen=True):
    """What a carrier's webhook says: that something is new about a parcel, and no more. It is read from the carrier."""

    event_id: str
    kind: str
    tracking: str


class Carrier(Protocol):
    """What carries parcels. ``CarrierAwayError`` when the outcome is not known: the same is then asked again."""

    @property
    def name(self) -> str:
        """Return what it is called here."""
        ...

    async def book(self, parcel: Consignment) -> Booked | NotTaken:
        """Take a parcel, once for each reference."""
        ...

    async def give_up(self, reference: UUID) -> None:
        """Take nothing under this reference any more: neither what was booked nor what is asked for later."""
        ...

    async def seen(self, tracking: str) -> Sequence[Seen]:
        """Return what has happened to a parcel so far, the oldest first."""
        ...

    async def label(self, parcel: Consignment, tracking: str, kind: LabelKind) -> bytes:
        """Return the label of a parcel that was taken under this number."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_millis: int) -> Tidings:
        """Check signature and time window on the raw bytes, and return what it is about; ``WebhookRefusedError``.

        The names of headers are in small letters. May read the secret from where it is kept: it blocks for a moment at most.
        """
        ...

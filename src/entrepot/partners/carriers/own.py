"""Our own vans: numbers parcels by their reference, and knows of them only what our own people report.

It keeps nothing, so it can be asked anywhere. (What is delivered is told to `commerce/fulfilment` by hand or by its jobs.)
"""

import hashlib
from collections.abc import Sequence

from entrepot.partners.carriers.port import Booked, Consignment, Seen

_NUMBERS = 10**16


class OwnCarrier:
    """The carrier ``own``: a number for each parcel, with two check digits as an IBAN has them, the same for a reference."""

    code = "own"

    async def book(self, parcel: Consignment) -> Booked:
        """Give the parcel its number."""
        serial = int.from_bytes(hashlib.sha256(parcel.reference.encode()).digest()[:8], "big") % _NUMBERS
        return Booked(tracking=f"EO{serial:016d}{98 - serial * 100 % 97:02d}")

    async def cancel(self, tracking: str) -> None:
        """Do nothing: our own people look at the shipment itself."""

    async def track(self, tracking: str) -> Sequence[Seen]:  # noqa: ARG002  # the port's signature
        """Return nothing: what happens is told to fulfilment directly."""
        return []

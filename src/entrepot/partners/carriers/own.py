"""Our own vans: numbers parcels by their reference, and knows of them only what our own people report.

It keeps nothing, so it can be asked anywhere. (What is delivered is told to `commerce/fulfilment` by hand or by its jobs.)
"""

import hashlib
from collections.abc import Sequence

from entrepot.partners.carriers.port import Booked, Consignment, Seen

# The weights of the check digit of postal item numbers (UPU S10).
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_NUMBERS = 10 ** len(_WEIGHTS)


class OwnCarrier:
    """The carrier ``own``: a number for each parcel, with a check digit as posts have it, always the same for a reference."""

    code = "own"

    async def book(self, parcel: Consignment) -> Booked:
        """Number the parcel."""
        serial = int.from_bytes(hashlib.sha256(parcel.reference.encode()).digest()[:8], "big") % _NUMBERS
        country = parcel.warehouse_country or "XX"
        return Booked(tracking=f"EO{serial:08d}{_check_digit(serial)}{country}")

    async def cancel(self, tracking: str) -> None:
        """Do nothing: our own people look at the shipment itself."""

    async def track(self, tracking: str) -> Sequence[Seen]:  # noqa: ARG002  # the port's signature
        """Return nothing: what happens is told to fulfilment directly."""
        return []


def _check_digit(serial: int) -> int:
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, f"{serial:08d}", strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)

"""To whom an order goes, as it lies beside the order: sealed, or plain where it was written before it was sealed."""

import asyncpg
import msgspec

from entrepot.base.seals import Seals
from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.checkout.held import CONTACT


async def opened(row: asyncpg.Record, seals: Seals) -> Contact | None:
    """Return the contact of a row of ``ordering.contact``; None where there is none, or its subject was forgotten."""
    if row["sealed"] is not None:
        text = (await seals.unseal(row["subject"], {CONTACT: row["sealed"]}))[CONTACT]
        return None if text is None else msgspec.json.decode(text, type=Contact)
    if row["address"] is None:
        return None
    address = msgspec.json.decode(row["address"], type=Address)
    return Contact(email=row["email"], name=row["name"], phone=row["phone"], address=address)

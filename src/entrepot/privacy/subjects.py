"""Who is meant: an id or an address becomes the subjects that stand for one person, accounts and guests alike."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from entrepot.base.errors import NotFoundError
from entrepot.base.event import Event
from entrepot.commerce.business.store import BUYER_EMAIL
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.held import CONTACT
from entrepot.commerce.people.door import EMAIL
from entrepot.privacy import store
from entrepot.record.cause import about
from entrepot.record.transaction import Connection, Transaction
from entrepot.sealing.blind import email_normal
from entrepot.sealing.sealing import Sealing

FOUND_BY = "privacy.found_by.email"


async def named(connection: Connection, sealing: Sealing, cell: int, who: str) -> list[UUID]:
    """Return the subjects of an id or an e-mail address, the one that stands for all first; nobody is refused."""
    try:
        subject = UUID(who)
    except ValueError:
        found = await _by_email(connection, sealing, cell, who)
        if not found:
            raise NotFoundError("Nobody is known by this address: check it, or give an order's subject.") from None
        about(*found)
        return found
    if not await store.is_known(connection, cell, subject):
        raise NotFoundError(f"Nothing is known of {subject}.", subject=str(subject))
    return await together(connection, sealing, cell, subject)


async def together(connection: Connection, sealing: Sealing, cell: int, subject: UUID) -> list[UUID]:
    """Return a person, and the guests that they were under the address which they have confirmed since."""
    sealed = await store.email_of(connection, subject)
    opened = (await sealing.unseal(subject, {EMAIL: sealed}))[EMAIL] if sealed else None
    others = await _by_email(connection, sealing, cell, opened) if opened else []
    return [subject, *(one for one in others if one != subject)]


async def find_guests(sealing: Sealing, tx: Transaction, events: Sequence[Event]) -> None:
    """React to orders: let each be found by the address that it goes to."""
    orders = [event.decode(_Placed).id for event in events]
    rows = await store.contacts_of_orders(tx.connection, tx.cell, orders)
    opened = await sealing.unseal_many([(subject, {CONTACT: sealed}) for _, subject, sealed in rows])
    found = [
        (subject, order, sealing.blind(FOUND_BY, email_normal(msgspec.json.decode(text, type=Contact).email)))
        for (order, subject, _), one in zip(rows, opened, strict=True)
        if (text := one[CONTACT]) is not None
    ]
    if found:
        await store.add_found_by(tx.connection, tx.cell, found)


async def _by_email(connection: Connection, sealing: Sealing, cell: int, email: str) -> list[UUID]:
    normal = email_normal(email)
    blinds = (sealing.blind(field, normal) for field in (EMAIL, FOUND_BY, BUYER_EMAIL))
    found = await store.subjects_by_email(connection, cell, *blinds)
    gone = await store.forgotten(connection, found)
    return [one for one in found if one not in gone]


class _Placed(msgspec.Struct, frozen=True):
    """What is read of an order."""

    id: UUID

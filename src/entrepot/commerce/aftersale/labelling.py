"""Labels of parcels that a carrier has taken: what they are made of, and how they are kept.

A label names somebody: it is kept sealed under the key of whom the order goes to, so that it is forgotten with them.
"""

import base64
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.ids import lowest_at
from entrepot.base.seals import Seals
from entrepot.commerce.aftersale import store
from entrepot.commerce.aftersale.carrying import consignment_of
from entrepot.commerce.fulfilment import parcels
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.fulfilment.parcels import Parcel
from entrepot.partners.carrier.port import Consignment, LabelKind
from entrepot.record.transaction import Record

SEALED_AS = "label"


class AddresseeForgottenError(ConflictError):
    """Nobody is known any more to whom a parcel goes: a label of it cannot be shown."""

    slug = "addressee-forgotten"
    status = 410

    def __init__(self, shipment_id: UUID) -> None:
        super().__init__(
            f"To whom the shipment {shipment_id} goes was never written down, or is forgotten: there is no label of it.",
            shipment_id=str(shipment_id),
        )


class ToLabel(Struct, frozen=True):
    """A parcel with all that its label says, and under whose key the label is kept."""

    parcel: Parcel
    consignment: Consignment
    subject: UUID


async def to_label(record: Record, cell: int, shipment_id: UUID) -> ToLabel:
    """Return what the label of a shipment says; one that no carrier was booked for has none."""
    async with record.reading() as connection:
        if await shipments.order_of(connection, cell, shipment_id) is None:
            raise NotFoundError(f"There is no shipment {shipment_id}.", shipment_id=str(shipment_id))
        parcel = parcels.check_booked(shipment_id, await shipments.parcel(connection, cell, shipment_id))
        subject = await store.subject_of(connection, cell, parcel.order_id)
        consignment = await consignment_of(connection, cell, parcel, record.sealing)
    if subject is None or consignment.to is None:
        raise AddresseeForgottenError(shipment_id)
    return ToLabel(parcel, consignment, subject)


def object_of(cell: int, parcel: Parcel, kind: LabelKind) -> str:
    """Return the key of a label among the objects; the order of keys is that in which parcels were asked for."""
    return f"{_folder(cell)}{parcel.reference}.{kind}"


def objects_before(cell: int, millis: int) -> tuple[str, str]:
    """Return what keys of labels begin with, and the key before which they were asked for earlier than this moment."""
    return _folder(cell), f"{_folder(cell)}{lowest_at(millis)}"


async def sealed(seals: Seals, subject: UUID, label: bytes) -> bytes:
    """Return a label as it is kept."""
    return (await seals.seal(subject, {SEALED_AS: base64.b64encode(label).decode()}))[SEALED_AS]


async def opened(seals: Seals, found: ToLabel, kept: bytes) -> bytes:
    """Return a label as it is printed."""
    text = (await seals.unseal(found.subject, {SEALED_AS: kept}))[SEALED_AS]
    if text is None:
        raise AddresseeForgottenError(found.parcel.shipment_id)
    return base64.b64decode(text)


def _folder(cell: int) -> str:
    return f"labels/{cell}/"

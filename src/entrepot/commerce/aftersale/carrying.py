"""Shipments that a carrier takes: noted, asked for, and sent, in three steps that survive a crash between any two.

First a transaction notes the parcel under a reference; then the carrier is asked, which books a reference once; then a
transaction notes its number and sends the shipment. What was asked for and never sent is given up at the carrier by
``follow_parcels``, a job, which also reads where parcels are and lets their shipments arrive, or be lost.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog

from entrepot.base.errors import BadInputError
from entrepot.base.limits import PARCEL_PATIENCE_SECONDS, PARCELS_PER_RUN_MAX
from entrepot.base.time import Clock, utc
from entrepot.commerce.aftersale import commands, store
from entrepot.commerce.aftersale.ground import locked_shipment, now
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.fulfilment import parcels
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.fulfilment.commands import save_parcel
from entrepot.commerce.fulfilment.parcels import Parcel, ParcelRefusedError
from entrepot.partners.carrier.port import Carrier, CarrierAwayError, Consignee, Consignment, NotTaken
from entrepot.record.transaction import Record, Transaction

log = structlog.get_logger()

ACTOR = "job/parcels"


async def book(record: Record, carriers: Mapping[str, Carrier], cell: int, shipment_id: UUID, name: str, actor: str) -> Parcel:
    """Have a carrier take a shipment and return the parcel with its number, for ``send``; asked again, it is the same one."""
    carrier = carriers.get(name)
    if carrier is None:
        raise BadInputError(f"The carrier {name!r} cannot be booked from here: {', '.join(carriers)} can.", carrier=name)
    async with record.transaction(cell, actor) as tx:
        parcel, consignment = await _ask(tx, shipment_id, name)
    if not parcels.is_waiting(parcel):
        return parcel
    answer = await carrier.book(consignment)
    if isinstance(answer, NotTaken):
        async with record.transaction(cell, actor) as tx:
            await _save(tx, parcel, parcels.move(parcel, "refused"))
        raise ParcelRefusedError(shipment_id, name, answer.reason)
    return parcels.booked(parcel, answer.tracking)


async def send(tx: Transaction, parcel: Parcel) -> Moved:
    """Send a shipment with the carrier that has taken it, under the number it was given."""
    await _save(tx, parcel, parcel)
    return await commands.ship(tx, parcel.shipment_id, parcel.carrier, parcel.tracking)


async def follow_parcels(record: Record, carriers: Mapping[str, Carrier], cell: int, clock: Clock) -> int:
    """Ask carriers where parcels are, and give up what was asked for and not sent; returns how many have moved."""
    at = utc(clock.millis())
    async with record.committing() as connection:
        patience = at - timedelta(seconds=PARCEL_PATIENCE_SECONDS)
        due = await shipments.parcels_to_look_at(connection, cell, at, patience, PARCELS_PER_RUN_MAX)
    return sum([await _look(record, carriers[one.carrier], cell, one) for one in due if one.carrier in carriers])


async def _look(record: Record, carrier: Carrier, cell: int, parcel: Parcel) -> bool:
    try:
        if parcels.is_waiting(parcel):
            await carrier.give_up(parcel.reference)
            after = parcels.move(parcel, "given_up")
        else:
            after = parcels.follow(parcel, await carrier.seen(parcel.tracking))
    except CarrierAwayError as error:  # the next run asks again; the others go on
        log.warning("parcel.waits", shipment_id=str(parcel.shipment_id), why=str(error))
        return False
    if after == parcel:
        return False
    async with record.transaction(cell, ACTOR) as tx:
        _, shipment, _ = await locked_shipment(tx, parcel.shipment_id)
        if await shipments.parcel(tx.connection, cell, parcel.shipment_id) != parcel:
            return False  # another was quicker
        await save_parcel(tx, after, now(tx))
        match parcels.ending(shipment, after):
            case "delivered":
                await commands.deliver(tx, shipment.id)
            case "lost":
                await commands.lose(tx, shipment.id)
            case None:
                pass
    return True


async def _ask(tx: Transaction, shipment_id: UUID, name: str) -> tuple[Parcel, Consignment]:
    """Note that a carrier is asked to take a shipment."""
    order, shipment, _ = await locked_shipment(tx, shipment_id)
    before = await shipments.parcel(tx.connection, tx.cell, shipment_id)
    parcel = parcels.ask(shipment, before, name, tx.ids.fresh())
    if parcel != before:
        await save_parcel(tx, parcel, now(tx))
    contact = await store.contact_of(tx.connection, tx.cell, order.placed.id, tx.sealing)
    grams = await store.grams_of(tx.connection, tx.cell, shipment_id)
    return parcel, Consignment(reference=parcel.reference, grams=grams, to=_consignee(contact))


async def _save(tx: Transaction, asked: Parcel, after: Parcel) -> None:
    """Note a carrier's answer, if the parcel still waits for it."""
    await locked_shipment(tx, asked.shipment_id)
    parcels.check_waits(await shipments.parcel(tx.connection, tx.cell, asked.shipment_id), asked)
    await save_parcel(tx, after, now(tx))


def _consignee(contact: Contact | None) -> Consignee | None:
    if contact is None:
        return None
    where = contact.address
    return Consignee(
        name=contact.name, lines=[where.line1, where.line2], city=where.city, country=where.country, region=where.region,
        postcode=where.postcode, phone=contact.phone,
    )  # fmt: skip

"""Shipments that a carrier takes: noted, asked for, and sent, in three steps that survive a crash between any two.

First a transaction notes the parcel under a reference; then the carrier is asked, which books a reference once; then a
transaction notes its number and sends the shipment. What was asked for and never sent is given up at the carrier by
``follow_parcels``, a job, which also reads where parcels are and lets their shipments arrive, or be lost. A carrier's webhook
(``take_webhook``) has one parcel read at once; it is never believed.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from msgspec import Struct

from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.limits import INBOX_DAYS, INBOX_PRUNED_PER_RUN_MAX, PARCEL_PATIENCE_SECONDS, PARCELS_PER_RUN_MAX
from entrepot.base.seals import Seals
from entrepot.base.time import Clock, stamp_millis, utc
from entrepot.commerce.aftersale import commands, query, store
from entrepot.commerce.aftersale.ground import locked_shipment, now
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.fulfilment import parcels
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.fulfilment.commands import save_parcel
from entrepot.commerce.fulfilment.parcels import Parcel, ParcelRefusedError
from entrepot.partners.carrier.port import Carrier, CarrierAwayError, Consignee, Consignment, NotTaken
from entrepot.record.transaction import Connection, Record, Transaction

log = structlog.get_logger()

ACTOR = "job/parcels"


class Heard(Struct, frozen=True, kw_only=True):
    """A carrier's webhook that was taken in; ``repeated`` when its work had been done before."""

    event_id: str
    kind: str
    repeated: bool = False


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


async def chosen_carrier(record: Record, cell: int, shipment_id: UUID) -> str:
    """Return the carrier of the shipping method that a shipment's order goes by."""
    async with record.reading() as connection:
        order_id = await shipments.order_of(connection, cell, shipment_id)
        if order_id is None:
            raise NotFoundError(f"There is no shipment {shipment_id}.", shipment_id=str(shipment_id))
        return parcels.chosen(order_id, await query.carriers_of(connection, cell, order_id))


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
    moved = 0
    for one in due:
        if one.carrier not in carriers:
            continue
        try:
            moved += await _look(record, carriers[one.carrier], cell, one)
        except CarrierAwayError as error:  # the next run asks again; the others go on
            log.warning("parcel.waits", shipment_id=str(one.shipment_id), why=str(error))
    return moved


async def take_webhook(
    record: Record, carriers: Mapping[str, Carrier], cell: int, name: str, headers: Mapping[str, str], body: bytes
) -> Heard:
    """Take a carrier's webhook in, once, and read the parcel that it is about; a forged, late or replayed one is refused."""
    carrier = carriers.get(name)
    if carrier is None:
        raise NotFoundError(f"There is no carrier {name!r} here: {', '.join(carriers)}.", carrier=name)
    at = stamp_millis(record.clock.tick())
    told = carrier.read_webhook(headers, body, at)
    async with record.committing() as connection:
        if await shipments.take_in(connection, cell, name, told.event_id, told.kind, utc(at)):
            return Heard(event_id=told.event_id, kind=told.kind, repeated=True)
        parcel = await shipments.parcel_by_number(connection, cell, name, told.tracking)
    if parcel is None:
        raise NotFoundError(f"The carrier {name} has no parcel {told.tracking!r} of ours.", tracking=told.tracking)
    await _look(record, carrier, cell, parcel)
    async with record.committing() as connection:
        await shipments.mark_done(connection, cell, name, told.event_id, utc(at))
    return Heard(event_id=told.event_id, kind=told.kind)


async def forget_webhooks(record: Record, cell: int, clock: Clock) -> int:
    """Forget webhooks of which no carrier sends a repetition any more, so many at a time; returns how many."""
    before = utc(clock.millis()) - timedelta(days=INBOX_DAYS)
    async with record.committing() as connection:
        return await shipments.prune_inbox(connection, cell, before, INBOX_PRUNED_PER_RUN_MAX)


async def _look(record: Record, carrier: Carrier, cell: int, parcel: Parcel) -> bool:
    if parcels.is_waiting(parcel):
        await carrier.give_up(parcel.reference)
        after = parcels.move(parcel, "given_up")
    else:
        after = parcels.follow(parcel, await carrier.seen(parcel.tracking))
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
    _, shipment, _ = await locked_shipment(tx, shipment_id)
    before = await shipments.parcel(tx.connection, tx.cell, shipment_id)
    parcel = parcels.ask(shipment, before, name, tx.ids.fresh())
    if parcel != before:
        await save_parcel(tx, parcel, now(tx))
    return parcel, await consignment_of(tx.connection, tx.cell, parcel, tx.sealing)


async def consignment_of(connection: Connection, cell: int, parcel: Parcel, seals: Seals) -> Consignment:
    """Return a parcel as its carrier needs to know it."""
    contact = await store.contact_of(connection, cell, parcel.order_id, seals)
    grams = await store.grams_of(connection, cell, parcel.shipment_id)
    return Consignment(reference=parcel.reference, grams=grams, to=_consignee(contact))


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

"""What happened to an order, as people say it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from entrepot.commerce.aftersale.query import Moment
from entrepot.commerce.fulfilment.query import ShipmentDetail
from entrepot.console.render import amount

# By what it is about and what happened: the words, and the shape of the state.
_WORDS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("order", "placed"): ("Placed", "good"),
    ("order", "cancelled"): ("Cancelled", "idle"),
    ("order", "lines_cancelled"): ("Cancelled in part", "idle"),
    ("order", "given_back"): ("Given back", "warning"),
    ("payment", "authorized"): ("Payment authorized", "good"),
    ("payment", "captured"): ("Payment taken", "good"),
    ("payment", "refunded"): ("Refunded", "good"),
    ("payment", "voided"): ("Authorization given up", "idle"),
    ("dispute", "opened"): ("Disputed by the buyer", "bad"),
    ("dispute", "won"): ("Dispute won", "good"),
    ("dispute", "lost"): ("Dispute lost", "bad"),
    ("shipment", "planned"): ("Shipment planned", "idle"),
    ("shipment", "picked"): ("Picked", "idle"),
    ("shipment", "packed"): ("Packed", "idle"),
    ("shipment", "shipped"): ("Shipped", "good"),
    ("shipment", "under_way"): ("With the carrier, under way", "good"),
    ("shipment", "delivered"): ("Delivered", "good"),
    ("shipment", "lost"): ("Lost on its way", "bad"),
    ("shipment", "cancelled"): ("Shipment cancelled", "idle"),
    ("return", "requested"): ("Return requested", "warning"),
    ("return", "received"): ("Return received", "warning"),
    ("return", "inspected"): ("Return inspected", "warning"),
    ("return", "refunded"): ("Return refunded", "good"),
    ("return", "exchanged"): ("Return exchanged", "good"),
    ("return", "rejected"): ("Return rejected", "bad"),
}
_CARRIERS = {"own": "our own vans"}
_NOT_WELL = {"failed": "bad", "unclear": "bad", "asked": "warning"}


# What a buyer reads of a parcel in each state of its shipment.
_PARCEL: Mapping[str, tuple[str, str]] = {
    "planned": ("Being prepared", "idle"),
    "picked": ("Being prepared", "idle"),
    "packed": ("Packed", "idle"),
    "shipped": ("Given to the carrier", "good"),
    "delivered": ("Delivered", "good"),
    "lost": ("Lost on its way", "bad"),
}


class ParcelShown(Struct, frozen=True):
    """A parcel as its buyer reads of it: how far it is, who carries it under which number, what is in it."""

    how_far: str
    state: str
    at: datetime
    carrier: str
    tracking: str
    pieces: Sequence[tuple[int, str]]


class Step(Struct, frozen=True):
    """Something that happened: when, in which words, with which shape, and what more is known of it."""

    at: datetime
    what: str
    state: str
    why: str


def parcels(shipments: Sequence[ShipmentDetail], titles: Mapping[str, str]) -> list[ParcelShown]:
    """Return the parcels of an order as its buyer reads of them; of one that was cancelled there is nothing to follow."""
    return [_parcel(one, titles) for one in shipments if one.state in _PARCEL]


def _parcel(one: ShipmentDetail, titles: Mapping[str, str]) -> ParcelShown:
    how_far, shape = _PARCEL[one.state]
    if one.state == "shipped" and one.under_way_at:
        how_far = "Under way"
    at = one.delivered_at or (one.under_way_at if one.state == "shipped" else None) or one.shipped_at or one.planned_at
    pieces = [(line.quantity, titles.get(line.sku, line.sku)) for line in one.lines]
    return ParcelShown(how_far, shape, at, _CARRIERS.get(one.carrier, one.carrier), one.tracking, pieces)


def shown(moment: Moment, currency: str) -> Step:
    """Return a moment as people read it."""
    known = _WORDS.get((moment.about, moment.what))
    last = moment.what.rpartition("_")[2]
    words, shape = known or (f"{moment.about} {moment.what.replace('_', ' ')}".capitalize(), _NOT_WELL.get(last, "idle"))
    money = "" if moment.amount_minor is None else amount(moment.amount_minor, currency)
    note = moment.note.replace("_", " ") if moment.about in {"dispute", "return"} else moment.note
    return Step(moment.at, words, shape, ", ".join(part for part in (money, note) if part))

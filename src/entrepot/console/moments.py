"""What happened to an order, as people say it. Pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from entrepot.commerce.aftersale.query import Moment
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
_NOT_WELL = {"failed": "bad", "unclear": "bad", "asked": "warning"}


class Step(Struct, frozen=True):
    """Something that happened: when, in which words, with which shape, and what more is known of it."""

    at: datetime
    what: str
    state: str
    why: str


def shown(moment: Moment, currency: str) -> Step:
    """Return a moment as people read it."""
    known = _WORDS.get((moment.about, moment.what))
    last = moment.what.rpartition("_")[2]
    words, shape = known or (f"{moment.about} {moment.what.replace('_', ' ')}".capitalize(), _NOT_WELL.get(last, "idle"))
    money = "" if moment.amount_minor is None else amount(moment.amount_minor, currency)
    note = moment.note.replace("_", " ") if moment.about in {"dispute", "return"} else moment.note
    return Step(moment.at, words, shape, ", ".join(part for part in (money, note) if part))

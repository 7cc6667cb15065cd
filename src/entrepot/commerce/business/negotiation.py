"""Pure decisions about a negotiation: a company asks, we offer a price per piece, it counters, until one side accepts.

Whoever made the last proposal cannot accept it. What was accepted can be ordered once, until it expires.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NegotiationExpiredError
from entrepot.base.machine import Machine
from entrepot.commerce.business.events import NegotiationChanged, NegotiationState, Side

NEGOTIATION = Machine(
    "negotiation",
    {
        "requested": ("offered", "declined"),
        "offered": ("countered", "accepted", "declined", "expired"),
        "countered": ("offered", "accepted", "declined", "expired"),
        "accepted": ("ordered", "expired"),
        "ordered": (),
        "declined": (),
        "expired": (),
    },
)


class WantedPieces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article, and how many of it a price is asked for."""

    sku: str
    quantity: int


class Negotiation(Struct, frozen=True, kw_only=True):
    """A negotiation's row."""

    id: UUID
    company_id: UUID
    buyer_id: UUID
    state: NegotiationState
    market: str
    currency: str
    skus: list[str]
    quantities: list[int]
    units_minor: list[int]
    proposed_by: Side
    valid_until: datetime | None
    version: int

    def told(self) -> NegotiationChanged:
        """Return what an event says of it."""
        return NegotiationChanged(**{name: getattr(self, name) for name in NegotiationChanged.__struct_fields__})


class Round(Struct, frozen=True, kw_only=True):
    """One move of a negotiation, kept for ever."""

    round: int
    by_whom: Side
    did: str
    units_minor: list[int]
    valid_until: datetime | None
    note: str
    at: datetime


def check_wanted(wanted: Sequence[WantedPieces]) -> None:
    """Refuse a request for nothing, for an article twice, or for a quantity that cannot be."""
    if not 1 <= len(wanted) <= limits.PURCHASE_LINES_MAX:
        raise BadInputError(f"Prices of {len(wanted)} articles cannot be asked for: 1 to {limits.PURCHASE_LINES_MAX}.")
    skus = [line.sku for line in wanted]
    twice = next((sku for place, sku in enumerate(skus) if sku in skus[:place]), None)
    if twice is not None:
        raise BadInputError(f"The article {twice} is named twice: say it once, with all its pieces.", sku=twice)
    for line in wanted:
        if not 1 <= line.quantity <= limits.QUANTITY_MAX:
            raise BadInputError(f"{line.quantity} pieces of {line.sku} cannot be ordered: 1 to {limits.QUANTITY_MAX}.")


def offer(negotiation: Negotiation, units: dict[str, int], valid_until: datetime, now: datetime) -> Negotiation:
    """Return the negotiation with our offer: a price per piece for each article, until a moment."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "offered")
    if valid_until.tzinfo is None:
        raise BadInputError(f"The moment {valid_until.isoformat()} has no time zone: add one, such as Z.", field="valid_until")
    if not now < valid_until <= now + timedelta(days=limits.NEGOTIATION_DAYS_MAX):
        raise BadInputError(
            f"An offer cannot be valid until {valid_until.isoformat()}: choose one within {limits.NEGOTIATION_DAYS_MAX} days."
        )
    proposed = _proposed(negotiation, units)
    return _next(negotiation, state="offered", units_minor=proposed, proposed_by="merchant", valid_until=valid_until)


def counter(negotiation: Negotiation, units: dict[str, int], now: datetime) -> Negotiation:
    """Return the negotiation with the company's counter-proposal."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "countered")
    check_valid(negotiation, now)
    return _next(negotiation, state="countered", units_minor=_proposed(negotiation, units), proposed_by="company")


def accept(negotiation: Negotiation, by: Side, now: datetime) -> Negotiation:
    """Return the negotiation agreed on, by the side that did not make the last proposal."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "accepted")
    check_valid(negotiation, now)
    if by == negotiation.proposed_by:
        raise ConflictError(
            f"The last proposal in the negotiation {negotiation.id} is the {by}'s own: the other side accepts it.",
            negotiation_id=str(negotiation.id),
        )
    return _next(negotiation, state="accepted")


def decline(negotiation: Negotiation) -> Negotiation:
    """Return the negotiation ended without agreement."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "declined")
    return _next(negotiation, state="declined")


def expire(negotiation: Negotiation) -> Negotiation:
    """Return the negotiation whose last proposal, or agreement, is no longer valid."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "expired")
    return _next(negotiation, state="expired")


def agreed(negotiation: Negotiation, company_id: UUID, now: datetime) -> dict[str, tuple[int, int]]:
    """Return the pieces of each article that was agreed on and the price of one, for its company, while it is valid."""
    if negotiation.company_id != company_id:
        raise ConflictError(f"The negotiation {negotiation.id} is another company's.", negotiation_id=str(negotiation.id))
    NEGOTIATION.check(negotiation.id, negotiation.state, "ordered")
    check_valid(negotiation, now)
    lines = zip(negotiation.skus, negotiation.quantities, negotiation.units_minor, strict=True)
    return {sku: (quantity, unit) for sku, quantity, unit in lines}


def ordered(negotiation: Negotiation) -> Negotiation:
    """Return the negotiation whose agreement was ordered."""
    NEGOTIATION.check(negotiation.id, negotiation.state, "ordered")
    return _next(negotiation, state="ordered")


def check_valid(negotiation: Negotiation, now: datetime) -> None:
    """Refuse what is no longer valid, whether or not the job has noticed."""
    if negotiation.valid_until is not None and now >= negotiation.valid_until:
        raise NegotiationExpiredError(negotiation.id, negotiation.valid_until.isoformat())


def move(negotiation: Negotiation, number: int, by: Side, note: str, now: datetime) -> Round:
    """Return the round that a move is remembered as; ``number`` counts from 1."""
    if number > limits.NEGOTIATION_ROUNDS_MAX:
        raise ConflictError(f"The negotiation {negotiation.id} had {number - 1} rounds: accept, decline, or begin anew.")
    return Round(
        round=number,
        by_whom=by,
        did=negotiation.state,
        units_minor=negotiation.units_minor,
        valid_until=negotiation.valid_until,
        note=note[: limits.COMPANY_TEXT_CHARS_MAX],
        at=now,
    )


def _proposed(negotiation: Negotiation, units: dict[str, int]) -> list[int]:
    """Return the prices in the order of the articles; each article has one, and nothing else has."""
    if units.keys() != set(negotiation.skus):
        odd = sorted(units.keys() ^ set(negotiation.skus))
        raise BadInputError(
            f"A proposal names a price for each article that was asked for, and no other: look at {odd}.", skus=odd
        )
    for sku, unit in units.items():
        if not 0 <= unit <= limits.MINOR_MAX:
            raise BadInputError(f"The price {unit} of {sku} is out of range: 0 to {limits.MINOR_MAX}.", sku=sku)
    return [units[sku] for sku in negotiation.skus]


def _next(negotiation: Negotiation, **changes: object) -> Negotiation:
    return msgspec.structs.replace(negotiation, **changes, version=negotiation.version + 1)

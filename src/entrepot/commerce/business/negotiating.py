"""The commands on negotiations. Time comes in as ``now``.

There are no logins yet: which side acts is said by whoever asks, and believed.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.business import negotiation as rules
from entrepot.commerce.business import store
from entrepot.commerce.business.events import (
    NEGOTIATION_ACCEPTED,
    NEGOTIATION_COUNTERED,
    NEGOTIATION_DECLINED,
    NEGOTIATION_EXPIRED,
    NEGOTIATION_OFFERED,
    NEGOTIATION_REQUESTED,
    NegotiationChanged,
    Side,
)
from entrepot.commerce.business.negotiation import Negotiation, WantedPieces
from entrepot.commerce.business.rules import check_may_buy, check_pays_in
from entrepot.record.transaction import Fact, Transaction


class NegotiationDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer asks prices for."""

    buyer_id: UUID
    market: str
    lines: list[WantedPieces]
    note: str = ""


class Negotiated(Struct, frozen=True, kw_only=True):
    """A negotiation after a command, and the position of the change."""

    negotiation: NegotiationChanged
    position: str


async def request_prices(tx: Transaction, company_id: UUID, draft: NegotiationDraft, now: datetime) -> Negotiated:
    """Ask for prices of one's own."""
    rules.check_wanted(draft.lines)
    company = await store.known_company(tx.connection, tx.cell, company_id)
    check_may_buy(company, await store.known_buyer(tx.connection, tx.cell, draft.buyer_id))
    currency = await store.market_currency(tx.connection, draft.market)
    check_pays_in(company, currency)
    skus = [line.sku for line in draft.lines]
    await store.check_skus(tx.connection, skus)
    begun = Negotiation(
        id=tx.ids.fresh(),
        company_id=company_id,
        buyer_id=draft.buyer_id,
        state="requested",
        market=draft.market,
        currency=currency,
        skus=skus,
        quantities=[line.quantity for line in draft.lines],
        units_minor=[],
        proposed_by="company",
        valid_until=None,
        version=1,
    )
    return await _write(tx, NEGOTIATION_REQUESTED, begun, "company", draft.note, now)


async def offer(
    tx: Transaction, negotiation_id: UUID, units: dict[str, int], valid_until: datetime, note: str, now: datetime
) -> Negotiated:
    """Offer a price per piece for each article, valid until a moment: to a request, or against a counter-proposal."""
    one = await store.locked_negotiation(tx.connection, tx.cell, negotiation_id)
    return await _write(tx, NEGOTIATION_OFFERED, rules.offer(one, units, valid_until, now), "merchant", note, now)


async def counter(tx: Transaction, negotiation_id: UUID, units: dict[str, int], note: str, now: datetime) -> Negotiated:
    """Propose other prices than were offered."""
    one = await store.locked_negotiation(tx.connection, tx.cell, negotiation_id)
    return await _write(tx, NEGOTIATION_COUNTERED, rules.counter(one, units, now), "company", note, now)


async def accept(tx: Transaction, negotiation_id: UUID, by: Side, note: str, now: datetime) -> Negotiated:
    """Accept the last proposal, which the other side made."""
    one = await store.locked_negotiation(tx.connection, tx.cell, negotiation_id)
    return await _write(tx, NEGOTIATION_ACCEPTED, rules.accept(one, by, now), by, note, now)


async def decline(tx: Transaction, negotiation_id: UUID, by: Side, note: str, now: datetime) -> Negotiated:
    """End a negotiation without agreement."""
    one = await store.locked_negotiation(tx.connection, tx.cell, negotiation_id)
    return await _write(tx, NEGOTIATION_DECLINED, rules.decline(one), by, note, now)


async def expire(tx: Transaction, now: datetime, limit: int) -> int:
    """End what is no longer valid; returns how many were."""
    ids = await store.negotiations_to_expire(tx.connection, tx.cell, now, limit)
    for negotiation_id in ids:
        one = rules.expire(await store.locked_negotiation(tx.connection, tx.cell, negotiation_id))
        await _write(tx, NEGOTIATION_EXPIRED, one, one.proposed_by, "", now)
    return len(ids)


async def _write(tx: Transaction, kind: str, one: Negotiation, by: Side, note: str, now: datetime) -> Negotiated:
    """Write a negotiation with the move that changed it; every version is a round."""
    move = rules.move(one, one.version, by, note, now)
    await store.put_negotiation(tx.connection, tx.cell, one)
    await store.put_round(tx.connection, tx.cell, one.id, move)
    told = one.told()
    token = await tx.append([Fact(kind, f"negotiation/{one.id}", one.version, told, one.buyer_id)])
    return Negotiated(negotiation=told, position=str(token))

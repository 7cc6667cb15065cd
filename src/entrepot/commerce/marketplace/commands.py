"""The commands on sellers, their warehouses, feeds, orders and payouts: each locks, lets ``rules`` decide, and writes.

What must be asked of a bank is written down here and asked by a job, after the commit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.catalog.store import SkuRow, skus
from entrepot.commerce.marketplace import paying, rules, store
from entrepot.commerce.marketplace.events import (
    FEED_APPLIED,
    SELLER_CHANGED,
    SELLER_CHARGED_BACK,
    SELLER_ORDER_MOVED,
    FeedApplied,
    SellerChanged,
    SellerChargedBack,
    SellerState,
)
from entrepot.commerce.marketplace.paying import Payout
from entrepot.commerce.marketplace.rules import Feed, Seller, SellerDraft, SellerUnknownError, ShareLine, Supplied
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.payment.events import DisputeMoved
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock.rules import Change, Place
from entrepot.commerce.stock.store import levels_for_update
from entrepot.record.transaction import Fact, Transaction


class SellerSaved(Struct, frozen=True, kw_only=True):
    """A seller after a command, and the position of the change (None: it was so already)."""

    seller: SellerChanged
    position: str | None = None


class Fed(Struct, frozen=True, kw_only=True):
    """What a feed did: how many of its articles we sell, how many levels changed, and (some of) the SKUs that are unknown."""

    warehouse: str
    sequence: int
    articles: int
    changed: int
    unknown: list[str]
    position: str


async def save_seller(tx: Transaction, code: str, draft: SellerDraft) -> SellerSaved:
    """Register a seller, or change it to what the draft says."""
    known = await store.seller_by_code(tx.connection, code)
    after = rules.become(known, code, draft, tx.ids.fresh())
    return await _save(tx, known, after)


async def set_seller_state(tx: Transaction, seller_id: UUID, to: SellerState) -> SellerSaved:
    """Pause a seller (its articles are not offered meanwhile), let it go on, or close it for ever."""
    known = await locked_seller(tx, seller_id)
    return await _save(tx, known, rules.move_seller(known, to))


async def save_warehouse(
    tx: Transaction, seller_id: UUID, code: str, country: str, rank: int, parcel_minor: int, lead_days: int = 0
) -> None:
    """Make a warehouse that a seller ships from; one that is another's is refused."""
    await locked_seller(tx, seller_id)
    place = Place(kind="supplier", country=country, parcel_minor=parcel_minor, lead_days=lead_days)
    await stock.save_warehouse(tx, code, rank, place)
    if await store.put_warehouse(tx.connection, tx.cell, code, seller_id) != seller_id:
        raise ConflictError(f"The warehouse {code} is another seller's: use another code.", warehouse=code)


async def apply_feed(tx: Transaction, seller_id: UUID, code: str, feed: Feed) -> Fed:
    """Make the levels of a supplier's warehouse what it tells; an older feed is refused, what is reserved stays so."""
    last = await store.last_feed(tx.connection, tx.cell, code, seller_id)
    if last is None:
        raise NotFoundError(f"The seller {seller_id} has no warehouse {code!r}: make it first.", warehouse=code)
    rules.check_feed(code, last, feed)
    known, at = await skus(tx.connection, [line.sku for line in feed.lines]), _now(tx)
    await store.fed(tx.connection, tx.cell, code, feed.sequence, at)
    changed = await _restock(tx, code, feed, known)
    costs = {
        known[line.sku].variant_id: line.cost_minor for line in feed.lines if line.sku in known and line.cost_minor is not None
    }
    await store.put_supply(tx.connection, tx.cell, code, costs, feed.currency)
    body = FeedApplied(
        warehouse=code, seller_id=seller_id, sequence=feed.sequence, articles=len(known), changed=changed, at=at
    )  # fmt: skip
    token = await tx.append([Fact(FEED_APPLIED, f"feed/{code}/{feed.sequence}", 1, body)])
    unknown = [line.sku for line in feed.lines if line.sku not in known][: limits.FEED_UNKNOWN_NAMED_MAX]
    return Fed(
        warehouse=code, sequence=feed.sequence, articles=len(known), changed=changed, unknown=unknown, position=str(token)
    )


async def share_orders(tx: Transaction, order_ids: Sequence[UUID]) -> Token | None:
    """Note what sellers have to do with these orders, and how far it is; returns None when that is nothing new.

    What we owe suppliers for what they ship is booked with it.
    """
    lines = await store.share_lines(tx.connection, tx.cell, order_ids)
    if not lines:
        return None
    at = _now(tx)
    await _book_supply(tx, lines, at)
    known = await store.seller_orders(tx.connection, tx.cell, order_ids)
    moved = [
        after for key, group in rules.by_seller(lines).items() if (after := rules.share(known.get(key), group, at)) is not None
    ]
    if not moved:
        return None
    await store.put_seller_orders(tx.connection, tx.cell, moved)
    return await tx.append(
        [Fact(SELLER_ORDER_MOVED, f"seller_order/{o.order_id}/{o.seller_id}", o.version, o.told(at)) for o in moved]
    )


async def charge_back(tx: Transaction, dispute: DisputeMoved) -> None:
    """Take from each seller of an order its share of a dispute that was lost, and our commission's with it."""
    at = _now(tx)
    for net in await store.nets(tx.connection, tx.cell, dispute.payment_id):
        shares = rules.borne(net.disputes, dispute.amount_minor, net.total_minor, net.net_minor, net.commission_minor)
        transfers = rules.book_charge_back(net.seller_id, *shares)
        if transfers:
            why = f"dispute/{dispute.id}/{net.seller_id}"
            await orders.book(tx.connection, tx.cell, dispute.payment_id, net.currency, at, why, transfers)
            body = SellerChargedBack(
                dispute_id=dispute.id, order_id=dispute.payment_id, seller_id=net.seller_id, amount_minor=shares[0],
                currency=net.currency, at=at, commission_minor=shares[1],
            )  # fmt: skip
            await tx.append([Fact(SELLER_CHARGED_BACK, f"charge_back/{dispute.id}/{net.seller_id}", 1, body)])


async def ask_payouts(tx: Transaction, seller_id: UUID, now: datetime) -> list[Payout]:
    """Write down what a seller is to be paid, if it is its turn: its balance, less what is held back."""
    seller = await locked_seller(tx, seller_id)
    if not paying.due(seller, await store.last_payout(tx.connection, tx.cell, seller_id), now):
        return []
    balances = await store.balances(tx.connection, tx.cell, seller_id, paying.arrived_before(seller, now))
    payouts = paying.to_pay(seller, balances, now, (tx.ids.fresh() for _ in iter(int, 1)))
    for payout in payouts:
        await store.put_payout(tx.connection, tx.cell, payout)
        await _tell(tx, payout, 1)
    return payouts


async def end_payout(
    tx: Transaction, payout_id: UUID, to: Literal["done", "failed"], now: datetime, reference: str = "", reason: str = ""
) -> Payout:
    """Note what became of a payout, and book it when it is done; one that has ended stays as it is."""
    payout = await store.payout(tx.connection, tx.cell, payout_id)
    if payout is None:
        raise NotFoundError(f"There is no payout {payout_id}.", payout_id=str(payout_id))
    after = paying.end(payout, to, now, reference, reason)
    if after is None:
        return payout
    await store.end_payout(tx.connection, tx.cell, after)
    await orders.book(tx.connection, tx.cell, payout_id, payout.currency, now, "payout", paying.book(after))
    await _tell(tx, after, 2)
    return after


async def locked_seller(tx: Transaction, seller_id: UUID) -> Seller:
    """Lock a seller, or say that there is none."""
    found = await store.seller(tx.connection, seller_id, for_update=True)
    if found is None:
        raise SellerUnknownError(seller_id)
    return found


async def _save(tx: Transaction, known: Seller | None, after: Seller | None) -> SellerSaved:
    now = after or known
    assert now is not None  # what is not known becomes something
    if after is None:
        return SellerSaved(seller=now.told())
    await store.put_seller(tx.connection, after)
    token = await tx.append([Fact(SELLER_CHANGED, f"seller/{after.id}", after.version, after.told())])
    return SellerSaved(seller=after.told(), position=str(token))


async def _restock(tx: Transaction, code: str, feed: Feed, known: Mapping[str, SkuRow]) -> int:
    """Make levels what a feed tells, and return how many changed; they are locked in key order, as everywhere."""
    told = {known[line.sku].variant_id: line.quantity for line in feed.lines if line.sku in known}
    await levels_for_update(tx.connection, tx.cell, [(variant_id, code) for variant_id in sorted(told)])
    stocked = await store.stocked(tx.connection, tx.cell, code, list(told))
    changes = [
        Change(variant_id=one.variant_id, warehouse=code, delta=rules.to_level(one, told[one.variant_id])) for one in stocked
    ]
    await stock.change_stock(tx, changes, "counted")
    return sum(change.delta != 0 for change in changes)


async def _book_supply(tx: Transaction, lines: Sequence[ShareLine], at: datetime) -> None:
    """Book what we owe suppliers for lines that they ship for us; what they need not ship, or took back, is off again."""
    ours = [line for line in lines if line.supplied]
    if not ours:
        return
    known = await store.supplied(tx.connection, tx.cell, list({line.order_id for line in ours}))
    costs = await store.supply_costs(tx.connection, tx.cell, list({line.variant_id for line in ours}))
    for line in ours:
        before = known.get((line.order_id, line.line))
        first = before or rules.supplied(line, costs)
        after = (rules.supply_back(first, line) or first) if first else None
        if after is not None and after != before:
            await _owe(tx, before, after, at)


async def _owe(tx: Transaction, before: Supplied | None, after: Supplied, at: datetime) -> None:
    await store.put_supplied(tx.connection, tx.cell, after)
    transfer = rules.book_supply(before, after)
    why = f"supply/{after.line}/{after.back}"
    await orders.book(tx.connection, tx.cell, after.order_id, after.currency, at, why, [transfer] if transfer else [])


async def _tell(tx: Transaction, payout: Payout, version: int) -> None:
    fact = Fact(paying.KIND_OF[payout.state], f"payout_to_seller/{payout.id}", version, payout.told())
    await tx.append([fact])


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))

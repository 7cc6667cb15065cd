"""The commands of stock, for many levels at once. A sale is not among them: that is the hot path, in ``checkout``."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec

from entrepot.base.event import Event, Token
from entrepot.commerce.stock import rules, store
from entrepot.commerce.stock.allocate import Routing
from entrepot.commerce.stock.events import ROUTING_SAVED, STOCK_CHANGED, Reason, RoutingSaved, StockChanged
from entrepot.commerce.stock.rules import Change, Count, Place
from entrepot.record.transaction import Fact, Transaction

# The variant of the threshold that holds for all that have none of their own.
ANY = UUID(int=0)


async def save_warehouse(tx: Transaction, code: str, rank: int = 100, place: Place | None = None) -> None:
    """Make a warehouse in the transaction's cell; the lowest rank is asked first. What ``place`` leaves out stays as it is."""
    place = msgspec.structs.replace(place or Place(), rank=rank)
    rules.check_place(code, place)
    await store.put_warehouse(tx.connection, tx.cell, code, place)


async def save_routing(tx: Transaction, market: str, routing: Routing) -> Token | None:
    """Say how the orders of a market are allocated from now on; returns None when it was so already."""
    version = await store.put_routing(tx.connection, tx.cell, market, routing)
    if version is None:
        return None
    body = RoutingSaved(market=market, allocation=routing.allocation, supplying=routing.supplying)
    return await tx.append([Fact(ROUTING_SAVED, f"routing/{market}", version, body)])


async def receive_stock(tx: Transaction, receipts: Sequence[Change]) -> Token | None:
    """Take pieces into warehouses."""
    rules.check_receipts(receipts)
    return await change_stock(tx, receipts, "received")


async def adjust_stock(tx: Transaction, adjustments: Sequence[Change]) -> Token | None:
    """Correct levels after counting, breakage or loss; below zero is refused."""
    return await change_stock(tx, adjustments, "adjusted")


async def transfer_stock(tx: Transaction, lines: Sequence[Change], to: str) -> Token | None:
    """Carry pieces from the warehouses they lie in to another; more than can be sold from there is refused."""
    kinds = await store.warehouse_kinds(tx.connection, tx.cell)
    return await change_stock(tx, rules.transfer(lines, to, kinds), "transferred")


async def take_stock(
    tx: Transaction, warehouse: str, counts: Sequence[Count], reason: str, to_send: Mapping[UUID, int]
) -> Token | None:
    """Correct the levels of a warehouse to what was counted; ``to_send`` is what is sold there and has not left.

    Returns None when all was as it should be.
    """
    rules.check_counts(counts, reason)
    await _known(tx, warehouse)
    levels = await store.levels_for_update(tx.connection, tx.cell, [(count.variant_id, warehouse) for count in counts])
    return await change_stock(tx, rules.differences(counts, levels, to_send, warehouse), "counted", reason)


async def set_threshold(tx: Transaction, variant_id: UUID | None, pieces: int) -> None:
    """Say from how few pieces on a variant is low; without a variant, any that has no threshold of its own."""
    rules.check_threshold(pieces)
    await store.put_threshold(tx.connection, tx.cell, variant_id or ANY, pieces)


async def watch_stock(tx: Transaction, events: Sequence[Event]) -> None:
    """React to changed levels: tell of variants that have become low, or have recovered, once per crossing."""
    variants = sorted({event.decode(StockChanged).variant_id for event in events})
    crossed = rules.crossed(await store.watched(tx.connection, tx.cell, variants))
    if not crossed:
        return
    await store.put_low(tx.connection, tx.cell, crossed)
    told = [(one, *rules.told(one)) for one in crossed]
    await tx.append([Fact(kind, f"stock_watch/{one.variant_id}", one.version, body) for one, kind, body in told])


async def _known(tx: Transaction, warehouse: str) -> None:
    rules.check_known(warehouse, await store.warehouse_kinds(tx.connection, tx.cell))


async def change_stock(tx: Transaction, changes: Sequence[Change], reason: Reason, note: str = "") -> Token | None:
    """Change levels, all or none, and say why; returns None when there was nothing to change."""
    sums = rules.sum_changes(changes)
    try:
        before = await store.levels_for_update(tx.connection, tx.cell, list(sums))
    except asyncpg.ForeignKeyViolationError as error:
        raise rules.unknown_warehouse(sums, error.detail) from error
    deltas = {(level.variant_id, level.warehouse): sums[level.variant_id, level.warehouse] for level in before}
    after = [rules.apply(level, deltas[level.variant_id, level.warehouse]) for level in before]
    changed = [level for level in after if deltas[level.variant_id, level.warehouse] != 0]
    if not changed:
        return None
    await store.put_levels(tx.connection, tx.cell, changed)
    return await tx.append(
        [
            Fact(
                STOCK_CHANGED,
                f"stock/{level.variant_id}/{level.warehouse}",
                level.version,
                StockChanged(
                    variant_id=level.variant_id,
                    warehouse=level.warehouse,
                    available=level.available,
                    delta=deltas[level.variant_id, level.warehouse],
                    reason=reason,
                    note=note,
                ),
            )
            for level in changed
        ]
    )

"""The commands of stock, for many levels at once. A sale is not among them: that is the hot path, in ``checkout``."""

from collections.abc import Sequence

import asyncpg

from entrepot.base.errors import BadInputError
from entrepot.base.event import Token
from entrepot.commerce.stock import rules, store
from entrepot.commerce.stock.allocate import WarehouseKind
from entrepot.commerce.stock.events import STOCK_CHANGED, Reason, StockChanged
from entrepot.commerce.stock.rules import Change
from entrepot.record.transaction import Fact, Transaction


async def save_warehouse(tx: Transaction, code: str, rank: int = 100) -> None:
    """Make a warehouse in the transaction's cell; the lowest rank is asked first."""
    rules.check_warehouse(code)
    rules.check_rank(code, rank)
    await store.put_warehouse(tx.connection, tx.cell, code, rank)


async def describe_warehouse(tx: Transaction, code: str, kind: WarehouseKind, country: str = "", parcel_minor: int = 0) -> None:
    """Say of which kind a warehouse is, where it lies, and what a parcel from there costs us."""
    await store.describe_warehouse(tx.connection, tx.cell, code, kind, country, parcel_minor)


async def receive_stock(tx: Transaction, receipts: Sequence[Change]) -> Token | None:
    """Take pieces into warehouses."""
    rules.check_receipts(receipts)
    return await change_stock(tx, receipts, "received")


async def adjust_stock(tx: Transaction, adjustments: Sequence[Change]) -> Token | None:
    """Correct levels after counting, breakage or loss; below zero is refused."""
    return await change_stock(tx, adjustments, "adjusted")


async def change_stock(tx: Transaction, changes: Sequence[Change], reason: Reason) -> Token | None:
    """Change levels, all or none, and say why; returns None when there was nothing to change."""
    sums = rules.sum_changes(changes)
    try:
        before = await store.levels_for_update(tx.connection, tx.cell, list(sums))
    except asyncpg.ForeignKeyViolationError as error:
        raise BadInputError("One of these warehouses is unknown in this cell: make it first.", detail=error.detail) from error
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
                ),
            )
            for level in changed
        ]
    )

"""Writes products through the commands: what they are, what they cost, and the opening stock of those that have none."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from entrepot.base import limits
from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.rules import ProductDraft
from entrepot.commerce.catalog.store import categories, skus
from entrepot.commerce.pricing.commands import set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.commerce.stock.commands import receive_stock
from entrepot.commerce.stock.rules import Change
from entrepot.commerce.stock.store import levels
from entrepot.importing.accounting import Account, Report
from entrepot.importing.documents import Reject
from entrepot.importing.mapping import ProductsMapping
from entrepot.importing.reading import Raw
from entrepot.importing.settle import patiently, settle
from entrepot.record.transaction import Record, Transaction


class Item(Struct, frozen=True):
    """A product as a row wants it, with its price and the pieces it begins with."""

    line: int
    raw: Raw
    draft: ProductDraft
    price_minor: int | None
    opening: int


class Shelver:
    """Writes the items of one run."""

    def __init__(self, record: Record, cell: int, mapping: ProductsMapping, report: Report) -> None:
        self._record = record
        self._cell = cell
        self._mapping = mapping
        self._report = report

    async def shelve(self, items: Sequence[Item]) -> list[Reject]:
        """Write items; returns those that were refused."""
        known = await patiently(lambda: self._known_categories(items))
        rejects: list[Reject] = []
        homeless = [item for item in items if not known.issuperset(item.draft.category_codes)]
        for item in homeless:
            missing = next(code for code in item.draft.category_codes if code not in known)
            rejects.append(_reject(item, f"the category {missing!r} is not known: import the categories first"))
        housed = [item for item in items if known.issuperset(item.draft.category_codes)]
        settled = await settle(self._record, self._cell, housed, self._write)
        for what, by in settled.counts.items():
            self._report.count(what, by)
        rejects += [_reject(item, reason) for item, reason in settled.refused]
        written = len(items) - len(rejects)
        if written:
            self._report.rows += written
            self._report.classes.setdefault("products", Account()).rows += written
        return rejects

    async def _known_categories(self, items: Sequence[Item]) -> set[str]:
        codes = sorted({code for item in items for code in item.draft.category_codes})
        if not codes:
            return set()
        async with self._record.reading() as connection:
            return set(await categories(connection, codes))

    async def _write(self, tx: Transaction, items: Sequence[Item]) -> dict[str, int]:
        saved = await save_products(tx, [item.draft for item in items])
        by_sku = await skus(tx.connection, [variant.sku for item in items for variant in item.draft.variants])
        variants = [(item, by_sku[variant.sku]) for item in items for variant in item.draft.variants]
        prices = [
            PriceDraft(
                product_id=row.product_id,
                variant_id=row.variant_id,
                market=self._mapping.market,
                currency=self._mapping.currency,
                amount_minor=item.price_minor,
            )
            for item, row in variants
            if item.price_minor is not None
        ]
        if prices:
            await set_prices(tx, prices)
        # An article that has a level in this warehouse has had its opening stock: a second run gives it no other.
        there = await levels(tx.connection, self._cell, [row.variant_id for _, row in variants])
        stocked = {level.variant_id for level in there if level.warehouse == self._mapping.warehouse}
        receipts = [
            Change(variant_id=row.variant_id, warehouse=self._mapping.warehouse, delta=pieces)
            for item, row in variants
            if row.variant_id not in stocked
            for pieces in _lots(item.opening)
        ]
        if receipts:
            await receive_stock(tx, receipts)
        return {"created": saved.created, "changed": saved.changed, "unchanged": saved.unchanged}


def _lots(pieces: int) -> list[int]:
    """Return the pieces in lots that one receipt may hold."""
    full, rest = divmod(pieces, limits.QUANTITY_MAX)
    return [limits.QUANTITY_MAX] * full + ([rest] if rest else [])


def _reject(item: Item, reason: str) -> Reject:
    return Reject(item.line, reason, item.raw, Decimal(0))

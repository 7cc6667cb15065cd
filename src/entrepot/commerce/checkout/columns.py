"""Orders as columns: the parallel arrays that the hot path's function takes, filled order by order."""

from uuid import UUID

import msgspec

from entrepot.base.ids import IdSource, derived
from entrepot.base.time import millis_of
from entrepot.commerce.ordering.events import OrderPlaced


class OrderColumns:
    """The arguments of ``checkout.place_orders`` after cell, stamp and actor, in the function's order."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self.count = 0
        self.orders: tuple[list[object], ...] = tuple([] for _ in range(12))
        self.lines: tuple[list[object], ...] = tuple([] for _ in range(11))
        self.charges: tuple[list[object], ...] = tuple([] for _ in range(6))

    def add(self, key: str, fingerprint: bytes, order: OrderPlaced) -> None:
        """Add one order; its place is the number of orders so far."""
        self.count += 1
        fresh = self._ids.fresh
        _append(
            self.orders,
            (order.id, fresh(), key, fingerprint, order.customer_id, order.market, order.country, order.currency,
             order.placed_at, order.goods_minor, order.charges_minor, msgspec.json.encode(order).decode()),
        )  # fmt: skip
        for line in order.lines:
            _append(
                self.lines,
                (self.count, line.line, line.product_id, line.variant_id, line.sku, line.category_id, line.warehouse,
                 line.quantity, line.unit_minor, line.amount_minor, fresh()),
            )  # fmt: skip
        for charge in order.charges:
            transfer_id: UUID = derived(millis_of(order.placed_at), str(order.id), "charge", str(charge.charge))
            _append(
                self.charges, (self.count, charge.charge, charge.kind, charge.amount_minor, charge.note, transfer_id)
            )  # fmt: skip

    def arguments(self) -> tuple[list[object], ...]:
        """Return the arrays as the function takes them."""
        return (*self.orders, *self.lines, *self.charges)


def _append(columns: tuple[list[object], ...], row: tuple[object, ...]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)

"""Orders and checkouts as columns: the parallel arrays that the functions of the hot path take, filled one by one."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from entrepot.base.ids import IdSource, derived
from entrepot.base.time import millis_of
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import Held
from entrepot.commerce.ordering.events import OrderPlaced
from entrepot.record.cause import Cause

_NO_REQUEST = (None,) * 5


class OrderColumns:
    """The arguments of ``checkout.place_orders`` after cell, stamp and actor, in the function's order."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self.count = 0
        self.orders: tuple[list[object], ...] = tuple([] for _ in range(12))
        self.lines: tuple[list[object], ...] = tuple([] for _ in range(11))
        self.charges: tuple[list[object], ...] = tuple([] for _ in range(6))
        self.requests: tuple[list[object], ...] = tuple([] for _ in range(5))

    def add(self, key: str, fingerprint: bytes, order: OrderPlaced, cause: Cause | None = None) -> None:
        """Add one order, and the request that asks for it; its place is the number of orders so far."""
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
        _append(self.requests, (cause.id, cause.actor, cause.network, cause.agent, cause.why) if cause else _NO_REQUEST)

    def arguments(self) -> tuple[list[object], ...]:
        """Return the arrays as the function takes them."""
        return (*self.orders, *self.lines, *self.charges, *self.requests)


class CheckoutColumns:
    """The arguments of ``checkout.reserve_checkouts`` after cell, stamp, actor and moments, in the function's order."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self.count = 0
        self.checkouts: tuple[list[object], ...] = tuple([] for _ in range(8))
        self.lines: tuple[list[object], ...] = tuple([] for _ in range(5))
        self.claims: tuple[list[object], ...] = tuple([] for _ in range(4))

    def add(self, key: str, mark: bytes, held: Held, claims: Sequence[Claim]) -> None:
        """Add one checkout; its place is the number of checkouts so far."""
        self.count += 1
        order, fresh = held.order, self._ids.fresh
        _append(
            self.checkouts,
            (order.id, fresh(), key, mark, order.customer_id, order.total_minor, order.currency,
             msgspec.json.encode(held).decode()),
        )  # fmt: skip
        for line in order.lines:
            _append(self.lines, (self.count, line.variant_id, line.warehouse, line.quantity, fresh()))
        for claim in claims:
            _append(self.claims, (self.count, claim.name, claim.amount, claim.most))

    def arguments(self) -> tuple[list[object], ...]:
        """Return the arrays as the function takes them."""
        return (*self.checkouts, *self.lines, *self.claims)


def _append(columns: tuple[list[object], ...], row: tuple[object, ...]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)

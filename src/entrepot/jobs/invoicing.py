"""What follows an order on net terms: its invoice, and a credit note for whatever of it is cancelled or comes back.

A reaction, so that each order has one invoice, whatever dies; and the jobs that time asks for: invoices that fall due, and
negotiations that expire.
"""

from collections.abc import Sequence

from entrepot.base import limits
from entrepot.base.event import Event
from entrepot.base.time import Clock, utc
from entrepot.commerce.business import billing, negotiating
from entrepot.commerce.business.billing import Freed
from entrepot.commerce.ordering.events import (
    LINES_CANCELLED,
    ORDER_CANCELLED,
    ORDER_PLACED,
    ORDER_RETURNED,
    LinesCancelled,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)
from entrepot.jobs.reaction import Reaction
from entrepot.record.transaction import Record, Transaction

KINDS = frozenset({ORDER_PLACED, ORDER_CANCELLED, ORDER_RETURNED, LINES_CANCELLED})


def invoicing(clock: Clock) -> Reaction:
    """Return the reaction that writes invoices and credit notes."""

    async def react(tx: Transaction, events: Sequence[Event]) -> None:
        freed = Freed()
        for event in events:
            await _react(tx, freed, event, clock)
        await billing.give_back(tx, freed)

    return Reaction(name="business.invoicing", kinds=KINDS, react=react)


async def mark_overdue(record: Record, cell: int, clock: Clock) -> int:
    """Tell of invoices that were not settled in time, and return how many."""
    async with record.transaction(cell, "invoicing") as tx:
        return await billing.mark_overdue(tx, utc(clock.millis()), limits.INVOICES_PER_RUN_MAX)


async def expire_negotiations(record: Record, cell: int, clock: Clock) -> int:
    """End negotiations that are no longer valid, and return how many."""
    async with record.transaction(cell, "negotiating") as tx:
        return await negotiating.expire(tx, utc(clock.millis()), limits.INVOICES_PER_RUN_MAX)


async def _react(tx: Transaction, freed: Freed, event: Event, clock: Clock) -> None:
    now = utc(clock.millis())
    if event.kind == ORDER_PLACED:
        order = event.decode(OrderPlaced)
        if order.paid_by == "terms":
            await billing.invoice_order(tx, order, now)
    elif event.kind == ORDER_CANCELLED:
        off = event.decode(OrderCancelled)
        await billing.credit_order(
            tx, freed, off.id, off.id, off.reason, now,
            lines=off.order.lines, charges=off.order.charges, taxes=off.order.taxes, total_minor=off.order.total_minor,
        )  # fmt: skip
    else:
        back = event.decode(OrderReturned) if event.kind == ORDER_RETURNED else event.decode(LinesCancelled)
        if back.id is not None:
            await billing.credit_order(
                tx, freed, back.id, back.return_id, back.reason, now,
                lines=back.lines, charges=back.charges, taxes=back.taxes, total_minor=back.total_minor,
            )  # fmt: skip

"""Digital goods follow their orders: handed out once they are paid, revoked when they are given back.

A reaction does it exactly once; a job looks again at what had to wait for licences.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import Event
from entrepot.commerce.digital import commands
from entrepot.commerce.ordering.events import LINES_CANCELLED, ORDER_CANCELLED, ORDER_PLACED, ORDER_RETURNED
from entrepot.commerce.payment.events import DISPUTE_LOST, PAYMENT_CAPTURED, PAYMENT_REFUNDED, DisputeMoved, PaymentMoved
from entrepot.jobs.reaction import Reaction
from entrepot.record.transaction import Record, Transaction

# A payment has its order's id.
_OF_ORDERS = frozenset({ORDER_PLACED, ORDER_CANCELLED, LINES_CANCELLED, ORDER_RETURNED, PAYMENT_CAPTURED})


class _OfOrder(Struct, frozen=True):
    id: UUID | None = None


async def react(tx: Transaction, events: Sequence[Event]) -> None:
    """Look again at every order that something happened to; revoke all of those whose money went back whole."""
    found = {event.decode(_OfOrder).id for event in events if event.kind in _OF_ORDERS}
    await commands.settle_orders(tx, sorted(order_id for order_id in found if order_id is not None))
    await commands.revoke_orders(tx, sorted({order_id for event in events for order_id in _given_back(event)}))


async def hand_out_waiting(record: Record, cell: int) -> int:
    """Look again at orders that wait for licences; returns how many."""
    async with record.transaction(cell, "job/digital") as tx:
        return await commands.hand_out_waiting(tx, limits.ENTITLEMENTS_PER_RUN_MAX)


def _given_back(event: Event) -> list[UUID]:
    if event.kind == DISPUTE_LOST:
        return [event.decode(DisputeMoved).payment_id]
    if event.kind == PAYMENT_REFUNDED:
        payment = event.decode(PaymentMoved)
        return [payment.id] if payment.state == "refunded" else []
    return []


HANDING_OUT = Reaction(name="digital.handing_out", kinds=_OF_ORDERS | {DISPUTE_LOST, PAYMENT_REFUNDED}, react=react)

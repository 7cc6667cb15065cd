"""What sellers have to do with orders: a reaction notes it once, whatever dies, and follows each order until it has arrived."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base.event import Event
from entrepot.commerce.fulfilment.events import SHIPMENT_DELIVERED, SHIPMENT_LOST
from entrepot.commerce.marketplace import commands
from entrepot.commerce.ordering.events import LINES_CANCELLED, ORDER_CANCELLED, ORDER_MOVED, ORDER_PLACED, ORDER_RETURNED
from entrepot.commerce.payment.events import DISPUTE_LOST, DisputeMoved
from entrepot.jobs.reaction import Reaction
from entrepot.record.transaction import Transaction

_OF_SHIPMENTS = frozenset({SHIPMENT_DELIVERED, SHIPMENT_LOST})
_OF_ORDERS = frozenset({ORDER_PLACED, ORDER_MOVED, ORDER_CANCELLED, LINES_CANCELLED, ORDER_RETURNED})


class _OfOrder(Struct, frozen=True):
    """An event of an order, or of what came back of one (whose order may be unknown)."""

    id: UUID | None = None


class _OfShipment(Struct, frozen=True):
    order_id: UUID


async def react(tx: Transaction, events: Sequence[Event]) -> None:
    """Look again at every order that something happened to; charge lost disputes back."""
    found = [event.decode(_OfOrder).id for event in events if event.kind in _OF_ORDERS]
    found += [event.decode(_OfShipment).order_id for event in events if event.kind in _OF_SHIPMENTS]
    await commands.share_orders(tx, sorted({order_id for order_id in found if order_id is not None}))
    for event in events:
        if event.kind == DISPUTE_LOST:
            await commands.charge_back(tx, event.decode(DisputeMoved))


SELLER_ORDERS = Reaction(name="marketplace.seller_orders", kinds=_OF_ORDERS | _OF_SHIPMENTS | {DISPUTE_LOST}, react=react)

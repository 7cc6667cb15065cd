"""Plans what leaves: shipments from warehouses; what was sold by promise waits for a receipt, and is planned when it comes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from entrepot.base.event import Event, Token
from entrepot.commerce.aftersale import plans
from entrepot.commerce.aftersale.commands import hand_over
from entrepot.commerce.aftersale.ground import locked_order, now
from entrepot.commerce.fulfilment import rules as fulfilment
from entrepot.commerce.fulfilment import store
from entrepot.commerce.fulfilment.commands import save_shipments
from entrepot.commerce.fulfilment.rules import ToSend
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock.rules import Change, Count
from entrepot.commerce.stock.store import warehouse_kinds
from entrepot.record.transaction import Transaction


async def plan_placed(tx: Transaction, events: Sequence[Event]) -> None:
    """React to placed orders: plan their shipments. History, and orders placed by hand, are planned by hand."""
    order_ids = plans.to_plan(events)
    if order_ids:
        await plan_shipments(tx, order_ids)


async def plan_shipments(tx: Transaction, order_ids: Sequence[UUID]) -> Token | None:
    """Plan all that is to leave of orders that nobody has planned for yet; returns None when there was nothing.

    What needs no parcel (a download, a service) is handed over at once.
    """
    plan = plans.split(await store.to_plan(tx.connection, tx.cell, order_ids))
    await store.put_waiting(tx.connection, tx.cell, plan.waiting)
    token = await _plan(tx, plan.to_send)
    for order_id, pieces in plan.without_parcel.items():
        token = (await hand_over(tx, order_id, pieces)).token
    return token


async def plan_order(tx: Transaction, order_id: UUID) -> Token | None:
    """Plan the shipments of one order; returns None when it is planned already."""
    await locked_order(tx, order_id)
    return await plan_shipments(tx, [order_id])


async def receive_stock(tx: Transaction, receipts: Sequence[Change]) -> Token | None:
    """Take pieces into warehouses: first for those who wait for them, the oldest order first; the rest can be sold."""
    waiting = await store.waiting_for(tx.connection, tx.cell, [receipt.variant_id for receipt in receipts])
    kinds = await warehouse_kinds(tx.connection, tx.cell)
    token = await stock.receive_stock(tx, receipts)
    filled = plans.fill(waiting, receipts, kinds)
    await store.put_waiting(tx.connection, tx.cell, filled.waiting)
    await stock.change_stock(tx, filled.changes, "filled")
    return await _plan(tx, filled.to_send) or token


async def take_stock(tx: Transaction, warehouse: str, counts: Sequence[Count], reason: str) -> Token | None:
    """Correct the levels of a warehouse to what was counted there; what is sold and has not left is counted in."""
    to_send = await store.to_send(tx.connection, tx.cell, warehouse, [count.variant_id for count in counts])
    return await stock.take_stock(tx, warehouse, counts, reason, to_send)


async def _plan(tx: Transaction, to_send: Mapping[UUID, Sequence[ToSend]]) -> Token | None:
    new = (tx.ids.fresh() for _ in iter(int, 1))
    planned = [shipment for order_id, pieces in to_send.items() for shipment in fulfilment.plan(order_id, pieces, new)]
    return await save_shipments(tx, planned, now(tx))

"""The commands after an order: send it, cancel it (or what has not left), give money back. All in one transaction each.

Money is asked of the gateway after the commit (``payment.operations``); what is decided here is set aside at once.
"""

from collections.abc import Sequence
from uuid import UUID

from entrepot.base.event import Event
from entrepot.commerce.aftersale import cases, money, rules, store
from entrepot.commerce.aftersale.ground import (
    ask,
    give_back,
    give_credit_back,
    locked_order,
    locked_payment,
    locked_shipment,
    need_approval,
    now,
    save_case,
    save_order,
)
from entrepot.commerce.aftersale.requests import Cancellation, Moved
from entrepot.commerce.checkout.commands import cancel_whole
from entrepot.commerce.fulfilment import rules as fulfilment
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.fulfilment.commands import save_shipments
from entrepot.commerce.fulfilment.events import ShipmentState
from entrepot.commerce.ordering import parts
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.ordering.parts import Pieces, StoredOrder
from entrepot.commerce.stock.commands import change_stock
from entrepot.commerce.stock.rules import Change
from entrepot.record.transaction import Transaction


async def advance_shipment(tx: Transaction, shipment_id: UUID, to: ShipmentState) -> Moved:
    """Say that a shipment was picked, or packed."""
    order, shipment, _ = await locked_shipment(tx, shipment_id)
    after = fulfilment.move(shipment, to)
    token = await save_shipments(tx, [after], now(tx))
    assert token is not None
    return Moved(id=shipment_id, order_id=order.placed.id, state=after.state, token=token)


async def ship(tx: Transaction, shipment_id: UUID, carrier: str, tracking: str) -> Moved:
    """Send a shipment: its pieces have left, and their share of the money is captured."""
    order, shipment, _ = await locked_shipment(tx, shipment_id)
    sent, at = fulfilment.send(shipment, carrier, tracking), now(tx)
    after = ordering.ship(order, {line.line: line.quantity for line in sent.lines})
    payment = await locked_payment(tx, order.placed.id)
    money.check_kept(after, payment)
    asks = money.on_shipment(after, payment)
    operations = await ask(tx, order.placed.id, shipment_id, asks)
    await save_shipments(tx, [sent], at)
    token = await save_order(tx, after, at)
    captured = sum(amount for kind, amount in asks if kind == "capture")
    return Moved(
        id=shipment_id, order_id=order.placed.id, state=sent.state, token=token, amount_minor=captured,
        currency=order.placed.currency, operations=operations,
    )  # fmt: skip


async def hand_over(tx: Transaction, order_id: UUID, pieces: Pieces) -> Moved:
    """Say that pieces left without a parcel (a download, a service): their share of the money is captured."""
    order, at = await locked_order(tx, order_id), now(tx)
    after = ordering.ship(order, pieces)
    operations = await ask(tx, order_id, order_id, money.on_shipment(after, await locked_payment(tx, order_id)))
    token = await save_order(tx, after, at)
    for arrived in rules.arrived(after, await shipments.of_order(tx.connection, tx.cell, order_id)):
        token = await save_order(tx, arrived, at)
    return Moved(id=order_id, order_id=order_id, state=after.state, token=token, operations=operations)


async def deliver(tx: Transaction, shipment_id: UUID) -> Moved:
    """Say that a shipment arrived; with the last of them, the order has."""
    order, shipment, others = await locked_shipment(tx, shipment_id)
    after, at = fulfilment.move(shipment, "delivered"), now(tx)
    token = await save_shipments(tx, [after], at)
    assert token is not None
    for arrived in rules.arrived(order, [after if one.id == shipment_id else one for one in others]):
        token = await save_order(tx, arrived, at)
    return Moved(id=shipment_id, order_id=order.placed.id, state=after.state, token=token)


async def lose(tx: Transaction, shipment_id: UUID) -> Moved:
    """Say that a shipment is lost: a return of its pieces is opened, ready to be refunded or sent again."""
    order, shipment, others = await locked_shipment(tx, shipment_id)
    after, at = fulfilment.move(shipment, "lost"), now(tx)
    await save_shipments(tx, [after], at)
    for arrived in rules.arrived(order, [after if one.id == shipment_id else one for one in others]):
        await save_order(tx, arrived, at)
    case = cases.lost(order, tx.ids.fresh(), {line.line: line.quantity for line in shipment.lines})
    token = await save_case(tx, case, at)
    return Moved(id=case.id, order_id=order.placed.id, state=after.state, token=token)


async def cancel(tx: Transaction, order_id: UUID, request: Cancellation) -> Moved:
    """Cancel an order, or those of its pieces that have not left: stock, coupons and money go back."""
    ordering.check_reason("cancellation", request.reason)
    order = await locked_order(tx, order_id)
    pieces = rules.to_cancel(order, request.lines)
    after = ordering.cancel_pieces(order, pieces)
    payment = await locked_payment(tx, order_id)
    back = await _take_out(tx, order, pieces)
    if rules.is_whole(order, pieces):
        return_id, kept, part = order_id, 0, order.placed
        await store.release_claims(tx.connection, tx.cell, order_id)
        await orders.count_pieces(tx.connection, tx.cell, after)
        token = await cancel_whole(tx, order, request.reason, now(tx), back)
    else:
        return_id, at, part = tx.ids.fresh(), now(tx), parts.to_cancel(order, pieces)
        await change_stock(tx, back, "cancelled")
        await give_back(tx, rules.given_up(part, return_id, at, request.reason), ordering.book_cancellation(part))
        token = await save_order(tx, after, at, request.reason)
        for arrived in rules.arrived(after, await shipments.of_order(tx.connection, tx.cell, order_id)):
            token = await save_order(tx, arrived, at)
        kept = order.placed.total_minor - sum((await orders.given_back(tx.connection, tx.cell, order_id)).values())
    asks = money.on_cancellation(after, payment, kept)
    await need_approval(tx, order_id, asks)
    operations = await ask(tx, order_id, return_id, asks)
    credit, asked = await give_credit_back(tx, order, part)
    refunded = sum(money.refunded(asks)) + credit
    return Moved(
        id=return_id, order_id=order_id, state=after.state, token=token, amount_minor=refunded,
        currency=order.placed.currency, operations=[*operations, *asked],
    )  # fmt: skip


async def give_up_unused(tx: Transaction, events: Sequence[Event]) -> None:
    """React to captures: once nothing of an order can leave any more, what is left of its promise is given up."""
    for order_id in rules.captured_in_part(events):
        order = await orders.order(tx.connection, tx.cell, order_id, for_update=True)
        if order is not None:  # a payment that was made beside all orders keeps its promise
            await ask(tx, order_id, order_id, money.unused(order, await locked_payment(tx, order_id)))


async def refund(tx: Transaction, order_id: UUID, amount_minor: int, reason: str) -> Moved:
    """Give money back without goods (a goodwill): never more than was captured and not given back."""
    order, at, return_id = await locked_order(tx, order_id), now(tx), tx.ids.fresh()
    event = rules.goodwill(order, await locked_payment(tx, order_id), return_id, amount_minor, reason, at)
    await need_approval(tx, order_id, [("refund", amount_minor)])
    operations = await ask(tx, order_id, return_id, [("refund", amount_minor)])
    token = await give_back(tx, event, ordering.book_return(event))
    return Moved(
        id=return_id, order_id=order_id, state=order.state, token=token, amount_minor=amount_minor,
        currency=order.placed.currency, operations=operations,
    )  # fmt: skip


async def _take_out(tx: Transaction, order: StoredOrder, pieces: Pieces) -> Sequence[Change]:
    """Take pieces out of shipments and of what waits, and return where they go back into stock."""
    order_id, at = order.placed.id, now(tx)
    changed, out = fulfilment.without(await shipments.of_order(tx.connection, tx.cell, order_id), pieces)
    await save_shipments(tx, changed, at)
    waiting, unwaited = fulfilment.unwait(await shipments.waiting_of(tx.connection, tx.cell, order_id), rules.less(pieces, out))
    await shipments.put_waiting(tx.connection, tx.cell, waiting)
    return rules.into_stock(order, pieces, [*out, *unwaited])

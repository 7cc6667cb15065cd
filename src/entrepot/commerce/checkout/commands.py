"""Checkout's commands on one order: cancel it, take goods back. Stock and money go back in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from entrepot.base.errors import NotFoundError
from entrepot.base.event import Token
from entrepot.base.ids import uuid7_at
from entrepot.base.time import millis_of, stamp_millis, utc
from entrepot.commerce.checkout import rules, store
from entrepot.commerce.checkout.place import place_orders
from entrepot.commerce.checkout.requests import Returned, ReturnRequest
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.ordering.events import ORDER_CANCELLED, ORDER_RETURNED, Line
from entrepot.commerce.ordering.parts import OrderedLine, StoredOrder
from entrepot.commerce.stock.commands import change_stock
from entrepot.commerce.stock.events import Reason
from entrepot.commerce.stock.rules import Change
from entrepot.record.idempotency import fingerprint, once, remember
from entrepot.record.transaction import Fact, Transaction

__all__ = ["cancel_order", "place_orders", "return_goods"]


async def cancel_order(tx: Transaction, key: str, order_id: UUID, reason: str, at: datetime | None = None) -> Token:
    """Cancel a placed order whole: its stock is given back, its money owed back. The same key gets the first answer."""
    stored = await once(tx, key, fingerprint(f"cancel {order_id} {reason}".encode()))
    if stored is not None:
        return msgspec.json.decode(stored, type=Token)
    order = await orders.order(tx.connection, tx.cell, order_id, for_update=True)
    if order is None:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    rules.check_direct(order)
    token = await cancel_whole(tx, order, reason, at)
    await remember(tx, key, token)
    return token


async def cancel_whole(
    tx: Transaction, order: StoredOrder, reason: str, at: datetime | None = None, back: Sequence[Change] | None = None
) -> Token:
    """Cancel an order of which nothing has left: the caller holds its lock, and sees to what a gateway holds for it.

    ``back`` is what goes back into stock; without it, each line to where it was sold from.
    """
    event = ordering.cancel(order, at or _now(tx), reason)
    cancelled = StoredOrder(order.placed, "cancelled", order.version + 1, order.lines)
    await orders.move_order(tx.connection, tx.cell, cancelled, event.at, reason)
    if back is None:
        await _give_back(tx, order.placed.lines, "cancelled")
    else:
        await change_stock(tx, back, "cancelled")
    transfers = ordering.book_cancellation(order.placed)
    await orders.book(tx.connection, tx.cell, order.placed.id, order.placed.currency, event.at, "cancelled", transfers)
    return await tx.append(
        [Fact(ORDER_CANCELLED, f"order/{order.placed.id}", cancelled.version, event, order.placed.customer_id)]
    )


async def return_goods(tx: Transaction, key: str, request: ReturnRequest) -> Returned:
    """Take goods back: never more of an order's line than is out; what can be sold again goes back into stock."""
    stored = await once(tx, key, fingerprint(request))
    if stored is not None:
        return msgspec.structs.replace(msgspec.json.decode(stored, type=Returned), repeated=True)
    rules.check_return(request)
    at = request.at or _now(tx)
    fresh = tx.ids.fresh()
    return_id = request.id or (fresh if request.at is None else uuid7_at(millis_of(at), fresh.bytes[6:]))
    ordered: Sequence[OrderedLine] = []
    if request.order_id is not None:
        ordered = await _open_lines(tx, request)
    offers = await store.offers(tx.connection, tx.cell, {(line.sku, request.market): line.quantity for line in request.lines})
    event, back = rules.take_back(request, return_id, at, ordered, offers)
    await orders.put_return(tx.connection, tx.cell, event)
    if request.order_id is not None and back:
        await orders.add_returned(tx.connection, tx.cell, request.order_id, back)
    if request.restock:
        await _give_back(tx, event.lines, "returned")
    await orders.book(tx.connection, tx.cell, return_id, event.currency, at, "returned", ordering.book_return(event))
    token = await tx.append([Fact(ORDER_RETURNED, f"return/{return_id}", 1, event, event.customer_id)])
    answer = Returned(return_id=return_id, total_minor=event.total_minor, currency=event.currency, token=token)
    await remember(tx, key, answer)
    return answer


async def _open_lines(tx: Transaction, request: ReturnRequest) -> Sequence[OrderedLine]:
    assert request.order_id is not None
    order = await orders.order(tx.connection, tx.cell, request.order_id, for_update=True)
    return rules.open_lines(request, order)


async def _give_back(tx: Transaction, lines: Sequence[Line], reason: Reason) -> None:
    if lines:
        changes = [Change(variant_id=line.variant_id, warehouse=line.warehouse, delta=line.quantity) for line in lines]
        await change_stock(tx, changes, reason)


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))

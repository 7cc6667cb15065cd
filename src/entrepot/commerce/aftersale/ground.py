"""What the commands of this room share: an order under its lock, and how it, its returns and its money are written."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.aftersale import cases, money, rules, store, swaps
from entrepot.commerce.aftersale.cases import ReturnCase
from entrepot.commerce.aftersale.money import Ask
from entrepot.commerce.fulfilment import store as fulfilment
from entrepot.commerce.fulfilment.rules import Shipment
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.ordering.events import (
    LINES_CANCELLED,
    ORDER_MOVED,
    ORDER_RETURNED,
    LinesCancelled,
    OrderPlaced,
    OrderReturned,
)
from entrepot.commerce.ordering.parts import StoredOrder
from entrepot.commerce.ordering.rules import Transfer
from entrepot.commerce.payment import commands as payments
from entrepot.commerce.payment import store as payment_store
from entrepot.commerce.payment.rules import Payment
from entrepot.record.transaction import Fact, Transaction


def now(tx: Transaction) -> datetime:
    """Return the moment of a command."""
    return utc(stamp_millis(tx.clock.tick()))


async def locked_order(tx: Transaction, order_id: UUID) -> StoredOrder:
    """Lock an order, or say that there is none. Everything about an order is changed under this lock."""
    order = await orders.order(tx.connection, tx.cell, order_id, for_update=True)
    if order is None:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    return order


async def locked_shipment(tx: Transaction, shipment_id: UUID) -> tuple[StoredOrder, Shipment, list[Shipment]]:
    """Lock the order of a shipment; returns order, shipment, and all shipments of the order."""
    order_id = await fulfilment.order_of(tx.connection, tx.cell, shipment_id)
    if order_id is None:
        raise NotFoundError(f"There is no shipment {shipment_id}.", shipment_id=str(shipment_id))
    order = await locked_order(tx, order_id)
    shipments = await fulfilment.of_order(tx.connection, tx.cell, order_id)
    return order, next(one for one in shipments if one.id == shipment_id), shipments


async def locked_case(tx: Transaction, case_id: UUID) -> tuple[StoredOrder, ReturnCase]:
    """Lock the order of a return; returns both."""
    order_id = await store.order_of(tx.connection, tx.cell, case_id)
    if order_id is None:
        raise NotFoundError(f"There is no return {case_id}.", return_id=str(case_id))
    order = await locked_order(tx, order_id)
    found = await store.cases_of(tx.connection, tx.cell, order_id)
    return order, next(case for case in found if case.id == case_id)


async def locked_payment(tx: Transaction, order_id: UUID) -> Payment | None:
    """Lock the payment of an order; one that is owed without a gateway has none."""
    return await payment_store.payment(tx.connection, tx.cell, order_id, for_update=True)


async def save_order(tx: Transaction, order: StoredOrder, at: datetime, reason: str = "") -> Token:
    """Write an order's state and pieces as they now are, and tell of it."""
    await orders.count_pieces(tx.connection, tx.cell, order)
    await orders.move_order(tx.connection, tx.cell, order, *ordering.ending(order, at, reason))
    event = ordering.told(order, at)
    return await tx.append([Fact(ORDER_MOVED, f"order/{order.placed.id}", order.version, event, order.placed.customer_id)])


async def save_case(tx: Transaction, case: ReturnCase, at: datetime) -> Token:
    """Write a return under way as it now is, and tell of it."""
    await store.put_case(tx.connection, tx.cell, case, at)
    fact = Fact(cases.KIND_OF[case.state], f"return_case/{case.id}", case.version, cases.told(case, at), case.customer_id)
    return await tx.append([fact])


async def give_back(tx: Transaction, event: OrderReturned | LinesCancelled, transfers: Sequence[Transfer]) -> Token:
    """Write what was given back of an order, book it, and tell of it."""
    await orders.put_return(tx.connection, tx.cell, event)
    kind, why = (ORDER_RETURNED, "returned") if isinstance(event, OrderReturned) else (LINES_CANCELLED, "cancelled")
    await orders.book(tx.connection, tx.cell, event.return_id, event.currency, event.at, why, transfers)
    return await tx.append([Fact(kind, f"return/{event.return_id}", 1, event, event.customer_id)])


async def claim_settlement(tx: Transaction, case_id: UUID) -> None:
    """Claim that a return is settled now, and in no other way: one whose exchange waits for the buyer's bank is refused."""
    claim = swaps.claim_of(case_id)
    if not await store.use_claim(tx.connection, tx.cell, claim.name, claim.amount, claim.most or claim.amount):
        raise ConflictError(
            f"The return {case_id} is being exchanged, and waits for the buyer's bank: it goes on when the bank has answered.",
            return_id=str(case_id),
        )


async def give_credit_back(tx: Transaction, order: StoredOrder, part: OrderPlaced) -> tuple[int, list[UUID]]:
    """Give back, from the first order, what paid for a part of one sent in exchange that came back or is off."""
    paid_with = await store.exchanged_for(tx.connection, tx.cell, order.placed.id)
    credit = swaps.credit_of(part)
    if paid_with is None or credit <= 0:
        return 0, []
    first, return_id = await locked_order(tx, paid_with), tx.ids.fresh()
    payment = await locked_payment(tx, paid_with)
    amount = min(credit, payment.refundable_minor) if payment else credit
    why = f"paid for order {order.placed.id}, which came back or was cancelled"
    event = rules.given_back(first, return_id, amount, why, now(tx))
    await need_approval(tx, paid_with, money.refunds(payment, amount))
    operations = await ask(tx, paid_with, return_id, money.refunds(payment, amount))
    await give_back(tx, event, ordering.book_return(event))
    return amount, operations


async def need_approval(tx: Transaction, order_id: UUID, asks: Sequence[Ask], *, of_all: bool = False) -> None:
    """Let what is asked through where its refunds are within their limit, or approved by somebody else.

    What was promised and never taken is given up without anybody's word. ``of_all``: the house is held, too.
    """
    for amount in money.refunded(asks):
        await payments.need_refund(tx, order_id, amount, of_all=of_all)


async def ask(tx: Transaction, order_id: UUID, about_id: UUID, asks: Sequence[Ask]) -> list[UUID]:
    """Note what the gateway will be asked; a job asks it, or whoever is handed the operations."""
    return [(await payments.ask(tx, order_id, kind, amount, about_id=about_id)).id for kind, amount in asks]

"""The commands of a return: wished for, received, inspected, and then refunded, exchanged or rejected."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from entrepot.commerce.aftersale import cases, money, rules, store, swaps
from entrepot.commerce.aftersale.cases import ReturnCase
from entrepot.commerce.aftersale.ground import (
    ask,
    claim_settlement,
    give_back,
    give_credit_back,
    locked_case,
    locked_order,
    locked_payment,
    need_approval,
    now,
    save_case,
)
from entrepot.commerce.aftersale.planning import plan_shipments
from entrepot.commerce.aftersale.requests import Inspected, LinePieces, Moved, ReturnWish
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.ordering import parts
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.stock.commands import change_stock
from entrepot.record.transaction import Transaction


async def request_return(tx: Transaction, order_id: UUID, wish: ReturnWish) -> Moved:
    """Open a return of pieces that have left."""
    order = await locked_order(tx, order_id)
    others = await store.cases_of(tx.connection, tx.cell, order_id)
    pieces = rules.pieces_of(wish.lines, "return")
    return await _saved(tx, cases.request(order, others, tx.ids.fresh(), pieces, wish.reason, wish.note))


async def receive_return(tx: Transaction, case_id: UUID, lines: Sequence[LinePieces]) -> Moved:
    """Note what arrived of a return."""
    _, case = await locked_case(tx, case_id)
    return await _saved(tx, cases.receive(case, rules.pieces_of(lines, "receipt")))


async def inspect_return(tx: Transaction, case_id: UUID, found: Sequence[Inspected]) -> Moved:
    """Note what inspection found; what can be sold again goes back into stock."""
    order, case = await locked_case(tx, case_id)
    after = cases.inspect(case, found)
    sent = await shipments.of_order(tx.connection, tx.cell, order.placed.id)
    await change_stock(tx, cases.restocked(order, after, sent), "returned")
    return await _saved(tx, after)


async def reject_return(tx: Transaction, case_id: UUID) -> Moved:
    """End a return of which nothing is taken back."""
    _, case = await locked_case(tx, case_id)
    return await _saved(tx, cases.reject(case))


async def refund_return(tx: Transaction, case_id: UUID) -> Moved:
    """Give back what the accepted pieces cost, with their tax and commission, and the postage where the rule says so."""
    order, case = await locked_case(tx, case_id)
    pieces, at = cases.accepted(case, "refunded"), now(tx)
    await claim_settlement(tx, case_id)
    after = ordering.take_back(order, pieces)
    given_back = await orders.given_back(tx.connection, tx.cell, order.placed.id)
    part = parts.to_return(order, pieces, postage=cases.postage_goes_back(case, after, given_back))
    payment = await locked_payment(tx, order.placed.id)
    worth = money.on_return(order, payment, part.total_minor)
    await need_approval(tx, order.placed.id, money.refunds(payment, worth))
    event = cases.returned(part, case, at, less_minor=part.total_minor - worth, why="refunded before, or in dispute")
    await orders.count_pieces(tx.connection, tx.cell, after)
    booked = msgspec.structs.replace(part, charges=event.charges)
    await give_back(tx, event, ordering.book_part_returned(booked))
    operations = await ask(tx, order.placed.id, case_id, money.refunds(payment, worth))
    credit, asked = await give_credit_back(tx, order, part)
    moved = await _saved(tx, cases.refunded(case, worth + credit))
    return msgspec.structs.replace(
        moved, amount_minor=worth + credit, currency=order.placed.currency, operations=[*operations, *asked]
    )


async def settle_exchange(tx: Transaction, case_id: UUID, exchange_order_id: UUID) -> Moved:
    """End a return whose pieces were sent anew, or others for them, by another order that what came back has paid for.

    What the other order did not need of it is given back; beyond its limit that takes two people, whoever settles it.
    """
    order, case = await locked_case(tx, case_id)
    if case.exchange_order_id == exchange_order_id:
        again = await _saved(tx, msgspec.structs.replace(case, version=case.version + 1))  # the reaction came first: told again
        return msgspec.structs.replace(again, amount_minor=case.refunded_minor, currency=order.placed.currency)
    pieces, at = cases.accepted(case, "exchanged"), now(tx)
    after, part = ordering.take_back(order, pieces), parts.to_return(order, pieces, postage=False)
    sent = await locked_order(tx, exchange_order_id)
    payment = await locked_payment(tx, order.placed.id)
    worth = swaps.left_over(part, sent.placed, payment)
    await need_approval(tx, order.placed.id, money.refunds(payment, worth), of_all=True)  # before anything is written
    event = cases.returned(part, case, at, less_minor=part.total_minor - worth, why=f"paid for order {exchange_order_id}")
    await orders.count_pieces(tx.connection, tx.cell, after)
    await give_back(tx, event, ordering.book_part_returned(msgspec.structs.replace(part, charges=event.charges)))
    operations = await ask(tx, order.placed.id, case_id, money.refunds(payment, worth))
    await plan_shipments(tx, [exchange_order_id])
    moved = await _saved(tx, cases.exchanged(case, exchange_order_id, worth))
    return msgspec.structs.replace(moved, amount_minor=worth, currency=order.placed.currency, operations=operations)


async def _saved(tx: Transaction, case: ReturnCase) -> Moved:
    token = await save_case(tx, case, now(tx))
    return Moved(id=case.id, order_id=case.order_id, state=case.state, token=token, exchange_order_id=case.exchange_order_id)

"""The commands of payments: each changes rows, ledger and log in the transaction it is given, and asks no gateway anything.

What a gateway must do is written here as an operation and done in ``operations``, after the commit.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.payment import events, rules, store
from entrepot.commerce.payment.rules import Dispute, Ending, Looked, Operation, OperationKind, Payment, Verdict
from entrepot.commerce.payment.store import Method
from entrepot.partners.payment.port import Authorized, GatewayDispute, Movement
from entrepot.record.transaction import Fact, Transaction


class NewPayment(Struct, frozen=True):
    """A payment to write: the checkout's id, the gateway's name, and what it authorized."""

    id: UUID
    gateway: str
    authorized: Authorized


async def put_payments(tx: Transaction, payments: Sequence[NewPayment]) -> None:
    """Write authorized payments with their events; book what was captured at once."""
    ids = [[tx.ids.fresh() for _ in payments] for _ in range(3)]
    answers = [payment.authorized for payment in payments]
    await tx.connection.execute(
        store.SQL["put_payments"], tx.cell, tx.clock.tick(), tx.actor, _now(tx), [payment.id for payment in payments],
        [payment.gateway for payment in payments], [one.payment_id for one in answers], [one.label for one in answers],
        [one.currency for one in answers], [one.amount_minor for one in answers], [one.captured_minor for one in answers],
        *ids,
    )  # fmt: skip


async def need_refund(tx: Transaction, payment_id: UUID, amount_minor: int | None = None, *, of_all: bool = False) -> None:
    """Let a refund through that is within its limit, or that somebody else has approved (``approval.commands.need``)."""
    payment = await _payment(tx, payment_id)
    _, amount = rules.ask(payment, "refund", amount_minor)
    await approvals.need(tx, rules.refunding(payment, amount), of_all=of_all)


async def ask(
    tx: Transaction,
    payment_id: UUID,
    kind: OperationKind,
    amount_minor: int | None = None,
    *,
    about_id: UUID | None = None,
    operation_id: UUID | None = None,
) -> Operation:
    """Note what the gateway will be asked and set its amount aside; None means all that is left.

    ``about_id`` is what it is for (a shipment, a return; default: the order). An ``operation_id`` that is known already gives
    that operation again: who derives it from what it is for asks once, however often.
    """
    payment = await _payment(tx, payment_id)
    known = await store.operation(tx.connection, tx.cell, operation_id) if operation_id else None
    if known is not None:
        return known
    after, amount = rules.ask(payment, kind, amount_minor)
    operation = Operation(
        id=operation_id or tx.ids.fresh(),
        payment_id=payment_id,
        kind=kind,
        amount_minor=amount,
        currency=payment.currency,
        state="asked",
        about_id=about_id or payment_id,
    )
    await store.put_operation(tx.connection, tx.cell, operation, _now(tx))
    await store.put_payment(tx.connection, tx.cell, after)
    return operation


async def end(tx: Transaction, operation_id: UUID, ending: Ending, reason: str = "") -> Operation:
    """Note what became of an operation, book it and tell of it; one that has ended stays as it is."""
    operation = await _operation(tx, operation_id)
    payment = await _payment(tx, operation.payment_id)
    operation = await _operation(tx, operation_id)  # again, under the payment's lock
    if rules.ended(operation):
        return operation
    after, bookings, kind = rules.end(payment, operation, ending)
    at, position = _now(tx), None
    await store.end_operation(tx.connection, tx.cell, operation_id, ending, reason, at)
    await store.put_payment(tx.connection, tx.cell, after)
    if bookings:  # about the order, so that all that it moved is found under its id
        await store.book(tx.connection, tx.cell, payment.id, operation_id, payment.currency, at, bookings)
    if kind:
        body = rules.told(after, operation.amount_minor, operation_id, reason)
        position = str(await tx.append([Fact(kind, f"payment/{payment.id}", after.version, body)]))
    return rules.with_end(operation, ending, reason, position)


async def settle(tx: Transaction, operation_id: UUID, looked: Looked, verdict: Verdict, why: str) -> Operation:
    """End an unclear operation as a person says and the gateway, just asked, confirms; book what it moved and tell of it."""
    rules.check_why(why)
    operation = await _operation(tx, operation_id)
    payment = await _payment(tx, operation.payment_id)
    operation = await _operation(tx, operation_id)  # again, under the payment's lock
    others = await store.operations(tx.connection, tx.cell, payment.id)
    after, settled, bookings, kind = rules.settle(payment, operation, others, looked, verdict)
    at = _now(tx)
    await store.settle_operation(tx.connection, tx.cell, settled, why, at)
    await store.put_payment(tx.connection, tx.cell, after)
    await store.book(tx.connection, tx.cell, payment.id, operation_id, payment.currency, at, bookings)
    body = rules.told(after, settled.amount_minor, operation_id, why)
    position = await tx.append([Fact(kind, f"payment/{payment.id}", after.version, body)])
    return rules.with_end(settled, settled.state, why, str(position))


async def put_dispute(tx: Transaction, payment_id: UUID, told: GatewayDispute) -> Dispute | None:
    """Note how the gateway says a dispute stands; returns None when that is nothing new."""
    payment = await _payment(tx, payment_id)
    known = await store.disputes_of_payment(tx.connection, tx.cell, payment_id)
    after, dispute = rules.dispute(payment, known, told, tx.ids.fresh())
    if dispute is None:
        return None
    at = _now(tx)
    await store.put_payment(tx.connection, tx.cell, after)
    await store.put_dispute(tx.connection, tx.cell, dispute, at)
    bookings = rules.book_dispute(dispute)
    if bookings:
        await store.book(tx.connection, tx.cell, payment.id, dispute.id, payment.currency, at, bookings)
    kind, body = rules.dispute_told(dispute)
    await tx.append([Fact(kind, f"payment/{payment.id}", after.version, body)])
    return dispute


async def note_evidence(tx: Transaction, dispute_id: UUID, evidence: str) -> Dispute:
    """Note what will be said against a dispute; it is sent after the commit."""
    dispute = await dispute_of(tx, dispute_id)
    await _payment(tx, dispute.payment_id)  # locks it
    dispute = await dispute_of(tx, dispute_id)
    rules.check_evidence(dispute, evidence)
    await store.put_evidence(tx.connection, tx.cell, dispute_id, evidence)
    return dispute


async def dispute_of(tx: Transaction, dispute_id: UUID) -> Dispute:
    """Return a dispute, or say that there is none."""
    dispute = await store.dispute(tx.connection, tx.cell, dispute_id)
    if dispute is None:
        raise NotFoundError(f"There is no dispute {dispute_id}.", dispute_id=str(dispute_id))
    return dispute


async def keep_method(tx: Transaction, customer_id: UUID, gateway: str, token: str, label: str) -> Method:
    """Keep a method by which a customer can be charged later."""
    method = Method(
        id=tx.ids.fresh(), customer_id=customer_id, gateway=gateway, token=token, label=label, kept_at=_now(tx)
    )  # fmt: skip
    await store.keep_method(tx.connection, tx.cell, method)
    return method


async def forget_method(tx: Transaction, method_id: UUID) -> None:
    """Forget a kept method."""
    await store.forget_method(tx.connection, tx.cell, method_id)


async def book_payouts(tx: Transaction, gateway: str, payouts: Sequence[Movement], cursor: str) -> Token | None:
    """Note and book payouts that are new, and how far the report was read; returns None when none was new."""
    facts = []
    for payout in payouts:
        payout_id = tx.ids.fresh()
        if not await store.put_payout(tx.connection, tx.cell, payout_id, gateway, payout):
            continue
        bookings = rules.book_payout(payout, gateway)
        await store.book(tx.connection, tx.cell, payout_id, payout_id, payout.currency, _now(tx), bookings)
        body = events.PaidOut(
            id=payout_id,
            gateway=gateway,
            reference=payout.payout,
            amount_minor=payout.amount_minor,
            fee_minor=payout.fee_minor,
            currency=payout.currency,
            paid_at=payout.at,
        )
        facts.append(Fact(events.PAID_OUT, f"payout/{payout_id}", 1, body))
    await store.settle(tx.connection, tx.cell, gateway, cursor)
    return await tx.append(facts) if facts else None


async def _payment(tx: Transaction, payment_id: UUID) -> Payment:
    payment = await store.payment(tx.connection, tx.cell, payment_id, for_update=True)
    if payment is None:
        raise NotFoundError(f"There is no payment {payment_id}.", payment_id=str(payment_id))
    return payment


async def _operation(tx: Transaction, operation_id: UUID) -> Operation:
    operation = await store.operation(tx.connection, tx.cell, operation_id)
    if operation is None:
        raise NotFoundError(f"There is no operation {operation_id}.", operation_id=str(operation_id))
    return operation


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))

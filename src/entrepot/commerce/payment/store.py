"""The queries of payments, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.ids import derived
from entrepot.base.time import millis_of
from entrepot.commerce.payment.rules import Booking, Dispute, Operation, Payment
from entrepot.partners.payment.port import Movement
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Method(Struct, frozen=True, kw_only=True):
    """A kept method: with its token a customer can be charged later, without being there."""

    id: UUID
    customer_id: UUID
    gateway: str
    token: str
    label: str
    kept_at: datetime


async def payment(connection: Connection, cell: int, payment_id: UUID, *, for_update: bool = False) -> Payment | None:
    """Return a payment, locked when it is to be changed."""
    row = await connection.fetchrow(SQL["payment_for_update" if for_update else "payment"], cell, payment_id)
    return Payment(**dict(row)) if row else None


async def put_payment(connection: Connection, cell: int, now: Payment) -> None:
    """Write the amounts of a payment as they now are."""
    await connection.execute(
        SQL["put_payment"], cell, now.id, now.captured_minor, now.voided_minor, now.refunded_minor, now.disputed_minor,
        now.taking_minor, now.returning_minor, now.version,
    )  # fmt: skip


async def put_operation(connection: Connection, cell: int, operation: Operation, at: datetime) -> None:
    """Note what will be asked of the gateway."""
    await connection.execute(
        SQL["put_operation"], cell, operation.id, operation.payment_id, operation.kind, operation.amount_minor,
        operation.currency, operation.about_id, at,
    )  # fmt: skip


async def operation(connection: Connection, cell: int, operation_id: UUID) -> Operation | None:
    """Return what was asked of the gateway."""
    row = await connection.fetchrow(SQL["operation"], cell, operation_id)
    return Operation(**dict(row)) if row else None


async def end_operation(connection: Connection, cell: int, operation_id: UUID, state: str, reason: str, at: datetime) -> None:
    """Note what became of what was asked."""
    await connection.execute(SQL["end_operation"], cell, operation_id, state, reason, at)


async def settle_operation(connection: Connection, cell: int, settled: Operation, why: str, at: datetime) -> None:
    """Note what became of an operation that was unclear, and how much it moved."""
    amount = settled.amount_minor
    await connection.execute(SQL["settle_operation"], cell, settled.id, settled.state, amount, why, at)


async def unclear_operations(connection: Connection, cell: int, limit: int) -> list[Operation]:
    """Return operations that wait for a person, the oldest first."""
    return [Operation(**dict(row)) for row in await connection.fetch(SQL["unclear_operations"], cell, limit)]


async def operations_to_finish(connection: Connection, cell: int, gateway: str, by: datetime, limit: int) -> list[UUID]:
    """Return what was asked of a gateway by a moment and has no answer yet."""
    return [row["id"] for row in await connection.fetch(SQL["operations_to_finish"], cell, gateway, by, limit)]


async def operations(connection: Connection, cell: int, payment_id: UUID) -> list[Operation]:
    """Return what was asked of the gateway for a payment."""
    return [Operation(**dict(row)) for row in await connection.fetch(SQL["operations"], cell, payment_id)]


async def dispute(connection: Connection, cell: int, dispute_id: UUID) -> Dispute | None:
    """Return a dispute by our id."""
    row = await connection.fetchrow(SQL["dispute"], cell, dispute_id)
    return Dispute(**dict(row)) if row else None


async def put_dispute(connection: Connection, cell: int, now: Dispute, at: datetime) -> None:
    """Write a dispute as it now is."""
    await connection.execute(
        SQL["put_dispute"], cell, now.id, now.gateway, now.reference, now.payment_id, now.state, now.amount_minor, now.currency,
        now.reason, now.evidence, now.evidence_due, at,
    )  # fmt: skip


async def put_evidence(connection: Connection, cell: int, dispute_id: UUID, evidence: str) -> None:
    """Note what will be said against a dispute."""
    await connection.execute(SQL["put_evidence"], cell, dispute_id, evidence)


async def evidence_to_send(connection: Connection, cell: int, gateway: str, limit: int) -> list[UUID]:
    """Return disputes whose evidence did not reach the gateway yet."""
    return [row["id"] for row in await connection.fetch(SQL["evidence_to_send"], cell, gateway, limit)]


async def disputes(connection: Connection, cell: int, before: UUID | None, state: str, limit: int) -> list[Dispute]:
    """Return disputes, the newest first; an empty state means any."""
    return [Dispute(**dict(row)) for row in await connection.fetch(SQL["disputes"], cell, before, state, limit)]


async def disputes_of_payment(connection: Connection, cell: int, payment_id: UUID) -> list[Dispute]:
    """Return the disputes of a payment."""
    return [Dispute(**dict(row)) for row in await connection.fetch(SQL["disputes_of_payment"], cell, payment_id)]


async def keep_method(connection: Connection, cell: int, method: Method) -> None:
    """Keep a method."""
    await connection.execute(
        SQL["keep_method"], cell, method.id, method.customer_id, method.gateway, method.token, method.label, method.kept_at
    )


async def methods(connection: Connection, cell: int, customer_id: UUID) -> list[Method]:
    """Return the kept methods of a customer, the newest first."""
    return [Method(**dict(row)) for row in await connection.fetch(SQL["methods"], cell, customer_id)]


async def method(connection: Connection, cell: int, method_id: UUID) -> Method | None:
    """Return a kept method."""
    row = await connection.fetchrow(SQL["method"], cell, method_id)
    return Method(**dict(row)) if row else None


async def forget_method(connection: Connection, cell: int, method_id: UUID) -> None:
    """Forget a kept method."""
    await connection.execute(SQL["forget_method"], cell, method_id)


async def take_in(connection: Connection, cell: int, provider: str, event_id: str, kind: str, at: datetime) -> bool:
    """Take a webhook in if it is new; say whether its work is done already."""
    done: bool = await connection.fetchval(SQL["take_in"], cell, provider, event_id, kind, at)
    return done


async def mark_done(connection: Connection, cell: int, provider: str, event_id: str, at: datetime) -> None:
    """Note that a webhook's work is done."""
    await connection.execute(SQL["mark_done"], cell, provider, event_id, at)


async def prune_inbox(connection: Connection, cell: int, before: datetime, limit: int) -> int:
    """Forget webhooks that were taken in before a moment; returns how many."""
    return len(await connection.fetch(SQL["prune_inbox"], cell, before, limit))


async def book(
    connection: Connection, cell: int, about_id: UUID, cause_id: UUID, currency: str, at: datetime, bookings: Sequence[Booking]
) -> None:
    """Book transfers about a thing (an order, a payout); ids follow from the cause (an operation, a dispute)."""
    millis = millis_of(at)
    await connection.execute(
        SQL["put_transfers"], cell, about_id, currency, at,
        [derived(millis, str(cause_id), "payment", str(n)) for n in range(len(bookings))],
        [b.debit for b in bookings], [b.credit for b in bookings], [b.amount_minor for b in bookings],
        [b.debit_party for b in bookings], [b.credit_party for b in bookings],
    )  # fmt: skip


async def put_payout(connection: Connection, cell: int, payout_id: UUID, gateway: str, payout: Movement) -> bool:
    """Note a payout; say whether it is a new one."""
    row = await connection.fetchrow(
        SQL["put_payout"], cell, payout_id, gateway, payout.payout, payout.amount_minor, payout.fee_minor, payout.currency,
        payout.at,
    )  # fmt: skip
    return row is not None


async def settled(connection: Connection, cell: int, gateway: str) -> str:
    """Return how far a gateway's report was read; nothing yet is empty."""
    cursor: str | None = await connection.fetchval(SQL["settled"], cell, gateway)
    return cursor or ""


async def settle(connection: Connection, cell: int, gateway: str, cursor: str) -> None:
    """Note how far a gateway's report was read."""
    await connection.execute(SQL["settle"], cell, gateway, cursor)

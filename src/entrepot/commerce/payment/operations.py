"""Money that moves at the gateway: written down, asked for, and ended, in three steps that survive a crash between any two.

First a transaction notes the operation and sets its amount aside; then the gateway is asked, under the operation's id as the
key; then a transaction notes the answer. What has no answer is asked again by ``finish_operations``, a job.
"""

from datetime import timedelta
from uuid import UUID

from entrepot.base.errors import NotFoundError
from entrepot.base.limits import GATEWAY_PAGES_MAX, OPERATION_PATIENCE_SECONDS, OPERATIONS_FINISHED_MAX
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.payment import commands, rules, store
from entrepot.commerce.payment.rules import Dispute, Ending, Looked, Operation, OperationKind, Payment, Verdict
from entrepot.partners.payment.port import (
    GatewayAwayError,
    GatewayDispute,
    GatewayLiedError,
    GatewayPayment,
    GatewayRefusedError,
    PaymentGateway,
)
from entrepot.record import command
from entrepot.record.transaction import Record, Transaction

ACTOR = "payment"


async def move(
    record: Record,
    gateway: PaymentGateway,
    cell: int,
    key: str,
    payment_id: UUID,
    kind: OperationKind,
    amount_minor: int | None = None,
    *,
    about_id: UUID | None = None,
    actor: str = ACTOR,
) -> Operation:
    """Capture, void or refund; the same key moves nothing twice. What is still ``asked`` the job will finish."""

    async def act(tx: Transaction) -> Operation:
        if kind == "refund":
            await commands.need_refund(tx, payment_id, amount_minor)
        return await commands.ask(tx, payment_id, kind, amount_minor, about_id=about_id)

    request = f"{kind} {payment_id} {amount_minor} {about_id}".encode()
    operation = await command.run(record, cell, act, Operation, actor=actor, key=key, request=request)
    try:
        return await finish(record, gateway, cell, operation.id)
    except GatewayAwayError:
        return operation


async def capture(
    record: Record, gateway: PaymentGateway, cell: int, key: str, payment_id: UUID, amount_minor: int | None = None
) -> Operation:
    """Take what was promised, or some of it."""
    return await move(record, gateway, cell, key, payment_id, "capture", amount_minor)


async def refund(
    record: Record, gateway: PaymentGateway, cell: int, key: str, payment_id: UUID, amount_minor: int | None = None
) -> Operation:
    """Give back what was taken, or some of it."""
    return await move(record, gateway, cell, key, payment_id, "refund", amount_minor)


async def void(record: Record, gateway: PaymentGateway, cell: int, key: str, payment_id: UUID) -> Operation:
    """Give up what was promised and not taken."""
    return await move(record, gateway, cell, key, payment_id, "void")


async def finish(record: Record, gateway: PaymentGateway, cell: int, operation_id: UUID) -> Operation:
    """Ask the gateway for what was noted, and note its answer; raises ``GatewayAwayError`` when there is none yet."""
    operation, payment = await _known(record, cell, operation_id)
    if rules.ended(operation):
        return operation
    ending, reason = await _ask(gateway, payment, operation)
    async with record.transaction(cell, ACTOR) as tx:
        return await commands.end(tx, operation_id, ending, reason)


async def finish_operations(
    record: Record, gateway: PaymentGateway, cell: int, *, patience_seconds: float = OPERATION_PATIENCE_SECONDS
) -> int:
    """Finish what was asked some time ago and has no answer (a crash, a gateway that was away); returns how many."""
    by = utc(stamp_millis(record.clock.tick())) - timedelta(seconds=patience_seconds)
    async with record.reading() as connection:
        open_ids = await store.operations_to_finish(connection, cell, gateway.name, by, OPERATIONS_FINISHED_MAX)
        disputes = await store.evidence_to_send(connection, cell, gateway.name, OPERATIONS_FINISHED_MAX)
    for operation_id in open_ids:
        await finish(record, gateway, cell, operation_id)
    for dispute_id in disputes:
        await send_evidence(record, gateway, cell, dispute_id)
    return len(open_ids) + len(disputes)


async def settle(
    record: Record, gateway: PaymentGateway, cell: int, operation_id: UUID, verdict: Verdict, why: str, *, actor: str = ACTOR
) -> Operation:
    """End an unclear operation as a person says, after asking the gateway again; what contradicts it is refused."""
    rules.check_why(why)
    operation, payment = await _known(record, cell, operation_id)
    async with record.reading() as connection:
        others = await store.operations(connection, cell, payment.id)
    there = await gateway.payment(payment.reference)
    if there is None:
        raise NotFoundError(
            f"The gateway {gateway.name} knows no payment {payment.reference}: nothing can be settled.",
            payment_id=str(payment.id),
        )
    reported = None if rules.alone(operation, others) else await _reported(gateway, operation)
    looked = Looked(version=payment.version, there=there, reported_minor=reported)
    async with record.transaction(cell, actor) as tx:
        return await commands.settle(tx, operation_id, looked, verdict, why.strip())


async def submit_evidence(
    record: Record, gateway: PaymentGateway, cell: int, key: str, dispute_id: UUID, evidence: str
) -> Dispute:
    """Answer a dispute: noted first, then sent. What could not be sent now is sent by the job."""

    async def act(tx: Transaction) -> Dispute:
        return await commands.note_evidence(tx, dispute_id, evidence)

    request = f"evidence {dispute_id} {evidence}".encode()
    dispute = await command.run(record, cell, act, Dispute, actor=ACTOR, key=key, request=request)
    try:
        return await send_evidence(record, gateway, cell, dispute_id)
    except GatewayAwayError:
        return dispute


async def send_evidence(record: Record, gateway: PaymentGateway, cell: int, dispute_id: UUID) -> Dispute:
    """Send what was noted against a dispute, and note how it then stands."""
    async with record.transaction(cell, ACTOR) as tx:
        dispute = await commands.dispute_of(tx, dispute_id)
    try:
        told: GatewayDispute | None = await gateway.submit_evidence(dispute.reference, dispute.evidence, str(dispute.id))
    except GatewayRefusedError:  # too late, or said already: how it stands is what counts
        told = await gateway.dispute(dispute.reference)
    async with record.transaction(cell, ACTOR) as tx:
        if told is not None:
            await commands.put_dispute(tx, dispute.payment_id, told)
        return await commands.dispute_of(tx, dispute_id)


async def _known(record: Record, cell: int, operation_id: UUID) -> tuple[Operation, Payment]:
    async with record.reading() as connection:
        operation = await store.operation(connection, cell, operation_id)
        payment = await store.payment(connection, cell, operation.payment_id) if operation else None
    if operation is None or payment is None:
        raise NotFoundError(f"There is no operation {operation_id}.", operation_id=str(operation_id))
    return operation, payment


async def _reported(gateway: PaymentGateway, operation: Operation) -> int:
    """Return what the gateway's own report says was moved under an operation's key."""
    cursor = ""
    for _ in range(GATEWAY_PAGES_MAX):
        page = await gateway.report(cursor)
        found = [one.amount_minor for one in page.movements if one.key == str(operation.id)]
        if found or not page.more:
            return sum(found)
        cursor = page.cursor
    return 0


async def _ask(gateway: PaymentGateway, payment: Payment, operation: Operation) -> tuple[Ending, str]:
    key = str(operation.id)
    try:
        match operation.kind:
            case "capture":
                await gateway.capture(payment.reference, operation.amount_minor, key)
            case "refund":
                await gateway.refund(payment.reference, operation.amount_minor, key)
            case _:
                _check_void(await gateway.void(payment.reference, key), payment, operation)
    except GatewayRefusedError as refused:
        return "failed", refused.reason
    except GatewayLiedError as lied:
        return "unclear", str(lied)
    return "done", ""


def _check_void(told: GatewayPayment, payment: Payment, operation: Operation) -> None:
    """Refuse to believe a void of another amount: it gives up all that is open, which is what we set aside."""
    wanted = payment.voided_minor + operation.amount_minor
    if told.voided_minor != wanted:
        raise GatewayLiedError(
            f"The payment gateway {payment.gateway} voided {told.voided_minor}, asked was {wanted}.",
            payment_id=str(payment.id),
        )

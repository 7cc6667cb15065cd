"""What other rooms ask of payments, from the truth; reads only."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.payment import store
from entrepot.commerce.payment.rules import Dispute, Operation
from entrepot.record.transaction import Connection

__all__ = ["PaymentDetail", "dispute", "disputes", "method", "methods", "payment", "unclear_operations"]

disputes = store.disputes
dispute = store.dispute
methods = store.methods
method = store.method
unclear_operations = store.unclear_operations


class PaymentDetail(Struct, frozen=True, kw_only=True):
    """A payment as it stands, with all that was asked of the gateway and every dispute. Its id is its order's."""

    id: UUID
    gateway: str
    reference: str
    label: str
    state: str
    currency: str
    authorized_minor: int
    captured_minor: int
    voided_minor: int
    refunded_minor: int
    disputed_minor: int
    capturable_minor: int
    refundable_minor: int
    operations: Sequence[Operation]
    disputes: Sequence[Dispute]


async def payment(connection: Connection, cell: int, payment_id: UUID) -> PaymentDetail | None:
    """Return one payment, or None."""
    found = await store.payment(connection, cell, payment_id)
    if found is None:
        return None
    return PaymentDetail(
        id=found.id,
        gateway=found.gateway,
        reference=found.reference,
        label=found.label,
        state=found.state,
        currency=found.currency,
        authorized_minor=found.authorized_minor,
        captured_minor=found.captured_minor,
        voided_minor=found.voided_minor,
        refunded_minor=found.refunded_minor,
        disputed_minor=found.disputed_minor,
        capturable_minor=found.open_minor,
        refundable_minor=found.refundable_minor,
        operations=await store.operations(connection, cell, payment_id),
        disputes=await store.disputes_of_payment(connection, cell, payment_id),
    )

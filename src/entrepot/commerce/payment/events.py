"""What can have happened to a payment. Key: ``payment/<id>``, its disputes included; a payout is ``payout/<id>``.

A payment has the id of its checkout, which is the id of its order. Amounts are in minor units of the payment's currency.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

PAYMENT_AUTHORIZED = "payment.authorized.v1"
PAYMENT_CAPTURED = "payment.captured.v1"
PAYMENT_VOIDED = "payment.voided.v1"
PAYMENT_REFUNDED = "payment.refunded.v1"
OPERATION_FAILED = "payment.operation_failed.v1"
DISPUTE_OPENED = "payment.dispute_opened.v1"
DISPUTE_EVIDENCE_SENT = "payment.dispute_evidence_sent.v1"
DISPUTE_WON = "payment.dispute_won.v1"
DISPUTE_LOST = "payment.dispute_lost.v1"
PAID_OUT = "payment.paid_out.v1"


class PaymentMoved(Struct, frozen=True, kw_only=True):
    """A payment as it stands after money was promised, taken, given up or given back; ``amount_minor`` is what moved now.

    Of an operation that failed, nothing moved: ``amount_minor`` was asked for, and ``reason`` says why it was refused.
    """

    id: UUID
    gateway: str
    currency: str
    state: str
    amount_minor: int
    authorized_minor: int
    captured_minor: int = 0
    voided_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    operation_id: UUID | None = None
    reason: str = ""


class DisputeMoved(Struct, frozen=True, kw_only=True):
    """A dispute as it stands: a buyer's bank holds ``amount_minor`` back until it is decided."""

    id: UUID
    payment_id: UUID
    gateway: str
    state: str
    amount_minor: int
    currency: str
    reason: str
    evidence_due: datetime


class PaidOut(Struct, frozen=True, kw_only=True):
    """The gateway paid to the bank what was due, after it kept its fees."""

    id: UUID
    gateway: str
    reference: str
    amount_minor: int
    fee_minor: int
    currency: str
    paid_at: datetime

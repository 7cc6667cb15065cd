"""Pure decisions about payments: what may be asked of the gateway, what its answer changes, what the ledger books for it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, structs

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.limits import EVIDENCE_CHARS_MAX, REASON_CHARS_MAX
from entrepot.base.machine import Machine
from entrepot.base.money import Currency, spoken
from entrepot.commerce.approval.rules import Deed
from entrepot.commerce.payment import events
from entrepot.partners.payment.port import GatewayDispute, GatewayPayment, Movement

MACHINE = Machine(
    "payment",
    {
        "authorized": ("part_captured", "captured", "voided"),
        "part_captured": ("captured", "part_refunded"),
        "captured": ("part_refunded", "refunded"),
        "part_refunded": ("refunded",),
        "refunded": (),
        "voided": (),
    },
)
OPERATION_MACHINE = Machine(
    "operation", {"asked": ("done", "failed", "unclear"), "unclear": ("done", "failed"), "done": (), "failed": ()}
)
DISPUTE_MACHINE = Machine(
    "dispute", {"opened": ("evidence_sent", "won", "lost"), "evidence_sent": ("won", "lost"), "won": (), "lost": ()}
)

OperationKind = Literal["capture", "void", "refund"]
Ending = Literal["done", "failed", "unclear"]
Verdict = Literal["succeeded", "failed"]

_DONE = {"capture": events.PAYMENT_CAPTURED, "void": events.PAYMENT_VOIDED, "refund": events.PAYMENT_REFUNDED}
_DISPUTED = {
    "opened": events.DISPUTE_OPENED,
    "evidence_sent": events.DISPUTE_EVIDENCE_SENT,
    "won": events.DISPUTE_WON,
    "lost": events.DISPUTE_LOST,
}
_HELD = frozenset({"opened", "evidence_sent", "lost"})


class CaptureExceedsAuthorizedError(ConflictError):
    """More was to be captured (or voided) than is promised and not yet taken; nothing was asked of the gateway."""

    slug = "capture-exceeds-authorized"


class RefundExceedsCapturedError(ConflictError):
    """More was to be refunded than was captured and not yet given back or disputed; nothing was asked of the gateway."""

    slug = "refund-exceeds-captured"


class GatewayContradictsError(ConflictError):
    """A person said of an unclear operation what the gateway does not say; nothing was changed."""

    slug = "gateway-contradicts"


class Payment(Struct, frozen=True, kw_only=True):
    """A payment as it stands. ``taking_minor`` and ``returning_minor`` are asked of the gateway and not yet answered."""

    id: UUID
    gateway: str
    reference: str
    label: str
    currency: str
    authorized_minor: int
    captured_minor: int = 0
    voided_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    taking_minor: int = 0
    returning_minor: int = 0
    version: int = 1

    @property
    def state(self) -> str:
        """Return the state, which is what the amounts say."""
        return state_of(self.authorized_minor, self.captured_minor, self.voided_minor, self.refunded_minor)

    @property
    def open_minor(self) -> int:
        """Return what may still be captured or voided."""
        return self.authorized_minor - self.captured_minor - self.voided_minor - self.taking_minor

    @property
    def refundable_minor(self) -> int:
        """Return what may still be refunded."""
        return self.captured_minor - self.refunded_minor - self.disputed_minor - self.returning_minor


class Operation(Struct, frozen=True, kw_only=True):
    """What was asked of the gateway. ``about_id`` is what it is for: the order, a shipment, a return.

    ``position`` is how far the log is with its end, for who ended it.
    """

    id: UUID
    payment_id: UUID
    kind: OperationKind
    amount_minor: int
    currency: str
    state: str
    about_id: UUID
    reason: str = ""
    position: str | None = None


class Dispute(Struct, frozen=True, kw_only=True):
    """A dispute as we know it. ``reference`` is the gateway's id of it."""

    id: UUID
    gateway: str
    reference: str
    payment_id: UUID
    state: str
    amount_minor: int
    currency: str
    reason: str
    evidence_due: datetime
    evidence: str = ""


class Booking(Struct, frozen=True):
    """One transfer of the ledger."""

    debit: str
    credit: str
    amount_minor: int
    debit_party: str = ""
    credit_party: str = ""


def state_of(authorized_minor: int, captured_minor: int, voided_minor: int, refunded_minor: int) -> str:
    """Return the state that the amounts say (the table computes it too: ``0007_pre_payment.sql``)."""
    if not captured_minor:
        return "voided" if voided_minor == authorized_minor else "authorized"
    whole = captured_minor + voided_minor == authorized_minor
    if refunded_minor == captured_minor and whole:
        return "refunded"
    if refunded_minor:
        return "part_refunded"
    return "captured" if whole else "part_captured"


def ask(payment: Payment, kind: OperationKind, amount_minor: int | None) -> tuple[Payment, int]:
    """Set an amount aside for what will be asked of the gateway; None means all that is left. Returns the amount too."""
    left = _left(payment, kind)
    amount = left if amount_minor is None else amount_minor
    if amount_minor is not None and amount_minor < 1:
        raise BadInputError(
            f"An amount of {amount_minor} cannot be asked for: give 1 or more minor units.", amount_minor=amount
        )
    if not 1 <= amount <= left:
        raise _too_much(payment, kind, amount, left)
    if kind == "void" and payment.taking_minor:  # a gateway voids all that is open, what is being captured included
        raise ConflictError(
            f"{payment.taking_minor} of payment {payment.id} are being captured or voided: try again when that is done.",
            payment_id=str(payment.id),
        )
    if kind == "refund":
        return structs.replace(payment, returning_minor=payment.returning_minor + amount), amount
    return structs.replace(payment, taking_minor=payment.taking_minor + amount), amount


def refunding(payment: Payment, amount_minor: int) -> Deed:
    """Return what a refund is, for who must have somebody else's word for it; many small ones count as one large one."""
    what = f"A refund of {spoken(amount_minor, Currency(payment.currency))} of payment {payment.id}"
    whole = payment.refunded_minor + payment.returning_minor + amount_minor
    return Deed(kind="refund", about=f"payment/{payment.id}", scope=payment.currency, amount=whole, what=what)


def end(payment: Payment, operation: Operation, ending: Ending) -> tuple[Payment, list[Booking], str | None]:
    """Return the payment after an operation's end, what it books, and the kind of event that tells of it.

    One that is unclear keeps its amount set aside and tells nothing: a person must look first.
    """
    OPERATION_MACHINE.check(operation.id, operation.state, ending)
    if ending == "unclear":
        return payment, [], None
    return _ended(payment, operation, operation.amount_minor if ending == "done" else 0)


class Looked(Struct, frozen=True, kw_only=True):
    """What the gateway said when it was asked again: how the payment stands, which we knew in this version; and, where another
    operation of the same kind is open and could be what it speaks of, what its report says of this one by its key.
    """

    version: int
    there: GatewayPayment
    reported_minor: int | None = None


def alone(operation: Operation, others: Iterable[Operation]) -> bool:
    """Say whether what the gateway has and we have not can only be of this operation."""
    rivals = [one for one in others if one.kind == operation.kind and one.state in {"asked", "unclear"}]
    return all(one.id == operation.id for one in rivals)


def settle(
    payment: Payment, operation: Operation, others: Iterable[Operation], looked: Looked, verdict: Verdict
) -> tuple[Payment, Operation, list[Booking], str]:
    """End an unclear operation as a person says and the gateway confirms: what it moved is booked, the rest is free again.

    The operation becomes one of what was moved, which is what the gateway's report says of it.
    """
    ending: Ending = "done" if verdict == "succeeded" else "failed"
    OPERATION_MACHINE.check(operation.id, operation.state, ending)
    moved = looked.reported_minor if looked.reported_minor is not None else _moved(payment, operation, looked.there)
    if looked.reported_minor is None and (looked.version != payment.version or not alone(operation, others)):
        raise ConflictError(f"Payment {payment.id} moved while its gateway was asked: ask again.", payment_id=str(payment.id))
    if (moved != 0) != (verdict == "succeeded") or not 0 <= moved <= operation.amount_minor + _left(payment, operation.kind):
        raise GatewayContradictsError(
            f"The gateway says that {moved} of the {operation.amount_minor} {operation.currency} minor units of this "
            f"{operation.kind} were moved, which is not what {verdict!r} means here.",
            operation_id=str(operation.id),
            moved_minor=moved,
        )
    after, bookings, kind = _ended(payment, operation, moved)
    return after, structs.replace(operation, state=ending, amount_minor=moved or operation.amount_minor), bookings, kind


def _moved(payment: Payment, operation: Operation, there: GatewayPayment) -> int:
    match operation.kind:
        case "capture":
            return there.captured_minor - payment.captured_minor
        case "refund":
            return there.refunded_minor - payment.refunded_minor
        case "void":
            return there.voided_minor - payment.voided_minor


def _left(payment: Payment, kind: OperationKind) -> int:
    return payment.refundable_minor if kind == "refund" else payment.open_minor


def _ended(payment: Payment, operation: Operation, moved: int) -> tuple[Payment, list[Booking], str]:
    """Return the payment with nothing set aside for an operation any more and this much moved by it; 0 means that it failed."""
    amount = operation.amount_minor
    after = (
        structs.replace(payment, returning_minor=payment.returning_minor - amount, version=payment.version + 1)
        if operation.kind == "refund"
        else structs.replace(payment, taking_minor=payment.taking_minor - amount, version=payment.version + 1)
    )
    if not moved:
        return after, [], events.OPERATION_FAILED
    if operation.kind == "capture":
        booked = [Booking("gateway", "receivable", moved, debit_party=payment.gateway)]
        return structs.replace(after, captured_minor=after.captured_minor + moved), booked, _DONE["capture"]
    if operation.kind == "refund":
        booked = [Booking("receivable", "gateway", moved, credit_party=payment.gateway)]
        return structs.replace(after, refunded_minor=after.refunded_minor + moved), booked, _DONE["refund"]
    return structs.replace(after, voided_minor=after.voided_minor + moved), [], _DONE["void"]


def check_why(why: str) -> None:
    """Refuse to settle without a reason, or with a novel."""
    if not 1 <= len(why.strip()) <= REASON_CHARS_MAX:
        raise BadInputError(f"The reason has {len(why.strip())} characters: say in 1 to {REASON_CHARS_MAX} why.", field="why")


def ended(operation: Operation) -> bool:
    """Say whether the gateway's answer is known."""
    return operation.state != "asked"


def with_end(operation: Operation, ending: str, reason: str, position: str | None) -> Operation:
    """Return an operation that has ended."""
    return structs.replace(operation, state=ending, reason=reason, position=position)


def told(payment: Payment, amount_minor: int, operation_id: UUID | None = None, reason: str = "") -> events.PaymentMoved:
    """Return the event's body: the payment as it now stands, and what moved."""
    return events.PaymentMoved(
        id=payment.id,
        gateway=payment.gateway,
        currency=payment.currency,
        state=payment.state,
        amount_minor=amount_minor,
        authorized_minor=payment.authorized_minor,
        captured_minor=payment.captured_minor,
        voided_minor=payment.voided_minor,
        refunded_minor=payment.refunded_minor,
        disputed_minor=payment.disputed_minor,
        operation_id=operation_id,
        reason=reason,
    )


def dispute(
    payment: Payment, disputes: Sequence[Dispute], now: GatewayDispute, fresh_id: UUID
) -> tuple[Payment, Dispute | None]:
    """Return payment and dispute as the gateway says they are; None when that is what we know, or older than it.

    ``disputes`` are all that we know of the payment. A bank may dispute what was given back already, too: then no more can be
    held than is left, and what is lost beyond that is lost. While money is on its way, nobody knows what is left.
    """
    known = next((one for one in disputes if one.reference == now.id), None)
    if known is not None and (known.state == now.state or not DISPUTE_MACHINE.allows(known.state, now.state)):
        return payment, None
    if now.currency != payment.currency:
        raise ConflictError(
            f"The dispute {now.id} is in {now.currency}, its payment {payment.id} in {payment.currency}: a person must look.",
            payment_id=str(payment.id),
        )
    moved = Dispute(
        id=known.id if known else fresh_id,
        gateway=payment.gateway,
        reference=now.id,
        payment_id=payment.id,
        state=now.state,
        amount_minor=now.amount_minor,
        currency=now.currency,
        reason=now.reason,
        evidence_due=now.evidence_due,
        evidence=known.evidence if known else "",
    )
    held = sum(one.amount_minor for one in (*(one for one in disputes if one != known), moved) if one.state in _HELD)
    left = payment.captured_minor - payment.refunded_minor - payment.returning_minor
    if held > left and (payment.taking_minor or payment.returning_minor):
        raise ConflictError(
            f"{held} of payment {payment.id} are disputed, and money of it is on its way still: tell it again in a moment.",
            payment_id=str(payment.id),
        )
    disputed = min(held, left)
    return structs.replace(payment, disputed_minor=disputed, version=payment.version + 1), moved


def dispute_told(dispute: Dispute) -> tuple[str, events.DisputeMoved]:
    """Return the kind and the body of the event that tells how a dispute stands."""
    body = events.DisputeMoved(
        id=dispute.id,
        payment_id=dispute.payment_id,
        gateway=dispute.gateway,
        state=dispute.state,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        reason=dispute.reason,
        evidence_due=dispute.evidence_due,
    )
    return _DISPUTED[dispute.state], body


def book_dispute(dispute: Dispute) -> list[Booking]:
    """Return what a dispute books: a lost one is money that the gateway took back, at our cost."""
    lost = Booking("disputes", "gateway", dispute.amount_minor, credit_party=dispute.gateway)
    return [lost] if dispute.state == "lost" else []


def book_payout(payout: Movement, gateway: str) -> list[Booking]:
    """Return what a payout books: what reached the bank, and what the gateway kept."""
    bank = Booking("bank", "gateway", payout.amount_minor, credit_party=gateway)
    fees = Booking("gateway_fees", "gateway", payout.fee_minor, debit_party=gateway, credit_party=gateway)
    return [bank, fees] if payout.fee_minor else [bank]


def check_evidence(dispute: Dispute, evidence: str) -> None:
    """Refuse evidence that says nothing or too much, or that comes when it cannot change anything."""
    if not 1 <= len(evidence.strip()) <= EVIDENCE_CHARS_MAX:
        raise BadInputError(f"The evidence has {len(evidence)} characters: 1 to {EVIDENCE_CHARS_MAX}.", field="evidence")
    DISPUTE_MACHINE.check(dispute.id, dispute.state, "evidence_sent")


def _too_much(payment: Payment, kind: OperationKind, amount: int, left: int) -> ConflictError:
    facts = {"payment_id": str(payment.id), "wanted_minor": amount, "left_minor": left}
    if kind == "refund" and not left:
        return RefundExceedsCapturedError(
            f"Nothing of payment {payment.id} can be refunded: nothing of it is captured and neither given back nor disputed.",
            **facts,
        )
    if kind == "refund":
        return RefundExceedsCapturedError(
            f"{amount} of payment {payment.id} cannot be refunded: {left} {payment.currency} minor units are captured and "
            "neither given back nor disputed.",
            **facts,
        )
    what = "given up" if kind == "void" else "taken"
    if not left:
        return CaptureExceedsAuthorizedError(
            f"Nothing of payment {payment.id} can be {what}: nothing of it is promised and still open.", **facts
        )
    return CaptureExceedsAuthorizedError(
        f"{amount} of payment {payment.id} cannot be {what}: {left} {payment.currency} minor units are promised and open.",
        **facts,
    )

"""What a payment gateway must be able to do, in our words; a file per vendor beside this one does it.

Owns the values that cross this border and the two ways a call can end badly: refused (nothing happened) and away (nobody knows
what happened: find it by its reference, or repeat it with the same key). Card numbers never cross: tokens only.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import ConflictError, EntrepotError

PaymentState = Literal[
    "challenged", "declined", "authorized", "part_captured", "captured", "part_refunded", "refunded", "voided"
]
DisputeState = Literal["opened", "evidence_sent", "won", "lost"]
MovementKind = Literal["capture", "refund", "dispute", "payout"]


class GatewayAwayError(EntrepotError):
    """The gateway did not answer: what was asked may or may not have happened. Find it, or ask again with the same key."""

    slug = "gateway-away"
    status = 503
    exit_code = 5

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(
            f"The payment gateway {gateway} does not answer ({why}): the outcome is not known yet, ask again shortly.",
            gateway=gateway,
            why=why,
        )


class GatewayRefusedError(ConflictError):
    """The gateway refused a call for good: nothing happened, and asking again unchanged would be refused again."""

    slug = "gateway-refused"

    def __init__(self, gateway: str, reason: str, why: str) -> None:
        super().__init__(f"The payment gateway {gateway} refuses: {why}", gateway=gateway, reason=reason)
        self.reason = reason


class GatewayLiedError(EntrepotError):
    """The gateway answered something other than what was asked (another amount, another currency): a person must look."""

    slug = "gateway-lied"
    status = 502
    exit_code = 5


class Authorize(Struct, frozen=True, kw_only=True):
    """Asks for money to be promised, or taken at once when ``capture``; its reference (the checkout's id) makes it idempotent.

    ``keep``: give a method token with which later charges can be made without the buyer. ``stored``: ``token`` is such a
    method and the buyer is not there, so it is never challenged. ``return_url``: where a challenge sends the buyer back to.
    """

    reference: UUID
    token: str
    amount_minor: int
    currency: str
    capture: bool = False
    stored: bool = False
    keep: bool = False
    return_url: str = ""


class Authorized(Struct, frozen=True, kw_only=True, tag="authorized"):
    """Promised (or taken, when ``captured_minor`` says so). ``method`` is the kept method's token, else empty."""

    payment_id: str
    amount_minor: int
    currency: str
    captured_minor: int = 0
    method: str = ""
    label: str = ""


class Challenged(Struct, frozen=True, kw_only=True, tag="challenged"):
    """The buyer must prove who they are at ``url``, which sends them back to ``return_url``; then ``find`` says how it went."""

    payment_id: str
    url: str


class Declined(Struct, frozen=True, kw_only=True, tag="declined"):
    """The bank said no, for a reason such as ``insufficient_funds``; another card may do."""

    payment_id: str
    reason: str


Answer: TypeAlias = Authorized | Challenged | Declined


class GatewayPayment(Struct, frozen=True, kw_only=True):
    """A payment as the gateway knows it now. ``voided_minor`` was promised and given up; ``reason`` is a decline's."""

    id: str
    reference: UUID
    state: PaymentState
    currency: str
    authorized_minor: int
    captured_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    voided_minor: int = 0
    reason: str = ""
    challenge_url: str = ""
    method: str = ""
    label: str = ""

    def answer(self, gateway: str, request: Authorize) -> Answer:
        """Return what ``authorize`` would answer to the request now: for who finds a payment after a crash or a challenge.

        A payment of another amount or currency than was asked for, or under another reference, is a ``GatewayLiedError``; so is
        one that was taken though it was to be promised, or the other way round.
        """
        if self.reference != request.reference:
            raise GatewayLiedError(
                f"The payment gateway {gateway} answers with a payment of {self.reference}, asked was of {request.reference}: "
                "a person must look at it."
            )
        if self.state == "declined":
            return Declined(payment_id=self.id, reason=self.reason)
        if self.state == "voided":
            return Declined(payment_id=self.id, reason="voided")
        if self.state == "challenged":
            return Challenged(payment_id=self.id, url=self.challenge_url)
        check_told(gateway, "authorization", request.amount_minor, self.authorized_minor)
        if self.currency != request.currency:
            raise GatewayLiedError(
                f"The payment gateway {gateway} answers in {self.currency}, asked in {request.currency}: "
                "a person must look at it."
            )
        check_told(gateway, "capture", request.amount_minor if request.capture else 0, self.captured_minor)
        return Authorized(
            payment_id=self.id,
            amount_minor=self.authorized_minor,
            currency=self.currency,
            captured_minor=self.captured_minor,
            method=self.method,
            label=self.label,
        )


def check_told(gateway: str, what: str, asked_minor: int, told_minor: int) -> None:
    """Refuse to believe an amount other than the one that was asked."""
    if told_minor != asked_minor:
        raise GatewayLiedError(
            f"The payment gateway {gateway} answers {what} of {told_minor}, asked was {asked_minor}: a person must look at it.",
            gateway=gateway,
            asked_minor=asked_minor,
            told_minor=told_minor,
        )


class GatewayDispute(Struct, frozen=True, kw_only=True):
    """A dispute as the gateway knows it now: ``amount_minor`` is held by the bank, and lost with the dispute."""

    id: str
    payment_id: str
    state: DisputeState
    amount_minor: int
    currency: str
    reason: str
    evidence_due: datetime


class Movement(Struct, frozen=True, kw_only=True):
    """One line of the gateway's own report: money that moved. ``key`` is the key it was asked with, empty where nobody asked.

    A payout's ``amount_minor`` is what reached the bank, after ``fee_minor`` was kept; it belongs to no payment.
    """

    id: str
    kind: MovementKind
    amount_minor: int
    currency: str
    at: datetime
    fee_minor: int = 0
    payment_id: str = ""
    reference: UUID | None = None
    key: str = ""
    payout: str = ""


class ReportPage(Struct, frozen=True, kw_only=True):
    """Lines of the report in the order they happened; ``cursor`` is given back to get what came after."""

    movements: list[Movement]
    cursor: str
    more: bool = False


class PaymentPage(Struct, frozen=True, kw_only=True):
    """Payments in the order they were asked for; ``cursor`` is given back to get what came after."""

    payments: list[GatewayPayment]
    cursor: str
    more: bool = False


class Notice(Struct, frozen=True, kw_only=True):
    """What a genuine webhook is allowed to tell us: that something is new about a payment. What, is asked of the gateway."""

    event_id: str
    kind: str
    payment_id: str = ""
    dispute_id: str = ""


class PaymentGateway(Protocol):
    """A gateway. Every call raises ``GatewayAwayError`` when its outcome is not known, ``GatewayRefusedError`` when it is no.

    ``key`` makes a call idempotent: the same key never moves money twice.
    """

    @property
    def name(self) -> str:
        """The gateway's name: party of the account 'gateway', and part of the webhook's path."""
        ...

    async def authorize(self, request: Authorize) -> Answer:
        """Promise money (or take it at once); the same reference again gives the same answer."""
        ...

    async def find(self, reference: UUID) -> GatewayPayment | None:
        """Return the payment made under this reference, or None when none was: what to ask after ``GatewayAwayError``."""
        ...

    async def payment(self, payment_id: str) -> GatewayPayment | None:
        """Return a payment by the gateway's own id."""
        ...

    async def close_reference(self, reference: UUID) -> GatewayPayment | None:
        """Void (or give back) whatever is there under this reference, and refuse whatever comes late: a tombstone."""
        ...

    async def capture(self, payment_id: str, amount_minor: int, key: str) -> GatewayPayment:
        """Take some of what was promised."""
        ...

    async def void(self, payment_id: str, key: str) -> GatewayPayment:
        """Give up what was promised and not yet taken."""
        ...

    async def refund(self, payment_id: str, amount_minor: int, key: str) -> GatewayPayment:
        """Give back some of what was taken."""
        ...

    async def dispute(self, dispute_id: str) -> GatewayDispute | None:
        """Return a dispute as it stands."""
        ...

    async def submit_evidence(self, dispute_id: str, evidence: str, key: str) -> GatewayDispute:
        """Answer a dispute, before ``evidence_due``."""
        ...

    async def report(self, cursor: str = "") -> ReportPage:
        """Return the gateway's own account of every movement after the cursor."""
        ...

    async def payments(self, cursor: str = "") -> PaymentPage:
        """Return every payment the gateway knows, as it stands, in pages."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_millis: int) -> Notice:
        """Check signature and time window on the raw bytes (header names in lower case), or raise ``WebhookRefusedError``."""
        ...

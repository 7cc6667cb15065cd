"""What the sandbox gateway is asked and what it keeps: its own shapes, which its clients translate."""

from typing import Literal

from msgspec import Struct

State = Literal["challenged", "declined", "authorized", "part_captured", "captured", "part_refunded", "refunded", "voided"]


class RefusedError(Exception):
    """A request that the gateway refuses for good; nothing happened."""

    def __init__(self, reason: str, why: str, status: int = 409) -> None:
        super().__init__(why)
        self.reason, self.why, self.status = reason, why, status


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authorization asked for."""

    reference: str
    token: str
    amount_minor: int
    currency: str
    capture: bool = False
    stored: bool = False
    keep: bool = False
    return_url: str = ""


class Amount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much to capture or refund."""

    amount_minor: int


class Evidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said against a dispute."""

    evidence: str


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the bank decides a dispute: for tests and demos, which are the bank here."""

    won: bool


class Subscriber(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where webhooks go and which kinds are wanted."""

    url: str
    kinds: list[str]


class Payment(Struct, kw_only=True):
    """A payment as it stands."""

    id: str
    reference: str
    token: str
    state: State
    currency: str
    asked_minor: int
    authorized_minor: int
    captured_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    voided_minor: int = 0
    capture: bool = False
    keep: bool = False
    stored: bool = False
    reason: str = ""
    method: str = ""
    label: str = ""
    return_url: str = ""
    challenge_url: str = ""
    moved_minor: int = 0

    def restate(self) -> None:
        """Set the state that the amounts say."""
        open_minor = self.authorized_minor - self.captured_minor - self.voided_minor
        if not self.captured_minor:
            self.state = "authorized" if open_minor else "voided"
        elif self.refunded_minor == self.captured_minor and not open_minor:
            self.state = "refunded"
        elif self.refunded_minor:
            self.state = "part_refunded"
        else:
            self.state = "part_captured" if open_minor else "captured"


class Dispute(Struct, kw_only=True):
    """A dispute as it stands."""

    id: str
    payment_id: str
    state: Literal["opened", "evidence_sent", "won", "lost"]
    amount_minor: int
    currency: str
    reason: str
    evidence_due: str
    evidence: str = ""

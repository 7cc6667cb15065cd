"""The test tokens: what each makes the gateway do. The page docs/reference/sandbox-gateway.md is drawn from here."""

from typing import Final

from msgspec import Struct


class Behaviour(Struct, frozen=True, kw_only=True):
    """How the gateway behaves to a token; ``says`` is the sentence of the docs page."""

    says: str
    declined: str = ""
    stored_declined: str = ""
    stored_declines: int = 1 << 30
    challenged: bool = False
    hangs: str = ""
    turned_away: bool = False
    authorize_lie: int = 0
    capture_lie: int = 0
    capture_refused: bool = False
    disputed: bool = False


def _declined(reason: str) -> Behaviour:
    return Behaviour(says=f"Declined: `{reason}`.", declined=reason)


TOKENS: Final[dict[str, Behaviour]] = {
    "tok_ok": Behaviour(says="Authorized at once."),
    "tok_challenge": Behaviour(
        says="Asks for a challenge (a 3-D Secure page of the gateway's own); the buyer approves or refuses there.",
        challenged=True,
    ),
    "tok_declined_insufficient_funds": _declined("insufficient_funds"),
    "tok_declined_expired_card": _declined("expired_card"),
    "tok_declined_lost_card": _declined("lost_card"),
    "tok_declined_do_not_honour": _declined("do_not_honour"),
    "tok_stolen": _declined("stolen_card"),
    "tok_timeout_after_charge": Behaviour(
        says="Charges, and then does not answer; asked again with the same reference it answers.", hangs="after"
    ),
    "tok_timeout_before_charge": Behaviour(says="Neither charges nor answers.", hangs="before"),
    "tok_unavailable": Behaviour(says="Answers 503 at first, and is there again when asked again.", turned_away=True),
    "tok_lies": Behaviour(says="Authorizes one minor unit less than was asked, as if it were right.", authorize_lie=-1),
    "tok_lies_on_capture": Behaviour(says="Captures one minor unit less than was asked.", capture_lie=-1),
    "tok_capture_refused": Behaviour(
        says="Authorized, but every capture is refused: the authorization has expired.", capture_refused=True
    ),
    "tok_dispute": Behaviour(says="Authorized; its first capture is disputed at once.", disputed=True),
    "tok_stored_declined": Behaviour(
        says="Authorized while the buyer is there; every later charge of the kept method is declined.",
        stored_declined="insufficient_funds",
    ),
    "tok_stored_declined_twice": Behaviour(
        says="As before, but only the first two later charges are declined: dunning that succeeds.",
        stored_declined="insufficient_funds",
        stored_declines=2,
    ),
}
WINNING_EVIDENCE: Final = "winning_evidence"
LOSING_EVIDENCE: Final = "losing_evidence"

"""The test cards of the sandbox gateway, as a shopper chooses one, and what a bank's no means. No card number is ever typed."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Card(Struct, frozen=True):
    """A card: the token that stands for it, what it is called, and what happens with it."""

    token: str
    name: str
    says: str


# Each token's behaviour is the sandbox's own (docs/reference/sandbox-gateway.md); here is what a shopper is told of it.
SANDBOX: Sequence[Card] = (
    Card("tok_ok", "Everyday card", "Approved at once"),
    Card("tok_challenge", "Careful bank", "Asks you to approve on the bank's own page"),
    Card("tok_declined_insufficient_funds", "Empty account", "Declined: insufficient funds"),
    Card("tok_declined_expired_card", "Expired card", "Declined: expired"),
    Card("tok_stolen", "Stolen card", "Declined: reported stolen"),
    Card("tok_timeout_after_charge", "Silent bank", "Takes the money and does not answer; we find out"),
    Card("tok_unavailable", "Bank in a tunnel", "Away at first, there when asked again"),
    Card("tok_dispute", "Doubting buyer", "Approved; disputed once the money is taken"),
)

_WHY: Mapping[str, str] = {
    "insufficient_funds": "The bank says that there is not enough money on this card.",
    "expired_card": "The bank says that this card has expired.",
    "lost_card": "The bank does not accept this card.",
    "stolen_card": "The bank does not accept this card.",
    "do_not_honour": "The bank does not accept this payment.",
    "challenge_refused": "You refused the payment on your bank's page.",
    "expired": "The payment took too long.",
}


def cards_of(gateway: str) -> Sequence[Card]:
    """Return the cards that can be chosen with a gateway; one without a sandbox needs its own form, which gives a token."""
    return SANDBOX if gateway == "sandbox" else ()


def why_declined(reason: str) -> str:
    """Return in a sentence why there is no payment; a reason that is not known is not repeated."""
    return _WHY.get(reason, "The bank did not accept the payment.")

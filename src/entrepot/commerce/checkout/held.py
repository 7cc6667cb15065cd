"""A checkout from its request to its answer: what is asked, what it holds meanwhile, how it stands. Values only."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from entrepot.base.event import Token
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.quote import Quote, QuoteRequest
from entrepot.commerce.ordering.events import OrderPlaced
from entrepot.partners.payment.port import Authorized

# What a contact is sealed as, in what a checkout holds and then beside its order.
CONTACT = "ordering.contact.sealed"

State = Literal["authorizing", "challenged", "compensating", "placed", "declined", "expired", "compensated"]


class PaymentChoice(Struct, frozen=True, kw_only=True):
    """How it is paid: by a gateway's token of a card, on the company's terms, or not at all, as nothing is to be paid.

    ``stored``: the token is of a method that was kept earlier, and the buyer is not there. ``keep``: keep one now.
    ``return_url`` is where a challenge sends the buyer back to.
    """

    kind: Literal["card", "terms", "none"]
    token: str = ""
    stored: bool = False
    keep: bool = False
    return_url: str = ""


class CardChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a shopper pays: by the token that the gateway's form gave for a card, or, where nothing is to be paid, not at all.

    ``keep`` asks the gateway for a token for later. ``return_url`` is where a challenge sends the buyer back to.
    """

    kind: Literal["card", "none"] = "card"
    token: str = ""
    keep: bool = False
    return_url: str = ""

    def choice(self) -> PaymentChoice:
        """Return it as checkout takes it: a shopper is there, so nothing stored is charged without them."""
        return PaymentChoice(kind=self.kind, token=self.token, keep=self.keep, return_url=self.return_url)


class Credit(Struct, frozen=True):
    """What goods that came back pay of a checkout that sends others for them, without postage; ``note`` says which."""

    amount_minor: int
    note: str


class CheckoutRequest(Struct, frozen=True, kw_only=True):
    """What is bought, by whom, and how it is paid; with ``expected_total_minor`` another total is told instead of taken.

    ``claims`` are limits that it uses beside those of its quote: that it is the only order of a cart, say. ``subject`` is whose
    the contact is where nobody has signed in.
    """

    quote: QuoteRequest
    payment: PaymentChoice
    contact: Contact | None = None
    subject: UUID | None = None
    expected_total_minor: int | None = None
    claims: list[Claim] = field(default_factory=list)
    credit: Credit | None = None


class HeldTransfer(Struct, frozen=True, kw_only=True):
    """A transfer of the ledger, as it will be booked when the order is placed."""

    id: UUID
    debit: str
    credit: str
    amount_minor: int
    debit_party: str
    credit_party: str


class Held(Struct, frozen=True, kw_only=True):
    """What a checkout holds until it ends: the order as it will be placed, whole, and how it is paid.

    ``capture``: the money is taken at once, since nothing has to be shipped first. Whom it goes to lies in it ``sealed``.
    ``cause`` is the request that began it: its events name that one, whoever ends it.
    """

    order: OrderPlaced
    payment: PaymentChoice
    contact: Contact | None = None
    subject: UUID | None = None
    sealed: bytes = b""
    transfers: list[HeldTransfer] = field(default_factory=list)
    capture: bool = False
    cause: UUID | None = None


class Beginning(Struct, frozen=True, kw_only=True):
    """A checkout that is to begin: its key, the mark of the request that came with it, and what is wanted."""

    key: str
    mark: bytes
    request: CheckoutRequest
    cause: UUID | None = None


class Reserving(Struct, frozen=True, kw_only=True):
    """A checkout that is to be reserved: its key, the mark of the request that came with it, and what it costs."""

    key: str
    mark: bytes
    request: CheckoutRequest
    quote: Quote
    cause: UUID | None = None


class Reserved(Struct, frozen=True):
    """A checkout that holds what it wants; ``held`` is None where an earlier call with the same key made it."""

    checkout_id: UUID
    held: Held | None


class Placing(Struct, frozen=True):
    """A checkout that is to be placed: its money is promised by this gateway, or no gateway is needed."""

    checkout_id: UUID
    gateway: str = ""
    authorized: Authorized | None = None


class Releasing(Struct, frozen=True):
    """A checkout that is to end without an order: how, and why; ``levels`` is how many levels it holds pieces of, at most."""

    checkout_id: UUID
    state: State
    reason: str
    levels: int


class Ended(Struct, frozen=True):
    """How a checkout stands after a call that was to end it, whether that call did, and where the log tells of it."""

    state: State
    now_so: bool
    token: Token | None


class StoredCheckout(Struct, frozen=True, kw_only=True):
    """A checkout as it stands; ``held`` as JSON until it ends."""

    id: UUID
    state: State
    total_minor: int
    currency: str
    expires_at: datetime
    stepped_at: datetime
    challenge_url: str
    reason: str
    held: str | None
    token: Token | None


class CheckoutAnswer(Struct, frozen=True, kw_only=True):
    """How a checkout stands: ``placed`` has an order, ``challenged`` a page where the buyer must prove who they are."""

    checkout_id: UUID
    state: State
    total_minor: int
    currency: str
    order_id: UUID | None = None
    challenge_url: str | None = None
    reason: str | None = None
    token: Token | None = None

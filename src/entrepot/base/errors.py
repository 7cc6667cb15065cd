"""The errors a caller can act on: each has a stable type, says what is true, with the value, and what to do.

Nothing here knows HTTP beyond the status number that each error maps to, so that API and CLI say the same sentence.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from entrepot.base.redaction import redact


class EntrepotError(Exception):
    """Something is true that stops the caller; ``str()`` is a whole sentence fit to be shown to a person.

    ``slug`` is stable for ever (problem+json ``type`` is ``/problems/<slug>``), ``status`` is its HTTP status and
    ``exit_code`` that of the command line. ``facts`` are the values, for machines.
    """

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts: Mapping[str, object] = facts


class BadInputError(EntrepotError):
    """What was given cannot be meant; the message names the field, the value and what is accepted."""

    slug = "bad-input"
    status = 400
    exit_code = 2


class NotFoundError(EntrepotError):
    """The thing named does not exist (or not here)."""

    slug = "not-found"
    status = 404
    exit_code = 3


class ConflictError(EntrepotError):
    """The state of a thing, or of a key, refuses the command; trying again unchanged would be refused again."""

    slug = "conflict"
    status = 409
    exit_code = 4


class StockExhaustedError(ConflictError):
    """Fewer pieces are left than were wanted; the whole order was refused and nothing was taken."""

    slug = "stock-exhausted"

    def __init__(self, sku: str, *, wanted: int, left: int, advice: str = "order fewer, or leave it out") -> None:
        super().__init__(
            f"Only {left} of {sku} left, {wanted} wanted: {advice}.",
            sku=sku,
            wanted=wanted,
            left=left,
        )


class StockReservedError(ConflictError):
    """A count is less than what checkouts hold and what is sold and has not left: it is wrong, or they cannot be served."""

    slug = "stock-reserved"

    def __init__(self, sku: str, *, counted: int, reserved: int) -> None:
        super().__init__(
            f"{counted} of {sku} were counted, and {reserved} are reserved or sold and not sent yet: count again, or cancel "
            "what cannot be sent first.",
            sku=sku,
            counted=counted,
            reserved=reserved,
        )


class QuantityRefusedError(BadInputError):
    """A quantity that no order can have: none, less than none, or more than there is of anything."""

    slug = "quantity-refused"

    def __init__(self, sku: str, quantity: int, most: int) -> None:
        super().__init__(f"{quantity} pieces of {sku} cannot be ordered: 1 to {most}.", sku=sku, quantity=quantity, most=most)


class CurrencyNotSoldError(BadInputError):
    """The market does not sell in this currency."""

    slug = "currency-not-sold"

    def __init__(self, market: str, currency: str, sold: Iterable[str]) -> None:
        known = ", ".join(sold)
        super().__init__(
            f"The market {market} does not sell in {currency}: use {known}.", market=market, currency=currency, sold=known
        )


class PriceMissingError(ConflictError):
    """An article has no price here and now: none was set, or the last one has expired."""

    slug = "price-missing"

    def __init__(self, sku: str, market: str, currency: str) -> None:
        super().__init__(
            f"{sku} has no price in {currency} in the market {market} now: leave it out, or set one that is valid.",
            sku=sku,
            market=market,
            currency=currency,
        )


class CannotShipError(ConflictError):
    """No shipping method goes to this address with this parcel."""

    slug = "cannot-ship"

    def __init__(self, country: str, region: str, postcode: str, *, grams: int) -> None:
        place = " ".join(part for part in (postcode, region, country) if part)
        super().__init__(
            f"Nothing ships {grams} g to {place}: give another address, or order less at once.",
            country=country,
            region=region,
            postcode=postcode,
            grams=grams,
        )


class VatIdRefusedError(BadInputError):
    """A VAT id that cannot be one, by its form and check digits."""

    slug = "vat-id-refused"

    def __init__(self, vat_id: str, why: str) -> None:
        super().__init__(f"{vat_id!r} is no VAT id ({why}): correct it, or leave it out and pay the tax.", vat_id=vat_id)


class CouponUnknownError(NotFoundError):
    """There is no coupon of this code."""

    slug = "coupon-unknown"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no coupon {code!r}: check how it is written, or leave it out.", coupon=code)


class CouponExpiredError(ConflictError):
    """The coupon, or what it stands for, is not valid now: over, or not begun."""

    slug = "coupon-expired"

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"The coupon {code} {why}: leave it out.", coupon=code)


class CouponUsedUpError(ConflictError):
    """The coupon was used as often as it may be, by everybody or by this customer."""

    slug = "coupon-used-up"

    def __init__(self, code: str, *, most: int, by_customer: bool = False) -> None:
        whose = "you have used" if by_customer else "has been used"
        sentence = f"{whose} the coupon {code}" if by_customer else f"the coupon {code} {whose}"
        super().__init__(
            f"{sentence[0].upper()}{sentence[1:]} {most} times, as often as it may be: leave it out.", coupon=code, most=most
        )


class CouponRefusedError(ConflictError):
    """The coupon is valid, but not here: for another market, channel or customer, or for customers who have signed in."""

    slug = "coupon-refused"

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"The coupon {code} cannot be used: {why}.", coupon=code)


class CreditExhaustedError(ConflictError):
    """A company has less credit left than the order costs; nothing was taken."""

    slug = "credit-exhausted"

    def __init__(self, company: object, *, wanted_minor: int, left_minor: int, currency: str) -> None:
        super().__init__(
            f"The credit left to the company {company} is {left_minor} minor units of {currency}, {wanted_minor} wanted: "
            "pay an invoice first, or order less.",
            company_id=str(company),
            wanted_minor=wanted_minor,
            left_minor=left_minor,
            currency=currency,
        )


class SpendingLimitError(ConflictError):
    """A purchase is above what this buyer may decide alone, in one order or in the month."""

    slug = "spending-limit-exceeded"

    def __init__(self, buyer: object, *, limit: str, limit_minor: int, would_minor: int) -> None:
        super().__init__(
            f"The buyer {buyer} may decide {limit_minor} minor units {limit}, this would make {would_minor}: "
            "ask somebody with a higher limit.",
            buyer_id=str(buyer),
            limit=limit,
            limit_minor=limit_minor,
            would_minor=would_minor,
        )


class OwnApprovalError(ConflictError):
    """Nobody approves what they asked for themselves."""

    slug = "own-approval"

    def __init__(self, buyer: object, purchase: object) -> None:
        super().__init__(
            f"The buyer {buyer} asked for the purchase {purchase} and cannot approve it: ask another approver.",
            buyer_id=str(buyer),
            purchase_id=str(purchase),
        )


class NegotiationExpiredError(ConflictError):
    """The prices that were offered were valid until a moment that has passed."""

    slug = "negotiation-expired"

    def __init__(self, negotiation: object, valid_until: str) -> None:
        super().__init__(
            f"What was offered in the negotiation {negotiation} was valid until {valid_until}: ask for a new offer.",
            negotiation_id=str(negotiation),
            valid_until=valid_until,
        )


class ChargeUnderWayError(ConflictError):
    """A charge of this subscription has been asked for and its outcome is not known yet."""

    slug = "charge-under-way"

    def __init__(self, subscription: object) -> None:
        super().__init__(
            f"A charge of the subscription {subscription} is under way: try again in a moment.",
            subscription_id=str(subscription),
        )


class PiecesRefusedError(ConflictError):
    """More pieces of an order's line are to be shipped, cancelled or taken back than can be; nothing was changed."""

    slug = "pieces-refused"

    def __init__(self, what: str, sku: str, *, wanted: int, left: int, where: str) -> None:
        super().__init__(f"{wanted} of {sku} cannot be {what}: {left} of it {where}.", sku=sku, wanted=wanted, left=left)


# Before it stands whose an idempotency key is, behind it what they have sent; what is asked by ourselves has no owner.
KEY_OWNER_ENDS = ";"


def told_key(key: str) -> str:
    """Return an idempotency key as whoever sent it knows it."""
    return key.partition(KEY_OWNER_ENDS)[2] or key


class KeyReusedError(EntrepotError):
    """An idempotency key came again with another body; the first answer stands and nothing was done."""

    slug = "idempotency-key-reused"
    status = 422
    exit_code = 4

    def __init__(self, key: str) -> None:
        told = told_key(key)
        super().__init__(f"The idempotency key {told!r} was used for a different request: send a new key.", key=told)


class EngineAwayError(EntrepotError):
    """An engine does not answer; what it serves is unavailable for now and nothing acknowledged is lost."""

    slug = "engine-away"
    status = 503
    exit_code = 5

    def __init__(self, role: str, why: str) -> None:
        why = redact(" ".join(why.split()))  # drivers answer in several lines, and may name the URL
        super().__init__(f"The {role} engine does not answer ({why}): try again shortly.", role=role, why=why)


class NotThereYetError(EntrepotError):
    """A read asked for "at least this position" and the projection did not reach it within the bound."""

    slug = "not-there-yet"
    status = 503
    exit_code = 5


class SignInRefusedError(EntrepotError):
    """Who signs in gave something that is not right; which part it was is not told, nor whether there is such an account."""

    slug = "sign-in-refused"
    status = 401
    exit_code = 8

    def __init__(self) -> None:
        super().__init__(
            "This did not sign anybody in: check the e-mail address, the password and, if the account asks for one, the code."
        )


class SignInNeededError(EntrepotError):
    """Only somebody who has signed in may ask for this."""

    slug = "unauthenticated"
    status = 401
    exit_code = 8

    def __init__(self) -> None:
        super().__init__("Only somebody who has signed in may ask for this: sign in, or send a session or an API key.")


class TokenRefusedError(EntrepotError):
    """A session, key or link is not one of ours, or is no longer: expired, ended, used. Which of these is not told."""

    slug = "token-refused"
    status = 401
    exit_code = 8

    def __init__(self, what: str = "session or key") -> None:
        here = ", or was asked for in another browser" if what == "link" else ""
        super().__init__(f"The {what} is not one of ours, or is over{here}: get a new one.")


class StepUpNeededError(EntrepotError):
    """What is asked for changes who may come in: it takes somebody who proved who they are a moment ago."""

    slug = "step-up-needed"
    status = 403
    exit_code = 8

    def __init__(self) -> None:
        super().__init__(
            "This takes a fresh proof of who you are: give your password, code or passkey once more, then ask again."
        )


class TooManyTriesError(EntrepotError):
    """So many tries failed that the next must wait; a device that has signed in before, or a link by mail, need not."""

    slug = "too-many-tries"
    status = 429
    exit_code = 8

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"There were too many tries from here: try again in {seconds} s, or sign in by passkey or by a link that we mail.",
            retry_seconds=seconds,
        )


class HouseFullError(EntrepotError):
    """More people sign in at this moment than can be looked at in time; nothing was looked at."""

    slug = "house-full"
    status = 503
    exit_code = 5

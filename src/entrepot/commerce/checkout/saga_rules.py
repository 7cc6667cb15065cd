"""Pure decisions of the saga: what a checkout may become, what it agrees on, and the order it holds until it is placed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, assert_never
from uuid import UUID

import msgspec

from entrepot.base import limits
from entrepot.base.errors import (
    BadInputError,
    ConflictError,
    CouponUsedUpError,
    CreditExhaustedError,
    EntrepotError,
    StockExhaustedError,
)
from entrepot.base.machine import Machine
from entrepot.base.money import apportion, currency, rounded, spoken
from entrepot.commerce.cart.rules import check_contact
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.credit import credited
from entrepot.commerce.checkout.held import (
    Beginning,
    CheckoutAnswer,
    CheckoutRequest,
    Held,
    HeldTransfer,
    PaymentChoice,
    Reserving,
    State,
    StoredCheckout,
)
from entrepot.commerce.checkout.quote import Quote, QuotedLine
from entrepot.commerce.checkout.rules import number_charges
from entrepot.commerce.ordering.events import Line, OrderPlaced, TaxLine
from entrepot.commerce.ordering.rules import book_sale
from entrepot.commerce.stock.allocate import Allocation, Levels, Wanted
from entrepot.partners.payment.port import Authorize

# Compensating comes before the gateway is told: from then on nothing can place the checkout, whatever the gateway had promised.
CHECKOUT = Machine(
    "checkout",
    {
        "authorizing": ("placed", "challenged", "declined", "compensating"),
        "challenged": ("placed", "declined", "compensating"),
        "compensating": ("expired", "compensated"),
        "placed": (),
        "declined": (),
        "expired": (),
        "compensated": (),
    },
)

Step = Literal["answer", "authorize", "find", "compensate"]

EXPIRED = "expired"
PERMILLE = 1000


class PriceChangedError(ConflictError):
    """It costs something else than the buyer was shown; nothing was ordered. The quote says what it costs now, and why."""

    slug = "price-changed"

    def __init__(self, expected_minor: int, quote: Quote) -> None:
        of = currency(quote.currency)
        super().__init__(
            f"It costs {spoken(quote.total_minor, of)} now, not {spoken(expected_minor, of)}: "
            "look at the new total, and order again with it.",
            expected_total_minor=expected_minor,
            total_minor=quote.total_minor,
            currency=quote.currency,
            quote=msgspec.to_builtins(quote),
        )


class AllowanceUsedUpError(ConflictError):
    """Something that may be used only so often, or up to so much, is used up; nothing was ordered."""

    slug = "allowance-used-up"

    def __init__(self, claim: Claim, left: int) -> None:
        kind, _, code = claim.name.partition("/")
        # Nobody chose a promotion, and nobody can leave one out: it goes by itself from the next price that is asked for.
        gone = f"The promotion {code.partition('/')[0]} has just been used up: ask for the price again, and order at that one."
        super().__init__(
            gone if kind == "promotion" else f"Of {claim.name!r} {left} is left, {claim.amount} wanted: leave it out.",
            allowance=claim.name,
            wanted=claim.amount,
            left=left,
        )


class CartOrderedError(ConflictError):
    """This cart has been ordered, or is being ordered at this moment by another request: one cart is one order."""

    slug = "cart-ordered"

    def __init__(self) -> None:
        super().__init__("This cart has been ordered, or is being ordered: look at your orders, or open a new cart.")


class PaymentDeclinedError(ConflictError):
    """The bank or the gateway said no; nothing was ordered, nothing was taken, and what was reserved is free again."""

    slug = "payment-declined"
    status = 402

    def __init__(self, answer: CheckoutAnswer) -> None:
        why = (answer.reason or "no reason given").replace("_", " ")
        super().__init__(
            f"The payment was declined ({why}): choose another way to pay, and send a new key.",
            checkout_id=str(answer.checkout_id),
            reason=answer.reason,
        )


class CheckoutExpiredError(ConflictError):
    """The checkout took too long, or could not be finished; nothing was ordered and nothing was taken."""

    slug = "checkout-expired"

    def __init__(self, answer: CheckoutAnswer) -> None:
        super().__init__(
            f"The checkout {answer.checkout_id} ended without an order ({answer.reason}): nothing was taken. Begin a new one.",
            checkout_id=str(answer.checkout_id),
            state=answer.state,
            reason=answer.reason,
        )


def check_asked(request: CheckoutRequest) -> None:
    """Refuse a checkout that cannot be meant, before anything is looked up."""
    payment, contact = request.payment, request.contact
    match payment.kind:
        case "card":
            _check_card(payment)
        case "terms":
            if request.quote.company_id is None:
                raise BadInputError("Only a company buys on terms: name it, or pay by card.", field="payment.kind")
        case "none":
            pass
        case _:
            assert_never(payment.kind)
    if contact is not None:
        check_contact(contact)
    if contact is not None and contact.address.country != request.quote.country:
        raise BadInputError(
            f"The address lies in {contact.address.country}, the quote is for {request.quote.country}: ask for one of there.",
            field="country",
        )


def check_agreed(request: CheckoutRequest, quote: Quote) -> None:
    """Refuse a total that the buyer has not seen, a parcel to nowhere, and what costs something and is not paid."""
    if request.expected_total_minor not in (None, quote.total_minor):
        assert request.expected_total_minor is not None
        raise PriceChangedError(request.expected_total_minor, quote)
    elsewhere = request.contact is None and request.credit is None  # an exchange goes where the first order went
    if elsewhere and any(line.delivery == "ship" for line in quote.lines):
        raise BadInputError("The order is to be shipped and has no contact: say to whom and where.", field="contact")
    if request.payment.kind == "none" and quote.total_minor:
        raise BadInputError(
            f"It costs {spoken(quote.total_minor, currency(quote.currency))}: say how it is paid.",
            total_minor=quote.total_minor,
        )


def agreed(asked: Beginning, quote: Quote | EntrepotError) -> Reserving | EntrepotError:
    """Return what is to be reserved, or why nothing is: there is no quote, or the buyer has not agreed to it."""
    if isinstance(quote, EntrepotError):
        return quote
    try:
        quote = credited(asked.request, quote)
        check_agreed(asked.request, quote)
    except EntrepotError as error:
        return error
    return Reserving(key=asked.key, mark=asked.mark, request=asked.request, quote=quote, cause=asked.cause)


def claims_of(request: CheckoutRequest, quote: Quote) -> list[Claim]:
    """Return everything the checkout uses of what is limited; on terms, that is the company's credit too."""
    claims = [*quote.claims, *request.claims]
    if request.payment.kind == "terms" and quote.total_minor:
        claims.append(Claim(f"credit/{request.quote.company_id}", quote.total_minor))
    return claims


def wanted_of(quote: Quote) -> list[Wanted]:
    """Return what has to be found in warehouses."""
    return [Wanted(line.line, line.sku, line.variant_id, line.quantity) for line in quote.lines]


def less(levels: Levels, wanted: Sequence[Wanted], allocations: Sequence[Allocation]) -> Levels:
    """Return what is left on the shelves after these pieces were taken off."""
    variant_of = {want.line: want.variant_id for want in wanted}
    taken: dict[tuple[UUID, str], int] = {}
    for one in allocations:
        at = (variant_of[one.line], one.warehouse)
        taken[at] = taken.get(at, 0) + one.quantity
    left = dict(levels)
    for variant_id in {variant_id for variant_id, _ in taken}:
        left[variant_id] = [
            msgspec.structs.replace(shelf, available=shelf.available - taken.get((variant_id, shelf.warehouse), 0))
            for shelf in levels[variant_id]
        ]
    return left


def hold(
    request: CheckoutRequest, quote: Quote, allocations: Sequence[Allocation], checkout_id: UUID, at: datetime,
    fresh: Callable[[], UUID],
) -> Held:  # fmt: skip
    """Return the order as it will be placed: a line that comes from several warehouses becomes as many, summing to the same."""
    lines: list[Line] = []
    taxes = [tax for tax in quote.taxes if tax.line is None]
    for quoted in quote.lines:
        parts = [one for one in allocations if one.line == quoted.line]
        first = len(lines) + 1
        lines += _lines(quoted, parts, first)
        taxes += [part for tax in quote.taxes if tax.line == quoted.line for part in _tax_lines(tax, parts, first)]
    paid_by = request.payment.kind if quote.total_minor else "none"
    order = OrderPlaced(
        id=checkout_id,
        placed_at=at,
        market=quote.market,
        country=quote.country,
        currency=quote.currency,
        lines=lines,
        charges=number_charges(quote.charges),
        customer_id=request.quote.customer_id,
        goods_minor=quote.goods_minor,
        charges_minor=quote.charges_minor,
        total_minor=quote.total_minor,
        channel=request.quote.channel,
        paid_by=paid_by,
        company_id=request.quote.company_id,
        tax_minor=quote.tax_minor,
        taxes=taxes,
    )
    return Held(
        order=order,
        payment=request.payment if paid_by != "none" else PaymentChoice(kind="none"),
        contact=request.contact,
        subject=(request.quote.customer_id or request.subject or checkout_id) if request.contact else None,
        transfers=[
            HeldTransfer(
                id=fresh(), debit=one.debit, credit=one.credit, amount_minor=one.amount_minor, debit_party=one.debit_party,
                credit_party=one.credit_party,
            )
            for one in book_sale(order)
        ],
        capture=paid_by == "card" and all(line.delivery == "digital" for line in lines),
    )  # fmt: skip


def authorization(held: Held) -> Authorize:
    """Return what the gateway is asked: the same whenever it is asked, since a crash may lie between."""
    return Authorize(
        reference=held.order.id,
        token=held.payment.token,
        amount_minor=held.order.total_minor,
        currency=held.order.currency,
        capture=held.capture,
        stored=held.payment.stored,
        keep=held.payment.keep,
        return_url=held.payment.return_url,
    )


def stock_refusal(held: Held, place: int, remaining: int) -> StockExhaustedError:
    """Return why a line of an order cannot be had, in the words that name the article."""
    line = held.order.lines[place]
    wanted = sum(one.quantity for one in held.order.lines if one.sku == line.sku)
    return StockExhaustedError(line.sku, wanted=wanted, left=remaining)


def claim_refusal(claim: Claim, remaining: int, currency: str) -> EntrepotError:
    """Return why a claim was refused, in the words of what it is on: a coupon, a company's credit, or else by its name."""
    kind, _, name = claim.name.partition("/")
    if kind == "cart":
        return CartOrderedError()
    if kind == "credit":
        return CreditExhaustedError(name, wanted_minor=claim.amount, left_minor=remaining, currency=currency)
    if kind == "coupon" and claim.most is not None:
        code, _, customer = name.partition("/")
        return CouponUsedUpError(code, most=claim.most, by_customer=bool(customer))
    return AllowanceUsedUpError(claim, remaining)


def next_step(stored: StoredCheckout, now: datetime, *, nobody_is_at_it: bool) -> Step:
    """Return what is to be done with a checkout that somebody finds as it stands."""
    if stored.held is None:
        return "answer"
    if stored.state == "compensating" or stored.expires_at <= now:
        return "compensate"
    if stored.state == "challenged":
        return "find"
    stale = now - stored.stepped_at > timedelta(seconds=limits.CHECKOUT_STEP_SECONDS_MAX)
    return "authorize" if stale or nobody_is_at_it else "answer"


def is_open(answer: CheckoutAnswer) -> bool:
    """Say whether a checkout has not ended yet."""
    return bool(CHECKOUT.moves[answer.state])


def held_of(stored: StoredCheckout) -> Held:
    """Return what a checkout holds that has not ended."""
    assert stored.held is not None
    return msgspec.json.decode(stored.held, type=Held)


def end_after(reason: str) -> State:
    """Return how a compensated checkout ends: its time was over, or it could not be finished."""
    return "expired" if reason == EXPIRED else "compensated"


def answer_of(stored: StoredCheckout) -> CheckoutAnswer:
    """Return how a checkout stands, as its buyer is told."""
    return CheckoutAnswer(
        checkout_id=stored.id,
        state=stored.state,
        total_minor=stored.total_minor,
        currency=stored.currency,
        order_id=stored.id if stored.state == "placed" else None,
        challenge_url=stored.challenge_url if stored.state == "challenged" else None,
        reason=stored.reason or None,
        token=stored.token,
    )


def checked(answer: CheckoutAnswer) -> CheckoutAnswer:
    """Return an answer that a buyer can go on with, or raise why there is no order."""
    if answer.state == "declined":
        raise PaymentDeclinedError(answer)
    if answer.state in ("compensating", "expired", "compensated"):
        raise CheckoutExpiredError(answer)
    return answer


def _check_card(payment: PaymentChoice) -> None:
    if not payment.token or len(payment.token) > limits.PAYMENT_TOKEN_CHARS_MAX:
        raise BadInputError(
            f"A payment by card needs the token that the gateway's form gave, of {limits.PAYMENT_TOKEN_CHARS_MAX} characters "
            f"at most; this one has {len(payment.token)}.",
            field="token",
        )
    to = payment.return_url
    if to and not (to.startswith(("https://", "http://")) and len(to) <= limits.RETURN_URL_CHARS_MAX):
        raise BadInputError(f"The return_url {to[:100]!r} is no web address: begin it with https://.", field="return_url")


def _lines(quoted: QuotedLine, parts: Sequence[Allocation], first: int) -> list[Line]:
    pieces = [part.quantity for part in parts]
    lists = [quoted.list_minor * quantity for quantity in pieces]
    amounts = apportion(quoted.amount_minor, pieces)
    taxes = apportion(quoted.tax_minor, pieces)
    return [
        Line(
            line=first + n,
            product_id=quoted.product_id,
            variant_id=quoted.variant_id,
            sku=quoted.sku,
            warehouse=part.warehouse,
            quantity=part.quantity,
            unit_minor=rounded(amounts[n], part.quantity),
            amount_minor=amounts[n],
            category_id=quoted.category_id,
            seller_id=quoted.seller_id,
            delivery=quoted.delivery,
            list_minor=quoted.list_minor,
            discount_minor=lists[n] - amounts[n],
            tax_minor=taxes[n],
            commission_minor=rounded(amounts[n] * quoted.commission_permille, PERMILLE) if quoted.seller_id else 0,
        )
        for n, part in enumerate(parts)
    ]


def _tax_lines(tax: TaxLine, parts: Sequence[Allocation], first: int) -> list[TaxLine]:
    pieces = [part.quantity for part in parts]
    bases, taxes = apportion(tax.base_minor, pieces), apportion(tax.tax_minor, pieces)
    return [msgspec.structs.replace(tax, line=first + n, base_minor=bases[n], tax_minor=taxes[n]) for n in range(len(parts))]

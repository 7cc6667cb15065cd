"""Pure decisions about exchanges: what is sent for what came back, what that is paid with, and what is given back of it.

What came back is worth what it was bought for. It pays for what is sent instead, as a credit on the new order; who wants more
pays the rest there, and what is left over is given back. The same articles again cost nothing, whatever they cost by now.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from entrepot.base import limits
from entrepot.base.errors import ConflictError
from entrepot.base.event import Event
from entrepot.commerce.aftersale.cases import ReturnCase, accepted, check_known
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import CheckoutRequest, Credit, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering.events import OrderPlaced
from entrepot.commerce.ordering.parts import StoredOrder, to_return
from entrepot.commerce.payment.rules import Payment

CLAIM = "exchange/"


def claim_of(case_id: UUID) -> Claim:
    """Return the claim that a return is settled once: by one exchange, or by money."""
    return Claim(f"{CLAIM}{case_id}", 1, most=1)


def request(
    order: StoredOrder,
    case: ReturnCase,
    instead: Mapping[int, str],
    contact: Contact | None,
    payment: PaymentChoice,
    vat_id: str | None,
) -> CheckoutRequest:
    """Return the checkout that sends other goods for those that came back: the same articles unless others are named.

    A company's is taxed as its orders are, by its ``vat_id``.
    """
    pieces = accepted(case, "exchanged")
    check_known(case, instead)
    placed = order.placed
    sold = {n: ordering.line_of(order, n).line for n in pieces}
    lines = [
        WantedLine(sku=instead[n], quantity=count)
        if instead.get(n, sold[n].sku) != sold[n].sku
        else WantedLine(sku=sold[n].sku, quantity=count, agreed_unit_minor=sold[n].amount_minor // sold[n].quantity)
        for n, count in pieces.items()
    ]
    even = all(instead.get(n, line.sku) == line.sku for n, line in sold.items())
    worth = limits.MINOR_MAX if even else to_return(order, pieces, postage=False).total_minor
    address = contact.address if contact else None
    return CheckoutRequest(
        quote=QuoteRequest(
            market=placed.market, country=placed.country, currency=placed.currency, lines=lines, channel=placed.channel,
            region=address.region if address else "", postcode=address.postcode if address else "",
            customer_id=placed.customer_id, company_id=placed.company_id, vat_id=vat_id,
        ),
        payment=payment,
        contact=contact,
        claims=[claim_of(case.id)],
        credit=Credit(worth, f"for what came back of order {placed.id}"),
    )  # fmt: skip


def credit_of(part: OrderPlaced) -> int:
    """Return with how much of what came back an order that was sent in exchange, or a part of it, is paid."""
    return -sum(charge.amount_minor for charge in part.charges if charge.kind == "adjustment")


def left_over(part: OrderPlaced, sent: OrderPlaced, payment: Payment | None) -> int:
    """Return what is given back of the worth of what came back: what the goods sent instead do not cost.

    The same articles again cost what they did, to the last minor unit that rounding by piece would leave.
    """
    if {line.sku for line in part.lines} == {line.sku for line in sent.lines}:
        return 0
    left = max(part.total_minor - credit_of(sent), 0)
    return left if payment is None else min(left, payment.refundable_minor)


def check_exchangeable(order: StoredOrder, exchanged_for: UUID | None) -> None:
    """Refuse to exchange again what was sent in exchange: it is returned for money."""
    if exchanged_for is not None:
        raise ConflictError(
            f"Order {order.placed.id} was sent in exchange for pieces of order {exchanged_for}: refund the return.",
            order_id=str(exchanged_for),
        )


def may_be_exchanges(events: Sequence[Event]) -> list[UUID]:
    """Return the placed orders that can be exchanges: those with a credit, and those that cost nothing."""
    placed = [event.decode(OrderPlaced) for event in events]
    return [one.id for one in placed if credit_of(one) > 0 or not one.total_minor]

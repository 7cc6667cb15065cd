"""Pure decisions about an order's money after it was placed: what to take, give up and give back, never more than there is.

What a payment is asked for counts as if it were done, so that what is asked at the same time sums to no more than there is.
"""

from collections.abc import Sequence
from functools import partial

from entrepot.base.errors import ConflictError
from entrepot.base.money import currency, spoken
from entrepot.commerce.ordering.parts import StoredOrder, due
from entrepot.commerce.payment.rules import OperationKind, Payment

Ask = tuple[OperationKind, int]


def on_shipment(order: StoredOrder, payment: Payment | None) -> list[Ask]:
    """Return what is asked once pieces have left: what has left is taken."""
    if payment is None:
        return []
    taken = payment.captured_minor + payment.taking_minor
    return _asks(("capture", min(due(order).total_minor - taken, payment.open_minor)))


def check_kept(order: StoredOrder, payment: Payment | None) -> None:
    """Refuse to send what is not paid for any more, since somebody has given up the promise that was to pay for it."""
    if payment is None or not payment.voided_minor:
        return
    short = due(order).total_minor - payment.captured_minor - payment.taking_minor - payment.open_minor
    if short > 0:
        say = partial(spoken, of=currency(payment.currency))
        raise ConflictError(
            f"Of what the order {order.placed.id} is to pay for these pieces, {say(short)} cannot be taken any more: "
            f"of its payment {say(payment.voided_minor)} was given up. Cancel them, and let the buyer order anew.",
            order_id=str(order.placed.id),
            short_minor=short,
        )


def on_cancellation(order: StoredOrder, payment: Payment | None, kept_minor: int) -> list[Ask]:
    """Return what is asked once pieces were cancelled: what was taken beyond what is kept goes back, the rest is given up.

    ``kept_minor`` is what the order still costs. (Of what is captured when it leaves, nothing was taken yet.)
    """
    if payment is None:
        return []
    held = payment.refundable_minor + payment.taking_minor
    back = max(min(held - kept_minor, payment.refundable_minor), 0)
    return [*_asks(("refund", back)), *unused(order, payment)]


def on_return(order: StoredOrder, payment: Payment | None, worth_minor: int) -> int:
    """Return how much is given back for goods that are worth so much: never more than was taken and not given back.

    Less can be left when something was refunded before without goods, or a dispute holds it. While money is on its way in,
    nobody knows yet: the return waits.
    """
    if payment is None:
        return worth_minor
    if payment.taking_minor and payment.refundable_minor < worth_minor:
        raise ConflictError(
            f"The money of order {order.placed.id} is still being captured: refund the return when that is done.",
            order_id=str(order.placed.id),
        )
    return min(worth_minor, payment.refundable_minor)


def refunds(payment: Payment | None, amount_minor: int) -> list[Ask]:
    """Return what is asked to give so much back; an order without a payment is settled outside."""
    return _asks(("refund", amount_minor if payment else 0))


def refunded(asks: Sequence[Ask]) -> list[int]:
    """Return what is given back by what is asked."""
    return [amount for kind, amount in asks if kind == "refund"]


def unused(order: StoredOrder, payment: Payment | None) -> list[Ask]:
    """Return what is asked once nothing can leave any more: what is left of the promise is given up.

    A gateway gives up all that it has not captured: while a capture is under way, nothing is given up yet (the reaction to the
    capture asks again).
    """
    if payment is None or payment.taking_minor or any(line.open for line in order.lines):
        return []
    return _asks(("void", payment.open_minor))


def _asks(*asks: Ask) -> list[Ask]:
    return [(kind, amount) for kind, amount in asks if amount > 0]

"""Pure decisions about an order after it was placed: what may be cancelled, where it goes, when all has arrived."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.event import Event
from entrepot.commerce.aftersale.requests import LinePieces
from entrepot.commerce.fulfilment.rules import Shipment, TakenOut
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering.events import Charge, LinesCancelled, OrderPlaced, OrderReturned
from entrepot.commerce.ordering.parts import Pieces, StoredOrder
from entrepot.commerce.payment.events import PaymentMoved
from entrepot.commerce.payment.rules import Payment
from entrepot.commerce.stock.rules import Change


def pieces_of(lines: Sequence[LinePieces], what: str) -> Pieces:
    """Return how many pieces of each line are named; none, less than none and a line named twice are refused."""
    if not lines:
        raise BadInputError(f"The {what} names no lines: name at least one.")
    if len({line.line for line in lines}) < len(lines):
        raise BadInputError(f"The {what} names a line twice: say it once.")
    for line in lines:
        if not 1 <= line.quantity <= limits.QUANTITY_MAX:
            raise BadInputError(
                f"{line.quantity} pieces of line {line.line} cannot be in the {what}: 1 to {limits.QUANTITY_MAX}.",
                line=line.line,
                quantity=line.quantity,
            )
    return {line.line: line.quantity for line in lines}


def to_cancel(order: StoredOrder, lines: Sequence[LinePieces] | None) -> Pieces:
    """Return the pieces to cancel: those named, or all that are open; an order of which nothing is open is refused."""
    pieces = (
        pieces_of(lines, "cancellation") if lines is not None else {one.line.line: one.open for one in order.lines if one.open}
    )
    if not pieces:
        ordering.ORDER.check(order.placed.id, order.state, "cancelled")
    return pieces


def captured_in_part(events: Sequence[Event]) -> list[UUID]:
    """Return the orders whose payments were captured, and not to the whole of what was promised; each once, in key order."""
    told = [event.decode(PaymentMoved) for event in events]
    return sorted({one.id for one in told if one.captured_minor + one.voided_minor < one.authorized_minor})


def is_whole(order: StoredOrder, pieces: Pieces) -> bool:
    """Say whether these pieces are the whole order, untouched so far."""
    return all(pieces.get(one.line.line, 0) == one.line.quantity for one in order.lines)


def into_stock(order: StoredOrder, pieces: Pieces, out: Sequence[TakenOut]) -> list[Change]:
    """Return where cancelled pieces go: to where they lay planned or were promised, the others to where they were sold from."""
    found = [(one.line, one.warehouse, one.quantity) for one in out]
    found += [(n, ordering.line_of(order, n).line.warehouse, count) for n, count in less(pieces, out).items() if count]
    return [
        Change(variant_id=ordering.line_of(order, n).line.variant_id, warehouse=warehouse, delta=count)
        for n, warehouse, count in found
    ]


def less(pieces: Pieces, out: Sequence[TakenOut]) -> Pieces:
    """Return the pieces without those that were found."""
    return {n: count - sum(one.quantity for one in out if one.line == n) for n, count in pieces.items()}


def arrived(order: StoredOrder, shipments: Sequence[Shipment]) -> list[StoredOrder]:
    """Return the order as delivered, once all that left has arrived (what was lost never will); else nothing."""
    ended = all(one.state in {"delivered", "lost", "cancelled"} for one in shipments)
    lost_only = bool(shipments) and not any(one.state == "delivered" for one in shipments)
    return [ordering.deliver(order)] if order.state == "shipped" and ended and not lost_only else []


def goodwill(
    order: StoredOrder, payment: Payment | None, return_id: UUID, amount_minor: int, reason: str, at: datetime
) -> OrderReturned:
    """Return the event that tells of money given back without goods; an order without a payment has none to give."""
    ordering.check_reason("refund", reason)
    if payment is None:
        raise ConflictError(
            f"Order {order.placed.id} has no payment at a gateway: nothing can be refunded there.",
            order_id=str(order.placed.id),
        )
    if not 1 <= amount_minor <= limits.MINOR_MAX:
        raise BadInputError(f"A refund of {amount_minor} cannot be: 1 to {limits.MINOR_MAX}.", amount_minor=amount_minor)
    return given_back(order, return_id, amount_minor, reason, at)


def given_back(order: StoredOrder, return_id: UUID, amount_minor: int, reason: str, at: datetime) -> OrderReturned:
    """Return the event that tells of money given back, of which no goods of the order tell."""
    placed = order.placed
    return OrderReturned(
        return_id=return_id, id=placed.id, at=at, reason=reason, market=placed.market, country=placed.country,
        currency=placed.currency, lines=[], charges=with_adjustment([], amount_minor, reason), customer_id=placed.customer_id,
        restocked=False, total_minor=amount_minor,
    )  # fmt: skip


def given_up(part: OrderPlaced, return_id: UUID, at: datetime, reason: str) -> LinesCancelled:
    """Return the event that tells what of an order will never leave."""
    return LinesCancelled(
        return_id=return_id, id=part.id, at=at, reason=reason, market=part.market, country=part.country,
        currency=part.currency, lines=part.lines, charges=part.charges, customer_id=part.customer_id,
        total_minor=part.total_minor, taxes=part.taxes,
    )  # fmt: skip


def with_adjustment(charges: Sequence[Charge], amount_minor: int, why: str) -> list[Charge]:
    """Return charges with one more that adjusts them; nothing is added for nothing."""
    if not amount_minor:
        return list(charges)
    return [*charges, Charge(charge=len(charges) + 1, kind="adjustment", amount_minor=amount_minor, note=why)]

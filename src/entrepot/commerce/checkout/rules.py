"""Pure decisions of checkout: what an order must be, what it costs, what may come back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.money import currency
from entrepot.commerce.checkout.requests import ChargeRequest, OrderRequest, ReturnRequest
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced, OrderReturned
from entrepot.commerce.ordering.parts import OrderedLine, StoredOrder


class Offer(Struct, frozen=True):
    """What a SKU is offered as in a market: its variant, its price, and the warehouse to take it from."""

    sku: str
    variant_id: UUID
    product_id: UUID
    category_id: UUID | None
    offered: bool
    currency: str | None
    amount_minor: int | None
    warehouse: str | None


Offers = Mapping[tuple[str, str], Offer]

_YEAR_MIN = 1970
_ID_VERSION = 7


def check_order(request: OrderRequest) -> None:
    """Refuse an order that cannot be, before anything is looked up."""
    _check_lines("order", request)
    _check_moment(request.placed_at)
    if request.id is not None and request.id.version != _ID_VERSION:
        raise BadInputError(f"The order's id {request.id} is no UUIDv7: leave it out, or make one of the moment.", field="id")


def price_order(request: OrderRequest, order_id: UUID, placed_at: datetime, offers: Offers) -> OrderPlaced:
    """Return the order as it will be placed, each line at its agreed or list price; what is not offered is refused."""
    lines: list[Line] = []
    for number, wanted in enumerate(request.lines, 1):
        offer = offers.get((wanted.sku, request.market))
        if offer is None or offer.warehouse is None or not (offer.offered or wanted.amount_minor is not None):
            raise NotFoundError(f"There is no article {wanted.sku!r} on offer: check the SKU.", sku=wanted.sku)
        amount = wanted.amount_minor
        if amount is None:
            if offer.amount_minor is None:
                raise ConflictError(
                    f"{wanted.sku} has no price in the market {request.market!r}: set one first.", sku=wanted.sku
                )
            if offer.currency != request.currency:
                raise BadInputError(
                    f"The market {request.market} sells in {offer.currency}, not in {request.currency}.",
                    currency=request.currency,
                )
            amount = offer.amount_minor * wanted.quantity
        lines.append(
            Line(
                line=number,
                product_id=offer.product_id,
                variant_id=offer.variant_id,
                sku=wanted.sku,
                warehouse=offer.warehouse,
                quantity=wanted.quantity,
                unit_minor=(2 * amount + wanted.quantity) // (2 * wanted.quantity),
                amount_minor=amount,
                category_id=offer.category_id,
            )
        )
    goods = sum(line.amount_minor for line in lines)
    charges = number_charges(request.charges)
    beside = sum(charge.amount_minor for charge in charges)
    return OrderPlaced(
        id=order_id,
        placed_at=placed_at,
        market=request.market,
        country=request.country,
        currency=request.currency,
        lines=lines,
        charges=charges,
        customer_id=request.customer_id,
        goods_minor=goods,
        charges_minor=beside,
        total_minor=goods + beside,
    )


def number_charges(charges: Sequence[ChargeRequest]) -> list[Charge]:
    """Return the charges as an order or a return holds them."""
    return [Charge(charge=n, kind=c.kind, amount_minor=c.amount_minor, note=c.note) for n, c in enumerate(charges, 1)]


def check_return(request: ReturnRequest) -> None:
    """Refuse a return that cannot be, before anything is looked up."""
    _check_lines("return", request)
    _check_moment(request.at)
    for line in request.lines:
        if line.amount_minor is None and request.order_id is None:
            raise BadInputError(
                f"The return of {line.sku} names neither its order nor what is owed for it: give one.", sku=line.sku
            )


def check_direct(order: StoredOrder | None) -> None:
    """Refuse to cancel or take back by itself what a gateway holds money for: that must move with it."""
    if order is not None and order.placed.paid_by in {"card", "terms"}:
        raise ConflictError(
            f"Order {order.placed.id} was paid by {order.placed.paid_by}: cancel it or ask for a return at "
            f"/v1/orders/{order.placed.id}/cancellations or /returns, so that the money goes back too.",
            order_id=str(order.placed.id),
        )


def open_lines(request: ReturnRequest, order: StoredOrder | None) -> Sequence[OrderedLine]:
    """Return the lines that goods may come back from; an order that is not there, or off, or in other money is refused."""
    if order is None or order.state == "cancelled":
        state = "is cancelled" if order else "is not known"
        raise NotFoundError(f"Order {request.order_id} {state}: nothing can come back from it.", order_id=str(request.order_id))
    check_direct(order)
    if request.currency != order.placed.currency:
        raise BadInputError(f"Order {request.order_id} was paid in {order.placed.currency}, not in {request.currency}.")
    return order.lines


def take_back(
    request: ReturnRequest, return_id: UUID, at: datetime, ordered: Sequence[OrderedLine], offers: Offers
) -> tuple[OrderReturned, dict[int, int]]:
    """Return what came back and how many pieces of each order line: never more than was ordered and not yet back.

    A line without a price is owed in proportion to what the order line cost, rounded down, the rest with its last piece.
    """
    open_pieces = {o.line.line: o.line.quantity - o.cancelled - o.returned for o in ordered}
    cancelled = {o.line.line: o.cancelled for o in ordered}
    by_number = {o.line.line: o.line for o in ordered}
    back: dict[int, int] = {}
    lines: list[Line] = []
    for number, wanted in enumerate(request.lines, 1):
        source: Line | None = None
        if request.order_id is not None:
            source = _line_of(request, wanted.sku, wanted.order_line, wanted.quantity, by_number, open_pieces)
            open_pieces[source.line] -= wanted.quantity
            back[source.line] = back.get(source.line, 0) + wanted.quantity
        offer = offers.get((wanted.sku, request.market))
        if source is None and (offer is None or offer.warehouse is None):
            raise NotFoundError(f"There is no article {wanted.sku!r}: check the SKU.", sku=wanted.sku)
        amount = wanted.amount_minor
        if amount is None:
            assert source is not None
            before = source.quantity - cancelled[source.line] - open_pieces[source.line] - wanted.quantity
            amount = _owed(source, before=before, pieces=wanted.quantity)
        lines.append(_return_line(number, wanted.sku, wanted.quantity, amount, source, offer, request.warehouse))
    charges = number_charges(request.charges)
    total = sum(line.amount_minor for line in lines) + sum(charge.amount_minor for charge in charges)
    event = OrderReturned(
        id=request.order_id,
        return_id=return_id,
        at=at,
        reason=request.reason,
        market=request.market,
        country=request.country,
        currency=request.currency,
        lines=lines,
        charges=charges,
        customer_id=request.customer_id,
        restocked=request.restock,
        total_minor=total,
    )
    return event, back


def _owed(line: Line, *, before: int, pieces: int) -> int:
    """Return what is owed for the next pieces of a line, so that all its pieces together are owed exactly its price."""
    return line.amount_minor * (before + pieces) // line.quantity - line.amount_minor * before // line.quantity


def _line_of(
    request: ReturnRequest,
    sku: str,
    named: int | None,
    quantity: int,
    by_number: Mapping[int, Line],
    open_pieces: Mapping[int, int],
) -> Line:
    numbers = [named] if named is not None else [n for n, line in by_number.items() if line.sku == sku]
    for number in numbers:
        if number in by_number and by_number[number].sku == sku and open_pieces[number] >= quantity:
            return by_number[number]
    left = max((open_pieces.get(number, 0) for number in numbers if number is not None), default=0)
    raise ConflictError(
        f"{quantity} of {sku} cannot come back from order {request.order_id}: {left} of it are out.",
        sku=sku,
        wanted=quantity,
        left=left,
    )


def _return_line(
    number: int, sku: str, quantity: int, amount: int, source: Line | None, offer: Offer | None, warehouse: str | None
) -> Line:
    unit = (2 * amount + quantity) // (2 * quantity)
    if source is not None:
        return Line(
            line=number, product_id=source.product_id, variant_id=source.variant_id, sku=sku, quantity=quantity,
            unit_minor=unit, amount_minor=amount, category_id=source.category_id, warehouse=warehouse or source.warehouse,
        )  # fmt: skip
    assert offer is not None
    assert offer.warehouse is not None
    return Line(
        line=number, product_id=offer.product_id, variant_id=offer.variant_id, sku=sku, quantity=quantity, unit_minor=unit,
        amount_minor=amount, category_id=offer.category_id, warehouse=warehouse or offer.warehouse,
    )  # fmt: skip


def _check_lines(what: str, request: OrderRequest | ReturnRequest) -> None:
    if not request.lines and not request.charges:
        raise BadInputError(f"The {what} has no lines: name at least one article.")
    if len(request.lines) > limits.ORDER_LINES_MAX:
        raise BadInputError(f"The {what} has {len(request.lines)} lines: {limits.ORDER_LINES_MAX} at most.")
    for line in request.lines:
        if not 1 <= line.quantity <= limits.QUANTITY_MAX:
            raise BadInputError(
                f"{line.quantity} pieces of {line.sku} cannot be in the {what}: 1 to {limits.QUANTITY_MAX}.",
                sku=line.sku,
                wanted=line.quantity,
            )
        if line.amount_minor is not None and not 0 <= line.amount_minor <= limits.MINOR_MAX:
            raise BadInputError(f"{line.amount_minor} for {line.sku} is out of range: 0 to {limits.MINOR_MAX}.", sku=line.sku)
    currency(request.currency)
    for charge in request.charges:
        if abs(charge.amount_minor) > limits.MINOR_MAX:
            raise BadInputError(f"The charge of {charge.amount_minor} is out of range: {limits.MINOR_MAX} at most.")
    _check_country(request.country)


def _check_country(country: str) -> None:
    if not (len(country) == 2 and country.isascii() and country.isupper()):  # noqa: PLR2004  # ISO 3166-1 alpha-2
        raise BadInputError(
            f"{country!r} is no country code: use two capital letters (ISO 3166-1), such as GB.", country=country
        )


def _check_moment(moment: datetime | None) -> None:
    if moment is None:
        return
    if moment.tzinfo is None:
        raise BadInputError(f"The moment {moment.isoformat()} has no time zone: add one, such as Z.")
    # Ids begin with the moment, counted from 1970.
    if not _YEAR_MIN < moment.year < limits.YEAR_MAX:
        raise BadInputError(f"The moment {moment.isoformat()} is out of range: {_YEAR_MIN + 1} to {limits.YEAR_MAX - 1}.")

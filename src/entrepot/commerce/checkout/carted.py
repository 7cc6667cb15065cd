"""A cart as its buyer sees it: what it holds, what that is offered as at this moment, what it costs and why. Reads only.

What changed since an article was put in is told, and never applied in silence.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, structs

from entrepot.base import limits
from entrepot.base.errors import CannotShipError, EntrepotError
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.cart.requests import Carted
from entrepot.commerce.cart.rules import seconds_kept
from entrepot.commerce.cart.state import Cart, Contact, Standing
from entrepot.commerce.cart.view import (
    HeldCart,
    HeldLine,
    changed,
    charged_otherwise,
    costs_a_piece,
    costs_otherwise,
    held,
    moments,
)
from entrepot.commerce.checkout.quote import Explained, Quote, QuotedLine, QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.requests import ChargeRequest
from entrepot.commerce.ordering.events import TaxLine
from entrepot.commerce.shipping.rules import Offered
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Record

SQL = queries(__package__, "carted.sql")
UNKNOWN_STATUS = 500


class CartLine(Struct, frozen=True, kw_only=True):
    """An article in a cart: what it costs now, what is left of it, and in sentences what is not as when it was put in."""

    sku: str
    quantity: int
    note: str
    product_id: UUID | None
    unit_minor: int | None
    discount_minor: int
    amount_minor: int | None
    left: int
    changed: list[str]


class Obstacle(Struct, frozen=True, kw_only=True):
    """Why a cart cannot be ordered as it is: the kind of problem that checkout would answer with, and its sentence."""

    slug: str
    detail: str


class CartView(Struct, frozen=True, kw_only=True):
    """A cart as it is offered at this moment. ``version`` is how much of its lines has been seen (``Entrepot-Seen``).

    With an ``obstacle`` there is no total, and lines are at the market's list price. ``changed`` says which charges
    are not as when the first of the articles was put in, in sentences.
    """

    id: UUID
    version: str
    standing: Standing
    market: str
    country: str
    currency: str
    customer_id: UUID | None
    lines: list[CartLine]
    pieces: int
    coupons: list[str]
    contact: Contact | None
    shipping_method: str | None
    obstacle: Obstacle | None
    goods_minor: int | None
    charges: Sequence[ChargeRequest]
    taxes: Sequence[TaxLine]
    total_minor: int | None
    explained: Sequence[Explained]
    expires_at: datetime
    changed: list[str] = []


class Then(Struct, frozen=True):
    """What a cart, as it is now, would have cost: by SKU when that was put in, and when the first of all was."""

    lines: dict[str, Quote]
    first: Quote | None


async def carted(connection: Connection, cell: int, market: str, skus: Iterable[str]) -> tuple[list[str], dict[str, Carted]]:
    """Return the currencies of a market (its own first; none: there is no such market), and what these SKUs are there.

    ``unit_minor`` is the market's own price in its own currency, before any list, promotion or conversion.
    """
    rows = await connection.fetch(SQL["carted"], cell, market, list(skus))
    currencies = [rows[0]["currency"], *rows[0]["currencies"]] if rows else []
    return currencies, {
        row["sku"]: Carted(
            sku=row["sku"],
            product_id=row["product_id"],
            offered=row["offered"],
            unit_minor=row["amount_minor"],
            left=int(row["available"]),
        )
        for row in rows
        if row["sku"] is not None
    }


async def offered(
    record: Record, cell: int, quoting: Quoting, market: str, skus: Iterable[str]
) -> tuple[list[str], dict[str, Carted]]:
    """Return what ``carted`` does, but as of a second ago and without what is left: for who puts an article in."""
    found = await quoting.market(record, cell, market)
    if found is None:
        return [], {}
    offers = await quoting.offered(record, market, skus)
    return [found.currency, *found.currencies], {
        sku: Carted(sku=sku, product_id=offer.product_id, offered=offer.offered, unit_minor=offer.amount_minor)
        for sku, offer in offers.items()
    }


async def look(connection: Connection, cell: int, quoting: Quoting, cart_id: UUID, cart: Cart) -> CartView:
    """Return a cart as its buyer sees it; one that cannot be ordered as it is says why."""
    holds = held(cart_id, cart)
    currencies, offers = await carted(connection, cell, cart.market, [line.sku for line in holds.lines])
    quote, obstacle, then = None, None, Then({}, None)
    if holds.lines:
        request = structs.replace(quote_request(cart), estimate=True)
        try:
            quote = await quoting.quote(connection, cell, request)
            then = await _then(connection, cell, quoting, cart, request, quote.at)
        except EntrepotError as error:
            if error.status >= UNKNOWN_STATUS:
                raise
            obstacle = Obstacle(slug=error.slug, detail=str(error))
    view = _view(holds, cart, currencies[0] if currencies else "", offers, quote, obstacle)
    return view if quote is None else _told(view, quote, then)


def quote_request(cart: Cart, *, coupons: Sequence[str] = (), contact: Contact | None = None) -> QuoteRequest:
    """Return what to ask for a cart's price, perhaps with more coupons, or for another address by whatever goes there."""
    to = contact or cart.contact.value
    return QuoteRequest(
        market=cart.market,
        country=to.address.country if to else cart.country.value,
        region=to.address.region if to else "",
        postcode=to.address.postcode if to else "",
        currency=cart.currency,
        lines=[
            WantedLine(sku=sku, quantity=quantity, note=cart.notes[sku].value if sku in cart.notes else "")
            for sku, quantity in cart.lines.counts().items()
        ],
        coupons=list(dict.fromkeys((*cart.coupons.dots, *coupons))),
        shipping_method=None if contact else cart.shipping_method.value,
        customer_id=cart.customer_id.value,
    )


async def methods(record: Record, cell: int, quoting: Quoting, cart: Cart) -> Sequence[Offered]:
    """Return every method that takes what is in a cart to where it goes, the cheapest first; none for an empty one."""
    request = structs.replace(quote_request(cart), shipping_method=None)
    return (await quoting.estimate(record, cell, request)).shipping.offered if request.lines else []


async def check_coupon(connection: Connection, cell: int, quoting: Quoting, cart: Cart, code: str) -> None:
    """Refuse a coupon that is unknown, over, used up or not for this buyer; an empty cart's is looked at later."""
    request = structs.replace(quote_request(cart, coupons=[code]), estimate=True)
    if request.lines:
        await quoting.quote(connection, cell, request)


async def methods_to(record: Record, cell: int, quoting: Quoting, cart: Cart, contact: Contact) -> Sequence[Offered]:
    """Return every method that goes to an address, the cheapest first; an address that nothing goes to is refused.

    Whatever else is the matter with the cart is told by looking at it.
    """
    request = quote_request(cart, contact=contact)
    if not request.lines:
        return []
    try:
        return (await quoting.estimate(record, cell, request)).shipping.offered
    except CannotShipError:
        raise
    except EntrepotError as error:
        if error.status >= UNKNOWN_STATUS:
            raise
        return []


async def _then(connection: Connection, cell: int, quoting: Quoting, cart: Cart, request: QuoteRequest, now: datetime) -> Then:
    """Return what the cart would have cost when its articles were put in, by what held then: promotions, lists, rates, taxes.

    Beyond some moments the later ones are left out: who fills a cart for days is told of what changed for the first articles.
    """
    put_in = moments(cart, now)
    asked = sorted(set(put_in.values()))[: limits.CART_MOMENTS_MAX]
    if not asked:
        return Then({}, None)
    known = await quoting.quote_then(connection, cell, request, asked)
    return Then({sku: known[at] for sku, at in put_in.items() if at in known}, known.get(asked[0]))


def _told(view: CartView, quote: Quote, then: Then) -> CartView:
    """Return the view with what buyers would pay otherwise than when they put the articles in."""
    lines = [_line_told(line, quote.lines[place], then.lines.get(line.sku), place) for place, line in enumerate(view.lines)]
    if then.first is None:
        return structs.replace(view, lines=lines)
    was, is_ = _by_kind(then.first), _by_kind(quote)
    changed = [
        sentence
        for kind in sorted(was.keys() | is_.keys())
        for sentence in charged_otherwise(kind, was.get(kind, 0), is_.get(kind, 0), view.currency)
    ]
    return structs.replace(view, lines=lines, changed=changed)


def _line_told(line: CartLine, now: QuotedLine, then: Quote | None, place: int) -> CartLine:
    if then is None:
        return line
    was = then.lines[place]
    sentences = [
        *costs_a_piece(was.list_minor, now.list_minor, then.currency),
        *costs_otherwise(was.amount_minor, now.amount_minor, then.currency, off=was.discount_minor != now.discount_minor),
    ]
    return structs.replace(line, changed=[*line.changed, *sentences])


def _by_kind(quote: Quote) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for charge in quote.charges:
        sums[charge.kind] += charge.amount_minor
    return dict(sums)


def _view(
    holds: HeldCart, cart: Cart, own: str, offers: dict[str, Carted], quote: Quote | None, obstacle: Obstacle | None
) -> CartView:
    return CartView(
        id=holds.id,
        version=holds.version,
        standing=holds.standing,
        market=cart.market,
        country=cart.goes_to(),
        currency=cart.currency,
        customer_id=cart.customer_id.value,
        lines=[_line(place, line, cart, own, offers.get(line.sku), quote) for place, line in enumerate(holds.lines)],
        pieces=holds.pieces,
        coupons=holds.coupons,
        contact=cart.contact.value,
        shipping_method=cart.shipping_method.value,
        obstacle=obstacle,
        goods_minor=quote.goods_minor if quote else None,
        charges=quote.charges if quote else [],
        taxes=quote.taxes if quote else [],
        total_minor=quote.total_minor if quote else None,
        explained=quote.explained if quote else [],
        expires_at=utc(stamp_millis(cart.touched) + int(seconds_kept(cart) * 1000)),
    )


def _line(place: int, line: HeldLine, cart: Cart, own: str, offer: Carted | None, quote: Quote | None) -> CartLine:
    unit = offer.unit_minor if offer is not None and offer.offered and cart.currency == own else None
    quoted = quote.lines[place] if quote else None
    return CartLine(
        sku=line.sku,
        quantity=line.quantity,
        note=line.note,
        product_id=offer.product_id if offer else None,
        unit_minor=quoted.list_minor if quoted else unit,
        discount_minor=quoted.discount_minor if quoted else 0,
        amount_minor=quoted.amount_minor if quoted else None if unit is None else unit * line.quantity,
        left=(offer.left or 0) if offer else 0,
        changed=changed(cart, own, line.sku, line.quantity, offer),
    )

"""A cart as its buyer sees it: what changed since an article was put in is told, and never applied in silence. Pure."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.money import Currency, to_major
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.cart.requests import Carted
from entrepot.commerce.cart.rules import version
from entrepot.commerce.cart.state import Cart, Standing


class HeldLine(Struct, frozen=True, kw_only=True):
    """An article in a cart and how many of it."""

    sku: str
    quantity: int
    note: str = ""


class HeldCart(Struct, frozen=True, kw_only=True):
    """A cart as a change has left it. ``version`` is how much of its lines this answer has seen (header ``Entrepot-Seen``)."""

    id: UUID
    version: str
    standing: Standing
    lines: list[HeldLine]
    pieces: int
    coupons: list[str]


def held(cart_id: UUID, cart: Cart) -> HeldCart:
    """Return what a cart holds."""
    lines = [
        HeldLine(sku=sku, quantity=quantity, note=cart.notes[sku].value if sku in cart.notes else "")
        for sku, quantity in cart.lines.counts().items()
    ]
    return HeldCart(
        id=cart_id,
        version=version(cart),
        standing=cart.standing.value,
        lines=lines,
        pieces=sum(line.quantity for line in lines),
        coupons=list(cart.coupons.dots),
    )


def changed(cart: Cart, currency: str, sku: str, quantity: int, offer: Carted | None) -> list[str]:
    """Return in sentences what is no longer as it was when this article was put in, or cannot be had as it is wanted."""
    if offer is None or not offer.offered:
        return ["This article is no longer on offer: take it out."]
    sentences = []
    shown = cart.shown[sku].value if sku in cart.shown else None
    if offer.unit_minor != shown:
        sentences.append(f"The price was {_price(shown, currency)} and is {_price(offer.unit_minor, currency)}.")
    if offer.left is not None and offer.left < quantity:
        left = "None is" if offer.left == 0 else f"Only {offer.left} {'is' if offer.left == 1 else 'are'}"
        sentences.append(f"{left} left, {quantity} wanted.")
    return sentences


def moments(cart: Cart, now: datetime) -> dict[str, datetime]:
    """Return when each article was put in, or last changed, of those that lie there for longer than a moment; to the minute."""
    put_in = {
        sku: utc(stamp_millis(shown.stamp)) for sku, shown in cart.shown.items() if shown.stamp and sku in cart.lines.dots
    }
    return {
        sku: at.replace(second=0, microsecond=0)
        for sku, at in put_in.items()
        if (now - at).total_seconds() > limits.CART_SEEN_SECONDS
    }


def costs_a_piece(was_minor: int, is_minor: int, currency: str) -> list[str]:
    """Return in a sentence that a piece costs this buyer otherwise than when it was put in: by a price list, or by a rate."""
    if was_minor == is_minor:
        return []
    return [f"A piece cost {_price(was_minor, currency)} and costs {_price(is_minor, currency)}."]


def costs_otherwise(was_minor: int, is_minor: int, currency: str, *, off: bool) -> list[str]:
    """Return in a sentence that what is taken ``off`` a line has changed since it was put in, and with it what it costs."""
    if was_minor == is_minor or not off:
        return []
    return [f"With what was taken off, it cost {_price(was_minor, currency)} and costs {_price(is_minor, currency)}."]


def charged_otherwise(kind: str, was_minor: int, is_minor: int, currency: str) -> list[str]:
    """Return in a sentence that a charge on the whole cart has changed since articles were put in."""
    if was_minor == is_minor:
        return []
    return [f"{kind.capitalize()} was {_price(was_minor, currency)} and is {_price(is_minor, currency)}."]


def _price(minor: int | None, currency: str) -> str:
    return "not set" if minor is None else f"{to_major(minor, Currency(currency))} {currency}"

"""A cart as its buyer sees it: what changed since an article was put in is told, and never applied in silence. Pure."""

from uuid import UUID

from msgspec import Struct

from entrepot.base.money import Currency, to_major
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


def _price(minor: int | None, currency: str) -> str:
    return "not set" if minor is None else f"{to_major(minor, Currency(currency))} {currency}"

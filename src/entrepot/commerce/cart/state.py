"""A cart as it is kept, and the law by which two states of one cart become one. Every part of it merges by itself.

Articles and coupons are observed-remove maps, everything else registers of which the last written counts; so a cart that was
changed in two places needs nobody to say which change was right.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from entrepot.base.limits import CART_KEYS_REMEMBERED_MAX
from entrepot.base.ormap import OrMap
from entrepot.base.ormap import merge as merge_maps
from entrepot.base.register import Register, latest, latest_of_each

Standing = Literal["open", "merged", "ordered"]

# What the sealed part of a cart is bound to (the data map knows it by this name).
SEALED_AS = "cart.sealed"


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it goes; ``country`` by ISO 3166-1, ``region`` as that country writes its own (CA, Bayern)."""

    line1: str
    city: str
    country: str
    line2: str = ""
    postcode: str = ""
    region: str = ""


class Contact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who buys and where it goes: personal, so that it is sealed wherever it is kept, and in no event."""

    email: str
    name: str
    address: Address
    phone: str = ""


class Done(Struct, frozen=True, array_like=True):
    """A change that was made: what it was and when, so that the same key is not done twice."""

    fingerprint: str
    stamp: int


class Cart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of a cart. ``shown`` is a piece's price as the buyer saw it last, ``touched`` the stamp of the last change.

    In a drawer contact and notes are ``sealed`` for the ``subject``: who has signed in, or an id made for the cart.
    """

    market: str
    currency: str
    country: Register[str]
    customer_id: Register[UUID | None] = Register(None)
    lines: OrMap = OrMap()
    coupons: OrMap = OrMap()
    notes: Mapping[str, Register[str]] = {}
    shown: Mapping[str, Register[int | None]] = {}
    contact: Register[Contact | None] = Register(None)
    shipping_method: Register[str | None] = Register(None)
    standing: Register[Standing] = Register("open")
    merged_into: Register[str] = Register("")
    done: Mapping[str, Done] = {}
    touched: int = 0
    subject: UUID | None = None
    sealed: bytes = b""

    def goes_to(self) -> str:
        """Return the country it goes to: the address's, or the one it was opened for."""
        return self.contact.value.address.country if self.contact.value else self.country.value


class Personal(Struct, frozen=True):
    """What of a cart is personal: to whom it goes, and what the buyer has written to its lines."""

    contact: Register[Contact | None] = Register(None)
    notes: Mapping[str, Register[str]] = {}


_DECODER = msgspec.json.Decoder(Cart)
_PERSONAL = msgspec.json.Decoder(Personal)
_ENCODER = msgspec.json.Encoder()


def merge(first: Cart, second: Cart) -> Cart:
    """Return the one state that two states of a cart make: commutative, associative, idempotent."""
    return Cart(
        market=first.market,
        currency=first.currency,
        country=latest(first.country, second.country),
        customer_id=latest(first.customer_id, second.customer_id),
        lines=merge_maps(first.lines, second.lines),
        coupons=merge_maps(first.coupons, second.coupons),
        notes=latest_of_each(first.notes, second.notes),
        shown=latest_of_each(first.shown, second.shown),
        contact=latest(first.contact, second.contact),
        shipping_method=latest(first.shipping_method, second.shipping_method),
        standing=latest(first.standing, second.standing),
        merged_into=latest(first.merged_into, second.merged_into),
        done=newest((*first.done.items(), *second.done.items())),
        touched=max(first.touched, second.touched),
        subject=max(first.subject, second.subject, key=str),
    )


def newest(done: Iterable[tuple[str, Done]]) -> dict[str, Done]:
    """Return the changes made last, as many as are remembered."""
    in_order = dict(sorted(done, key=lambda item: (item[1].stamp, *item, item[1].fingerprint)))
    return dict(list(in_order.items())[-CART_KEYS_REMEMBERED_MAX:])


def encode(cart: Cart) -> bytes:
    """Return the bytes that a drawer keeps."""
    return _ENCODER.encode(cart)


def decode(kept: bytes) -> Cart:
    """Return the cart that a drawer kept."""
    return _DECODER.decode(kept)


def personal(cart: Cart) -> str | None:
    """Return what of a cart is personal, to be sealed; None where nothing is yet."""
    if cart.contact.value is None and not cart.notes:
        return None
    return _ENCODER.encode(Personal(cart.contact, cart.notes)).decode()


def closed(cart: Cart, subject: UUID, sealed: bytes) -> Cart:
    """Return a cart as it may lie in a drawer: what is personal sealed, the country it goes to left."""
    country = Register(cart.goes_to(), cart.country.stamp)
    return structs.replace(cart, country=country, contact=Register(None), notes={}, subject=subject, sealed=sealed)


def opened(cart: Cart, text: str | None) -> Cart:
    """Return a cart as it is worked with; without what was personal where its subject was forgotten."""
    inside = _PERSONAL.decode(text) if text is not None else Personal()
    return structs.replace(cart, contact=inside.contact, notes=inside.notes, sealed=b"")


def reference(cart_id: UUID) -> str:
    """Return the name of a cart wherever its id must not be: one can be made from the other, not back."""
    return hashlib.sha256(cart_id.bytes).hexdigest()[:32]


def replica(cell: int, name: str) -> str:
    """Return who makes a cart's dots: its own cell, since the drawer lets one writer at a time change it there.

    A part of its reference tells its dots from those of a cart that it merges with when its buyer signs in.
    """
    return f"{cell}-{name[:12]}"

"""Pure decisions about a cart: what may be put in, what a change makes of it, which two may become one, when it is let go."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, structs

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, KeyReusedError, NotFoundError
from entrepot.base.ids import derived
from entrepot.base.ormap import Seen, add, remove, replace
from entrepot.base.register import Register
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.cart.events import CartAbandoned, CartedLine
from entrepot.commerce.cart.requests import Carted, CartLineRequest, CartRequest, LineChange
from entrepot.commerce.cart.state import Cart, Contact, Done, Standing, merge, newest

Offers = Mapping[str, Carted]

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_REPLICA = re.compile(r"([0-9a-f-]{1,30}):([0-9]{1,15})")


class Write(Struct, frozen=True):
    """Who makes a change and when: the replica that its dots are of, the stamp of its registers, what its buyer had seen."""

    replica: str
    stamp: int
    seen: Seen | None = None


def open_cart(request: CartRequest, currencies: Sequence[str], offers: Offers, write: Write) -> Cart:
    """Return a new cart; a market that is not there, or does not sell in that currency, is refused."""
    if not currencies:
        raise BadInputError(f"There is no market {request.market!r}: choose one that is.", market=request.market)
    if request.currency is not None and request.currency not in currencies:
        raise BadInputError(
            f"The market {request.market} sells in {', '.join(currencies)}, not in {request.currency}.",
            currency=request.currency,
        )
    check_country(request.country)
    empty = Cart(
        market=request.market,
        currency=request.currency or currencies[0],
        country=Register(request.country, write.stamp),
        customer_id=Register(request.customer_id, 0 if request.customer_id is None else write.stamp),
        touched=write.stamp,
    )
    return put_in(empty, request.lines, offers, write) if request.lines else empty


def put_in(cart: Cart, lines: Sequence[CartLineRequest], offers: Offers, write: Write) -> Cart:
    """Return the cart with these pieces more in it."""
    check_open(cart)
    check_lines(lines)
    held, notes, shown = cart.lines, dict(cart.notes), dict(cart.shown)
    for line in lines:
        _check_quantity(line.sku, line.quantity, 1)
        held = add(held, write.replica, line.sku, line.quantity)
        shown[line.sku] = Register(_offer(line.sku, offers).unit_minor, write.stamp)
        if line.note:
            notes[line.sku] = Register(_checked_note(line.sku, line.note), write.stamp)
    return _within(structs.replace(cart, lines=held, notes=notes, shown=shown, touched=write.stamp))


def check_lines(lines: Sequence[CartLineRequest]) -> None:
    """Refuse none, and more than any cart can hold."""
    if not 1 <= len(lines) <= limits.CART_LINES_MAX:
        raise BadInputError(f"{len(lines)} lines were given: 1 to {limits.CART_LINES_MAX}.", lines=len(lines))


def change_line(cart: Cart, sku: str, change: LineChange, offers: Offers, write: Write) -> Cart:
    """Return the cart with another quantity of an article, or another note; none of it is to take it out.

    What another tab has put in since this one looked stays and comes on top.
    """
    check_open(cart)
    if sku not in cart.lines.dots:
        raise NotFoundError(f"There is no {_shown(sku)!r} in this cart: put it in first.", sku=_shown(sku))
    if change.quantity is not UNSET:
        _check_quantity(sku, change.quantity, 0)
        if change.quantity == 0:
            return take_out(cart, sku, write)
        lines = replace(cart.lines, write.replica, sku, change.quantity, write.seen)
        shown = {**cart.shown, sku: Register(_offer(sku, offers).unit_minor, write.stamp)}
        cart = structs.replace(cart, lines=lines, shown=shown)
    if change.note is not UNSET:
        notes = {**cart.notes, sku: Register(_checked_note(sku, change.note), write.stamp)}
        cart = structs.replace(cart, notes=notes)
    return _within(structs.replace(cart, touched=write.stamp))


def take_out(cart: Cart, sku: str, write: Write) -> Cart:
    """Return the cart without an article, as far as its buyer had seen it; one that is not in it changes nothing."""
    check_open(cart)
    return _without_traces(structs.replace(cart, lines=remove(cart.lines, sku, write.seen), touched=write.stamp))


def use_coupon(cart: Cart, code: str, write: Write) -> Cart:
    """Return the cart with a coupon; whether it is worth anything is said by the quote."""
    check_open(cart)
    code = code.strip().upper()
    if len(code) > limits.CART_CODE_CHARS_MAX or not _CODE.fullmatch(code):
        raise BadInputError(
            f"The coupon {code[: limits.CART_CODE_CHARS_MAX]!r} cannot be: letters, digits, - and _, "
            f"{limits.CART_CODE_CHARS_MAX} at most.",
            coupon=code[: limits.CART_CODE_CHARS_MAX],
        )
    if len({*cart.coupons.dots, code}) > limits.COUPONS_MAX:
        raise ConflictError(f"This cart has {limits.COUPONS_MAX} coupons, the most there can be: take one away first.")
    return structs.replace(cart, coupons=replace(cart.coupons, write.replica, code, 1), touched=write.stamp)


def drop_coupon(cart: Cart, code: str, write: Write) -> Cart:
    """Return the cart without a coupon; one that is not in it changes nothing."""
    check_open(cart)
    return structs.replace(cart, coupons=remove(cart.coupons, code.strip().upper()), touched=write.stamp)


def deliver_to(cart: Cart, contact: Contact, write: Write) -> Cart:
    """Return the cart with who buys it and where it goes."""
    check_open(cart)
    check_contact(contact)
    return structs.replace(cart, contact=Register(contact, write.stamp), touched=write.stamp)


def ship_by(cart: Cart, method: str, possible: Sequence[str], write: Write) -> Cart:
    """Return the cart with its shipping method, which must be one of those that go there."""
    check_open(cart)
    if method not in possible:
        known = ", ".join(possible) or "none goes there"
        raise BadInputError(f"The shipping method {method!r} is not possible ({known}): choose another.", method=method)
    return structs.replace(cart, shipping_method=Register(method, write.stamp), touched=write.stamp)


def check_two(guest_id: UUID, into_id: UUID) -> None:
    """Refuse to merge a cart with itself."""
    if guest_id == into_id:
        raise BadInputError("A cart cannot be merged into itself: name another.", field="into")


def check_sign_in(guest: Cart, own: Cart, into: str) -> None:
    """Refuse to make one of two carts that cannot be; ``into`` is the name of the one that stays."""
    check_open(own)
    if guest.merged_into.value not in {"", into}:
        raise ConflictError("This cart has become a part of another already: open a new one.")
    if not guest.merged_into.value:
        check_open(guest)
    if (guest.market, guest.currency) != (own.market, own.currency):
        raise ConflictError(
            f"A cart in {guest.market} ({guest.currency}) and one in {own.market} ({own.currency}) cannot become one: "
            "put the articles in anew."
        )
    if guest.customer_id.value not in {None, own.customer_id.value}:
        raise ConflictError("The two carts belong to different customers: they cannot become one.")
    _within(merge(own, guest))


def give_up(guest: Cart, write: Write, *, into: str) -> Cart:
    """Return the guest's cart closed, since it becomes a part of another."""
    if guest.merged_into.value == into:
        return guest
    check_open(guest)
    return structs.replace(close(guest, "merged", write), merged_into=Register(into, write.stamp))


def sign_in(guest: Cart, own: Cart, write: Write, *, into: str) -> Cart:
    """Return the cart of who has signed in, with all that lies in the one from before; repeated, nothing comes twice."""
    check_sign_in(guest, own, into)
    both = structs.replace(merge(own, guest), standing=own.standing, merged_into=own.merged_into)
    return structs.replace(both, touched=write.stamp)


def close(cart: Cart, standing: Standing, write: Write) -> Cart:
    """Return the cart closed: ordered, or become a part of another."""
    return structs.replace(cart, standing=Register(standing, write.stamp), touched=write.stamp)


def seconds_kept(cart: Cart) -> float:
    """Return how long a cart is kept when nobody touches it; a closed one only for who asks again: it holds a contact too."""
    return limits.CART_IDLE_SECONDS_MAX if cart.standing.value == "open" else limits.CART_CLOSED_SECONDS_MAX


def key_of_change(sku: str, change: LineChange, seen: str | None) -> str | None:
    """Return the key of a change by what its buyer had seen: repeated, it would find its own work unseen and add to it.

    A note alone has none: it can go there and back while the lines stay as they were seen, and each time it is meant.
    """
    if seen is None or change.quantity is UNSET:
        return None
    return _short(msgspec.json.encode((sku, change, seen)))


def was_done(cart: Cart, key: str, fingerprint: bytes) -> bool:
    """Say whether this change was made before; the same key for another one is refused."""
    done = cart.done.get(_short(key.encode()))
    if done is not None and done.fingerprint != _short(fingerprint):
        raise KeyReusedError(key)
    return done is not None


def remember(cart: Cart, key: str, fingerprint: bytes, write: Write) -> Cart:
    """Return the cart that knows that this change was made."""
    done = Done(_short(fingerprint), write.stamp)
    return structs.replace(cart, done=newest((*cart.done.items(), (_short(key.encode()), done))))


def abandonment(name: str, cart: Cart, touched: int) -> CartAbandoned | None:
    """Return what is to be told of a cart left alone since ``touched``; nothing of one empty, closed or touched since."""
    if cart.standing.value != "open" or not cart.lines.dots or stamp_millis(cart.touched) != touched:
        return None
    return CartAbandoned(
        id=derived(touched, name, str(cart.touched)),
        reference=name,
        touched_at=utc(touched),
        market=cart.market,
        country=cart.goes_to(),
        currency=cart.currency,
        lines=[
            CartedLine(sku=sku, quantity=quantity, unit_minor=cart.shown[sku].value)
            for sku, quantity in cart.lines.counts().items()
        ],
        customer_id=cart.customer_id.value,
    )


def idle_after(cart: Cart) -> int | None:
    """Return since when (milliseconds) an open cart waits for its buyer; nobody waits for one that is closed."""
    return stamp_millis(cart.touched) if cart.standing.value == "open" else None


def is_open(cart: Cart) -> bool:
    """Say whether a cart can still be changed and ordered."""
    return cart.standing.value == "open"


def check_open(cart: Cart) -> None:
    """Refuse to change a cart that was ordered, or has become a part of another."""
    if cart.standing.value != "open":
        raise ConflictError(f"This cart was {cart.standing.value}: open a new one.", standing=cart.standing.value)


def check_country(country: str) -> None:
    """Refuse what is no country's code."""
    if not _COUNTRY.fullmatch(country):
        raise BadInputError(f"{country!r} is no country code: two capital letters (ISO 3166-1), such as GB.", country=country)


def check_contact(contact: Contact) -> None:
    """Refuse a contact that nobody could write to or deliver to; the sentence names the field, never its value."""
    check_country(contact.address.country)
    if not _EMAIL.fullmatch(contact.email):
        raise BadInputError("The e-mail address cannot be one: write name@example.com.", field="email")
    parts = {**structs.asdict(contact), **structs.asdict(contact.address)}
    for field in ("name", "line1", "city"):
        if not parts[field].strip():
            raise BadInputError(f"The field {field} is empty: fill it in.", field=field)
    for field, value in parts.items():
        if isinstance(value, str) and (len(value) > limits.CART_CONTACT_CHARS_MAX or not value.isprintable()):
            raise BadInputError(
                f"The field {field} is too long or not printable: {limits.CART_CONTACT_CHARS_MAX} characters at most.",
                field=field,
            )


def version(cart: Cart) -> str:
    """Return how much of the lines a reader of this state has seen: what ``parse_seen`` reads."""
    return ",".join(f"{replica}:{number}" for replica, number in sorted(cart.lines.seen.items()))


def parse_seen(text: str | None) -> Seen | None:
    """Return what a buyer had seen when asking for a change; without it, all that there is."""
    if text is None:
        return None
    found = [_REPLICA.fullmatch(part) for part in text.split(",")] if text else []
    if None in found:
        raise BadInputError(f"{text[:50]!r} is no version of a cart: send one back as it was given.")
    return {one[1]: int(one[2]) for one in found if one is not None}


def _offer(sku: str, offers: Offers) -> Carted:
    offer = offers.get(sku)
    if offer is None or not offer.offered:
        raise NotFoundError(f"There is no article {_shown(sku)!r} on offer: check the SKU.", sku=_shown(sku))
    return offer


def _shown(sku: str) -> str:
    return sku[: limits.CART_SKU_CHARS_MAX]


def _check_quantity(sku: str, quantity: int, least: int) -> None:
    if not least <= quantity <= limits.CART_QUANTITY_MAX:
        raise BadInputError(
            f"{quantity} pieces of {_shown(sku)} cannot be in a cart: {least} to {limits.CART_QUANTITY_MAX}.",
            quantity=quantity,
        )


def _checked_note(sku: str, note: str) -> str:
    if len(note) > limits.CART_NOTE_CHARS_MAX:
        raise BadInputError(
            f"The note on {sku} has {len(note)} characters: {limits.CART_NOTE_CHARS_MAX} at most.", field="note"
        )
    return note


def _within(cart: Cart) -> Cart:
    """Return the cart if it is within the limits."""
    counts = cart.lines.counts()
    if len(counts) > limits.CART_LINES_MAX:
        raise ConflictError(
            f"{len(counts)} articles are too many for one cart: {limits.CART_LINES_MAX} at most, order some of them first.",
            lines=len(counts),
        )
    for sku, quantity in counts.items():
        _check_quantity(sku, quantity, 1)
    return cart


def _without_traces(cart: Cart) -> Cart:
    """Return the cart without what is said of articles that are no longer in it: put in again, they begin anew."""
    here = cart.lines.dots
    return structs.replace(
        cart,
        notes={sku: note for sku, note in cart.notes.items() if sku in here},
        shown={sku: price for sku, price in cart.shown.items() if sku in here},
    )


def check_bytes(size: int) -> None:
    """Refuse to keep a cart that has grown beyond all use."""
    if size > limits.CART_BYTES_MAX:
        raise ConflictError(f"This cart has grown to {size} bytes, {limits.CART_BYTES_MAX} at most are kept: open a new one.")


def _short(of: bytes) -> str:
    return hashlib.sha256(of).hexdigest()[:16]

"""The commands of carts: load, decide in ``rules``, put back if nobody came between, else again with what is there now."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct, structs

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.base.ormap import Seen
from entrepot.base.seals import Seals
from entrepot.base.time import HybridClock
from entrepot.commerce.cart import rules, state
from entrepot.commerce.cart.drawer import Drawer
from entrepot.commerce.cart.events import CART_ABANDONED, CartAbandoned
from entrepot.commerce.cart.requests import CartRequest
from entrepot.commerce.cart.rules import Offers, Write
from entrepot.commerce.cart.state import SEALED_AS, Cart, Standing
from entrepot.record.idempotency import once
from entrepot.record.transaction import Fact, Transaction

BUSY = "this cart is being changed from too many places at once"
FINGERPRINT = b"cart abandoned"

# What a change is: a decision of ``rules``, made again when somebody came between.
Act: TypeAlias = Callable[[Cart, Write], Cart]


class Kept(Struct, frozen=True):
    """A cart as the drawer has it."""

    id: UUID
    cart: Cart
    bytes: bytes


class Carts:
    """The carts of one cell. A cart belongs to whoever knows its id; what is personal of it lies sealed."""

    def __init__(self, drawer: Drawer, cell: int, clock: HybridClock, ids: IdSource, seals: Seals) -> None:
        self._drawer = drawer
        self._cell = cell
        self._clock = clock
        self._ids = ids
        self._seals = seals

    async def open(self, request: CartRequest, currencies: list[str], offers: Offers) -> Kept:
        """Open a cart, with articles in it if any were named; asked twice, there are two, and the unused one expires."""
        cart_id = self._ids.unguessable()
        name = state.reference(cart_id)
        cart = rules.open_cart(request, currencies, offers, self._write(name))
        kept = await self._kept(cart_id, cart)
        await self._put(name, None, kept)
        return kept

    async def load(self, cart_id: UUID) -> Kept:
        """Return a cart; one that never was, or has expired, is refused."""
        found = await self._drawer.load(state.reference(cart_id))
        if found is None:
            raise NotFoundError(f"There is no cart {cart_id}, or it has expired: open a new one.", cart_id=str(cart_id))
        return Kept(cart_id, await self._opened(state.decode(found)), found)

    async def change(
        self, kept: Kept, act: Act, *, seen: Seen | None = None, key: str | None = None, fingerprint: bytes = b""
    ) -> Kept:
        """Change a cart and return it; the same key changes it once.

        Every change is remembered by a key, given or not: when the answer of a ``put`` is lost, or somebody came between,
        what is there then tells whether the change was made.
        """
        name, key = state.reference(kept.id), key or str(self._ids.fresh())
        for _ in range(limits.CART_TRIES_MAX):
            if rules.was_done(kept.cart, key, fingerprint):
                return kept
            write = self._write(name, kept.cart.touched, seen)
            cart = rules.remember(act(kept.cart, write), key, fingerprint, write)
            changed = await self._kept(kept.id, cart)
            if await self._put(name, kept.bytes, changed):
                return changed
            kept = await self.load(kept.id)
        raise EngineAwayError("memory", BUSY)

    async def sign_in(self, guest_id: UUID, into_id: UUID) -> Kept:
        """Put all that lies in a guest's cart into the cart of who has signed in; asked again, nothing comes twice.

        The guest's is closed first, so that nothing is put in any more; cut in between, asking again does the rest.
        """
        rules.check_two(guest_id, into_id)
        guest, into = await self.load(guest_id), await self.load(into_id)
        name = state.reference(into_id)
        rules.check_sign_in(guest.cart, into.cart, name)
        guest = await self.change(guest, partial(rules.give_up, into=name))
        return await self.change(into, partial(rules.sign_in, guest.cart, into=name))

    async def close(self, kept: Kept, standing: Standing) -> Kept:
        """Close a cart, such as one that was ordered; for some days it can still be read."""
        return await self.change(kept, lambda cart, write: rules.close(cart, standing, write))

    async def _kept(self, cart_id: UUID, cart: Cart) -> Kept:
        """Return a cart with the bytes for the drawer."""
        personal = state.personal(cart)
        if personal is None:
            return Kept(cart_id, cart, state.encode(cart))
        subject = cart.customer_id.value or cart.subject or self._ids.fresh()
        sealed = (await self._seals.seal(subject, {SEALED_AS: personal}))[SEALED_AS]
        closed = state.closed(cart, subject, sealed)
        return Kept(cart_id, structs.replace(cart, subject=subject), state.encode(closed))

    async def _opened(self, cart: Cart) -> Cart:
        if cart.subject is None or not cart.sealed:
            return cart
        return state.opened(cart, (await self._seals.unseal(cart.subject, {SEALED_AS: cart.sealed}))[SEALED_AS])

    def _write(self, name: str, touched: int = 0, seen: Seen | None = None) -> Write:
        return Write(state.replica(self._cell, name), self._clock.tick(touched), seen)

    async def _put(self, name: str, was: bytes | None, kept: Kept) -> bool:
        rules.check_bytes(len(kept.bytes))
        touched, seconds = rules.idle_after(kept.cart), rules.seconds_kept(kept.cart)
        return await self._drawer.put(name, was, kept.bytes, touched=touched, seconds=seconds)


async def announce(tx: Transaction, abandoned: Sequence[CartAbandoned]) -> int:
    """Tell of carts that were left alone, each time they were exactly once; returns how many had not been told of."""
    # Claimed in the transaction that tells: the claim alone answers who asks again, so nothing is remembered beside it.
    fresh = [one for one in abandoned if await once(tx, f"{CART_ABANDONED}/{one.id}", FINGERPRINT) is None]
    if fresh:
        await tx.append([Fact(CART_ABANDONED, f"abandonment/{one.id}", 1, one, one.customer_id) for one in fresh])
    return len(fresh)

"""Who a visitor is here: ids of cart, checkout, customer and buyer in cookies that no script can read; the bar's count.

Who has signed in is the customer; another browser is a guest of its own, by an id that this house has proved in the cookie.
"""

import asyncio
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from entrepot.access.owners import guest_proof, same
from entrepot.api.guard import BUYER as BUYER  # noqa: PLC0414  # the guard reads it too
from entrepot.api.guard import GUEST, guest_of
from entrepot.api.parts import Parts
from entrepot.api.principal import principal_of
from entrepot.base.errors import EngineAwayError, NotFoundError
from entrepot.base.limits import (
    ASIDE_SECONDS_MAX,
    CART_IDLE_SECONDS_MAX,
    CHECKOUT_COOKIE_SECONDS,
    CUSTOMER_COOKIE_SECONDS,
)
from entrepot.commerce.cart.commands import Kept
from entrepot.commerce.cart.rules import is_open

CART = "entrepot_cart"
CHECKOUT = "entrepot_checkout"


class Buying(Struct, frozen=True):
    """For which company a visitor buys, and as whom."""

    company_id: UUID
    buyer_id: UUID


async def cart_of(parts: Parts, request: Request[Any, Any, Any]) -> Kept | None:
    """Return the visitor's open cart; None when there is none, or it has expired or was ordered."""
    cart_id = id_in(request, CART)
    if cart_id is None:
        return None
    try:
        kept = await parts.carts.load(cart_id)
    except NotFoundError:
        return None
    return kept if is_open(kept.cart) else None


async def pieces(parts: Parts, request: Request[Any, Any, Any]) -> int:
    """Return how many pieces lie in the visitor's cart; 0 when the engine that knows does not answer."""
    if CART not in request.cookies:
        return 0
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            kept = await cart_of(parts, request)
    except (EngineAwayError, TimeoutError):
        return 0
    return sum(kept.cart.lines.counts().values()) if kept else 0


def id_in(request: Request[Any, Any, Any], cookie: str) -> UUID | None:
    """Return the id in a cookie; None when there is none, or something else."""
    try:
        return UUID(request.cookies.get(cookie, ""))
    except ValueError:
        return None


def customer_of(request: Request[Any, Any, Any], parts: Parts) -> UUID | None:
    """Return as which customer a visitor buys: who has signed in, else the guest that the browser is; None: a new one."""
    who = principal_of(request)
    return who.id if who.kind == "person" else guest_of(request, parts.people.sealing)


def buying_for(request: Request[Any, Any, Any], parts: Parts) -> Buying | None:
    """Return for which company the visitor buys; None: for nobody but themselves, or it was another who did."""
    value, _, proof = request.cookies.get(BUYER, "").rpartition(".")
    if not same(proof, _buyer_proof(request, parts, value)):
        return None
    company_id, buyer_id = (UUID(part) for part in value.split("."))
    return Buying(company_id, buyer_id)


def remember_guest(request: Request[Any, Any, Any], parts: Parts, customer_id: UUID) -> list[Cookie]:
    """Return the cookie that makes what a browser buys one guest's; none for who has signed in."""
    if principal_of(request).kind == "person":
        return []
    value = f"{customer_id}.{guest_proof(parts.people.sealing, customer_id)}"
    return [_cookie(request, GUEST, value, int(CUSTOMER_COOKIE_SECONDS))]


def remember_buyer(request: Request[Any, Any, Any], parts: Parts, buying: Buying) -> Cookie:
    """Return the cookie by which a visitor buys for a company."""
    value = f"{buying.company_id}.{buying.buyer_id}"
    return _cookie(request, BUYER, f"{value}.{_buyer_proof(request, parts, value)}", int(CUSTOMER_COOKIE_SECONDS))


def remember_cart(request: Request[Any, Any, Any], cart_id: UUID) -> Cookie:
    """Return the cookie that makes a cart the visitor's."""
    return _cookie(request, CART, str(cart_id), int(CART_IDLE_SECONDS_MAX))


def remember_checkout(request: Request[Any, Any, Any], checkout_id: UUID) -> Cookie:
    """Return the cookie by which a visitor comes back from the bank's page."""
    return _cookie(request, CHECKOUT, str(checkout_id), int(CHECKOUT_COOKIE_SECONDS))


def forget(request: Request[Any, Any, Any], cookie: str) -> Cookie:
    """Return the cookie that takes another away."""
    return _cookie(request, cookie, "", 0)


def _buyer_proof(request: Request[Any, Any, Any], parts: Parts, value: str) -> str:
    """Return what binds a buyer to who has signed in: the cookie is of no use to another."""
    return guest_proof(parts.people.sealing, f"buyer {value} {principal_of(request).id}")


def _cookie(request: Request[Any, Any, Any], name: str, value: str, seconds: int) -> Cookie:
    # Lax, not strict: the bank's page sends the buyer back here from another site, by a plain GET.
    secure = request.url.scheme == "https"
    return Cookie(name, value=value, path="/", max_age=seconds, httponly=True, samesite="lax", secure=secure)

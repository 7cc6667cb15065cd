"""Who a visitor is here: ids of cart, checkout, customer and buyer in cookies that no script can read; the bar's count.

There are no logins yet: a browser is its own customer, and buys for the company that it says it buys for.
"""

import asyncio
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from entrepot.api.parts import Parts
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
CUSTOMER = "entrepot_customer"
BUYER = "entrepot_buyer"


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


def buying_for(request: Request[Any, Any, Any]) -> Buying | None:
    """Return for which company the visitor buys; None: for nobody but themselves."""
    try:
        company_id, buyer_id = (UUID(part) for part in request.cookies.get(BUYER, "").split("."))
    except ValueError:
        return None
    return Buying(company_id, buyer_id)


def remember_customer(request: Request[Any, Any, Any], customer_id: UUID) -> Cookie:
    """Return the cookie that makes what a browser buys one customer's."""
    return _cookie(request, CUSTOMER, str(customer_id), int(CUSTOMER_COOKIE_SECONDS))


def remember_buyer(request: Request[Any, Any, Any], buying: Buying) -> Cookie:
    """Return the cookie by which a visitor buys for a company."""
    return _cookie(request, BUYER, f"{buying.company_id}.{buying.buyer_id}", int(CUSTOMER_COOKIE_SECONDS))


def remember_cart(request: Request[Any, Any, Any], cart_id: UUID) -> Cookie:
    """Return the cookie that makes a cart the visitor's."""
    return _cookie(request, CART, str(cart_id), int(CART_IDLE_SECONDS_MAX))


def remember_checkout(request: Request[Any, Any, Any], checkout_id: UUID) -> Cookie:
    """Return the cookie by which a visitor comes back from the bank's page."""
    return _cookie(request, CHECKOUT, str(checkout_id), int(CHECKOUT_COOKIE_SECONDS))


def forget(request: Request[Any, Any, Any], cookie: str) -> Cookie:
    """Return the cookie that takes another away."""
    return _cookie(request, cookie, "", 0)


def _cookie(request: Request[Any, Any, Any], name: str, value: str, seconds: int) -> Cookie:
    # Lax, not strict: the bank's page sends the buyer back here from another site, by a plain GET.
    secure = request.url.scheme == "https"
    return Cookie(name, value=value, path="/", max_age=seconds, httponly=True, samesite="lax", secure=secure)

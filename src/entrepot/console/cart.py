"""The cart's page and its buttons: pieces, notes, coupons. What changed since an article was put in is told beside it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, ConflictError, EngineAwayError, EntrepotError, NotFoundError, NotThereYetError
from entrepot.commerce.cart import rules
from entrepot.commerce.cart.commands import Kept
from entrepot.commerce.cart.requests import Carted, CartLineRequest, CartRequest, LineChange
from entrepot.commerce.cart.state import Cart
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.checkout.carted import CartView, carted, check_coupon, look
from entrepot.commerce.pricing.query import countries
from entrepot.console.forms import Form, key_of, text, whole_number
from entrepot.console.language import LOCALE, locale_of
from entrepot.console.render import page
from entrepot.console.store import place, spoken
from entrepot.console.visitor import cart_of, customer_of, remember_cart, remember_guest
from entrepot.projections.product_page.query import read_page
from entrepot.record.idempotency import fingerprint
from entrepot.record.transaction import Connection

# Where a market says no country of its own.
COUNTRY = "GB"
_AFTER = {"buy": "/checkout", "drawer": "/cart/drawer"}


@get("/cart", include_in_schema=False, opt={"permission": "carts.use"})
async def show_cart(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[str]:
    """Show what lies in the visitor's cart, as it is offered at this moment."""
    return await _cart_page(request, parts, await cart_of(parts, request))


@get("/cart/drawer", include_in_schema=False, opt={"permission": "carts.use"})
async def show_drawer(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[str]:
    """Show in brief what lies in the cart: what the script of a product's page opens beside it."""
    return await _cart_page(request, parts, await cart_of(parts, request), template="drawer.html")


@post("/cart/lines", include_in_schema=False, opt={"permission": "carts.use"})
async def add(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Put an article in, into a new cart if the visitor has none, and show the cart or go on to the checkout."""
    do = text(data, "do")
    try:
        kept, customer_id = await _put_in(request, parts, data)
    except EntrepotError as error:
        template = "drawer.html" if do == "drawer" else "cart.html"
        known = await cart_of(parts, request)
        return await _cart_page(request, parts, known, wrong=str(error), status=error.status, template=template)
    cookies = [remember_cart(request, kept.id), *remember_guest(request, parts, customer_id)]
    return Redirect(_AFTER.get(do, "/cart"), status_code=303, cookies=cookies)


@post("/cart/quantity", include_in_schema=False, opt={"permission": "carts.use"})
async def set_quantity(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Say how many pieces of an article there shall be; none takes it out."""
    try:
        change = LineChange(quantity=whole_number(data, "set" if "set" in data else "quantity"))
        await _change_line(request, parts, data, change)
    except (BadInputError, NotFoundError) as error:
        return await _refused(request, parts, error)
    return Redirect("/cart", status_code=303)


@post("/cart/notes", include_in_schema=False, opt={"permission": "carts.use"})
async def set_note(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Write a note on an article, for whoever packs or makes it."""
    try:
        await _change_line(request, parts, data, LineChange(note=text(data, "note")))
    except (BadInputError, NotFoundError) as error:
        return await _refused(request, parts, error)
    return Redirect("/cart", status_code=303)


@post("/cart/coupons", include_in_schema=False, opt={"permission": "carts.use"})
async def use_coupon(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Put a coupon in, or say beside its field why not."""
    kept, code = await cart_of(parts, request), text(data, "code").upper()
    if kept is None:
        return Redirect("/cart", status_code=303)
    try:
        async with parts.record.committing() as connection:
            await check_coupon(connection, parts.cell, parts.quoting, kept.cart, code)
        await parts.carts.change(kept, lambda cart, write: rules.use_coupon(cart, code, write))
    except (BadInputError, NotFoundError, ConflictError) as error:
        return await _cart_page(request, parts, kept, coupon=code, coupon_wrong=str(error), status=error.status)
    return Redirect("/cart", status_code=303)


@post("/cart/coupons/removal", include_in_schema=False, opt={"permission": "carts.use"})
async def drop_coupon(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Redirect:
    """Take a coupon away."""
    kept, code = await cart_of(parts, request), text(data, "code")
    if kept is not None:
        await parts.carts.change(kept, lambda cart, write: rules.drop_coupon(cart, code, write))
    return Redirect("/cart", status_code=303)


HANDLERS = [show_cart, show_drawer, add, set_quantity, set_note, use_coupon, drop_coupon]


async def titles_of(parts: Parts, ids: Sequence[UUID], locale: str = LOCALE) -> dict[UUID, str]:
    """Return what products are called; fewer, or none, when the engine that knows does not answer."""
    try:
        found = await parts.pages.pages(list(dict.fromkeys(ids)))
    except (EngineAwayError, NotFoundError, NotThereYetError):
        return {}
    return {id_: spoken(read_page(one.body), locale).title for id_, one in found.items()}


async def titles_in(parts: Parts, view: CartView, locale: str) -> dict[UUID, str]:
    """Return what the products of a cart are called."""
    return await titles_of(parts, [line.product_id for line in view.lines if line.product_id], locale)


async def titles_of_skus(parts: Parts, connection: Connection, skus: Sequence[str], locale: str = LOCALE) -> dict[str, str]:
    """Return what articles are called, by SKU; fewer, or none, when the engine that knows does not answer."""
    known = await variants(connection, skus)
    titles = await titles_of(parts, [row.product_id for row in known.values()], locale)
    return {sku: titles[row.product_id] for sku, row in known.items() if row.product_id in titles}


async def _put_in(request: Request[Any, Any, Any], parts: Parts, data: dict[str, str]) -> tuple[Kept, UUID]:
    """Put an article into the visitor's cart, or a new one; returns it, and as which customer they buy."""
    market, sku = text(data, "market"), text(data, "sku")
    line = CartLineRequest(sku=sku, quantity=whole_number(data, "quantity"))
    currencies, offers = await _offers(parts, market, [sku])
    kept, customer_id = await cart_of(parts, request), customer_of(request, parts) or parts.record.ids.unguessable()
    if kept is not None and kept.cart.market != market:
        if kept.cart.lines.dots:
            raise ConflictError(
                f"Your cart is of the market {kept.cart.market}, this article of {market}: order or empty the cart first.",
                market=kept.cart.market,
            )
        kept = None
    if kept is None:
        async with parts.record.committing() as connection:
            country = (await countries(connection)).get(market) or COUNTRY
        opened = CartRequest(market=market, country=country, customer_id=customer_id, lines=[line])
        return await parts.carts.open(opened, currencies, offers), customer_id

    def act(cart: Cart, write: rules.Write) -> Cart:
        return rules.put_in(cart, [line], offers, write)

    return await parts.carts.change(kept, act, key=key_of(data, parts), fingerprint=fingerprint(line)), customer_id


async def _change_line(request: Request[Any, Any, Any], parts: Parts, data: dict[str, str], change: LineChange) -> None:
    kept, sku = await cart_of(parts, request), text(data, "sku")
    if kept is None:
        raise NotFoundError("Your cart has expired, or was ordered: put the article in anew.")
    _, offers = await _offers(parts, kept.cart.market, [sku])
    seen = text(data, "seen")
    key = rules.key_of_change(sku, change, seen)
    await parts.carts.change(
        kept,
        lambda cart, write: rules.change_line(cart, sku, change, offers, write),
        seen=rules.parse_seen(seen),
        key=key,
        fingerprint=fingerprint(change) if key else b"",
    )


async def _offers(parts: Parts, market: str, skus: list[str]) -> tuple[list[str], dict[str, Carted]]:
    async with parts.record.committing() as connection:
        return await carted(connection, parts.cell, market, skus)


async def _refused(request: Request[Any, Any, Any], parts: Parts, error: EntrepotError) -> Response[str]:
    return await _cart_page(request, parts, await cart_of(parts, request), wrong=str(error), status=error.status)


async def _cart_page(
    request: Request[Any, Any, Any],
    parts: Parts,
    kept: Kept | None,
    *,
    wrong: str = "",
    coupon: str = "",
    coupon_wrong: str = "",
    status: int = 200,
    template: str = "cart.html",
) -> Response[str]:
    view = None
    if kept is not None:
        async with parts.record.committing() as connection:
            view = await look(connection, parts.cell, parts.quoting, kept.id, kept.cart)
    here = await place(parts, view.market if view else request.query_params.get("market", ""))
    context = {
        "here": here,
        "view": view,
        "titles": await titles_in(parts, view, locale_of(request)) if view else {},
        "wrong": wrong,
        "coupon": coupon,
        "coupon_wrong": coupon_wrong,
        "key": parts.record.ids.fresh(),
    }
    return page(template, "store", context, status=status, pieces=view.pieces if view else 0)

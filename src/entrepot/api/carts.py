"""Carts: opened, filled, looked at, delivered somewhere, merged on sign-in. A cart belongs to whoever knows its id.

A change answers with what the cart then holds; what it costs is asked by looking at it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from msgspec import Struct, structs

from entrepot.api.guard import cart_named
from entrepot.api.headers import OptionalKey
from entrepot.api.parts import Parts
from entrepot.commerce.cart import rules
from entrepot.commerce.cart.commands import Act, Kept
from entrepot.commerce.cart.requests import Carted, CartLineRequest, CartRequest, LineChange
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.cart.view import HeldCart, held
from entrepot.commerce.checkout.carted import CartView, check_coupon, look, methods, methods_to, offered
from entrepot.commerce.shipping.rules import Offered
from entrepot.record.idempotency import check_key, fingerprint

NO_STORE = {"Cache-Control": "no-store"}
SEEN = "Entrepot-Seen"

_SEEN_SAYS = (
    "The `version` that the buyer was looking at: what another tab has put in since then stays, and comes on top. "
    "Without it, the change is of all that is there."
)
SeenVersion: TypeAlias = Annotated[str | None, HeaderParameter(name=SEEN, required=False, description=_SEEN_SAYS)]


class CartLines(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Articles to put in."""

    lines: list[CartLineRequest]


class MethodChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code of a shipping method."""

    method: str


class ShippingMethods(Struct, frozen=True, kw_only=True):
    """How the cart can be sent, and for how much."""

    items: Sequence[Offered]


class DeliveredCart(HeldCart, frozen=True, kw_only=True):
    """A cart that goes somewhere, and how it can be sent there, the cheapest first; none where nothing is to be sent."""

    shipping_methods: Sequence[Offered]


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cart of the customer who has signed in, which gets all that lies in this one."""

    into: UUID


@post("/v1/carts", tags=["Carts"], summary="Open a cart", opt={"permission": "carts.use"})
async def open_cart(
    parts: NamedDependency[Parts], data: JSONBody[CartRequest], idempotency_key: OptionalKey
) -> Response[HeldCart]:
    """Open a cart for a market and a country; its id is a secret, and it expires a month after its last change.

    With a key, asking twice opens one cart.
    """
    if data.lines:
        rules.check_lines(data.lines)

    # Read before the key's transaction begins: who waits for a connection must hold none, or many at once wait for each other.
    currencies, offers = await _offers(parts, data.market, [line.sku for line in data.lines])

    async def opened() -> HeldCart:
        kept = await parts.carts.open(data, currencies, offers)
        return held(kept.id, kept.cart)

    # Only who asks for it pays for a key: it is kept in the record, where a cart is not.
    cart = await parts.run(lambda _: opened(), HeldCart, idempotency_key, data) if idempotency_key else await opened()
    return Response(cart, status_code=201, headers={**NO_STORE, "Location": f"/v1/carts/{cart.id}"})


@get("/v1/carts/{cart_id:uuid}", tags=["Carts"], summary="Look at a cart", opt={"permission": "carts.use"})
async def read_cart(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID]
) -> Response[CartView]:
    """Show a cart as it is offered at this moment; what changed since an article was put in is told line by line."""
    kept = await cart_named(request, parts, cart_id)
    async with parts.record.committing() as connection:
        view = await look(connection, parts.cell, parts.quoting, cart_id, kept.cart)
    return Response(view, headers=NO_STORE)


@post("/v1/carts/{cart_id:uuid}/lines", tags=["Carts"], summary="Put articles in", opt={"permission": "carts.use"})
async def put_in(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    cart_id: FromPath[UUID],
    data: JSONBody[CartLines],
    idempotency_key: OptionalKey,
) -> Response[HeldCart]:
    """Put articles in, beside what is there; with a key, asking twice puts them in once."""
    rules.check_lines(data.lines)
    kept = await cart_named(request, parts, cart_id)
    _, offers = await _offers(parts, kept.cart.market, [line.sku for line in data.lines])
    return await _change(
        parts, kept, lambda cart, write: rules.put_in(cart, data.lines, offers, write), None, idempotency_key, data
    )


@patch("/v1/carts/{cart_id:uuid}/lines/{sku:str}", tags=["Carts"], summary="Change a line", opt={"permission": "carts.use"})
async def change_line(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    cart_id: FromPath[UUID],
    sku: FromPath[str],
    data: JSONBody[LineChange],
    seen: SeenVersion,
    idempotency_key: OptionalKey,
) -> Response[HeldCart]:
    """Say how many pieces there shall be (0 takes the line out), or change its note."""
    kept = await cart_named(request, parts, cart_id)
    _, offers = await _offers(parts, kept.cart.market, [sku])
    key = idempotency_key or rules.key_of_change(sku, data, seen)
    sent = msgspec.json.encode((sku, data))
    return await _change(parts, kept, lambda cart, write: rules.change_line(cart, sku, data, offers, write), seen, key, sent)


@delete(
    "/v1/carts/{cart_id:uuid}/lines/{sku:str}",
    tags=["Carts"],
    summary="Take a line out",
    status_code=200,
    opt={"permission": "carts.use"},
)
async def take_out(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    cart_id: FromPath[UUID],
    sku: FromPath[str],
    seen: SeenVersion,
) -> Response[HeldCart]:
    """Take an article out; one that is not in the cart changes nothing."""
    kept = await cart_named(request, parts, cart_id)
    return await _change(parts, kept, lambda cart, write: rules.take_out(cart, sku, write), seen)


@put("/v1/carts/{cart_id:uuid}/coupons/{code:str}", tags=["Carts"], summary="Use a coupon", opt={"permission": "carts.use"})
async def use_coupon(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID], code: FromPath[str]
) -> Response[HeldCart]:
    """Put a coupon in, if it is one that this buyer may use; what it takes off is told by looking at the cart."""
    kept = await cart_named(request, parts, cart_id)
    async with parts.record.committing() as connection:
        await check_coupon(connection, parts.cell, parts.quoting, kept.cart, code)
    return await _change(parts, kept, lambda cart, write: rules.use_coupon(cart, code, write))


@delete(
    "/v1/carts/{cart_id:uuid}/coupons/{code:str}",
    tags=["Carts"],
    summary="Take a coupon away",
    status_code=200,
    opt={"permission": "carts.use"},
)
async def drop_coupon(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID], code: FromPath[str]
) -> Response[HeldCart]:
    """Take a coupon away; one that is not in the cart changes nothing."""
    kept = await cart_named(request, parts, cart_id)
    return await _change(parts, kept, lambda cart, write: rules.drop_coupon(cart, code, write))


@put(
    "/v1/carts/{cart_id:uuid}/delivery",
    tags=["Carts"],
    summary="Say who buys, and where it goes",
    opt={"permission": "carts.use"},
)
async def deliver_to(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID], data: JSONBody[Contact]
) -> Response[DeliveredCart]:
    """Say who buys and where it goes, which something must go to; from then on the cart is priced for that country.

    Answers with how it can be sent there, so that nobody need ask.
    """
    rules.check_contact(data)
    kept = await cart_named(request, parts, cart_id)
    possible = await methods_to(parts.record, parts.cell, parts.quoting, kept.cart, data)
    changed = await parts.carts.change(kept, lambda cart, write: rules.deliver_to(cart, data, write))
    cart = DeliveredCart(**structs.asdict(held(changed.id, changed.cart)), shipping_methods=possible)
    return Response(cart, headers=NO_STORE)


@get("/v1/carts/{cart_id:uuid}/shipping-methods", tags=["Carts"], summary="How it can be sent", opt={"permission": "carts.use"})
async def read_methods(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID]
) -> Response[ShippingMethods]:
    """List every method that takes what is in the cart to where it goes, the cheapest first."""
    kept = await cart_named(request, parts, cart_id)
    items = await methods(parts.record, parts.cell, parts.quoting, kept.cart)
    return Response(ShippingMethods(items=items), headers=NO_STORE)


@put(
    "/v1/carts/{cart_id:uuid}/shipping-method", tags=["Carts"], summary="Choose how it is sent", opt={"permission": "carts.use"}
)
async def ship_by(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cart_id: FromPath[UUID], data: JSONBody[MethodChoice]
) -> Response[HeldCart]:
    """Choose one of the methods that go there."""
    kept = await cart_named(request, parts, cart_id)
    possible = await methods(parts.record, parts.cell, parts.quoting, kept.cart)
    codes = [one.method for one in possible]
    return await _change(parts, kept, lambda cart, write: rules.ship_by(cart, data.method, codes, write))


@post(
    "/v1/carts/{cart_id:uuid}/merge",
    tags=["Carts"],
    summary="Merge a guest's cart on sign-in",
    status_code=200,
    opt={"permission": "carts.use"},
)
async def merge(parts: NamedDependency[Parts], cart_id: FromPath[UUID], data: JSONBody[SignIn]) -> Response[HeldCart]:
    """Put all that lies in this cart into another and close this one; asking again puts nothing in twice."""
    kept = await parts.carts.sign_in(cart_id, data.into)
    return Response(held(kept.id, kept.cart), headers=NO_STORE)


HANDLERS = [
    open_cart,
    read_cart,
    put_in,
    change_line,
    take_out,
    use_coupon,
    drop_coupon,
    deliver_to,
    read_methods,
    ship_by,
    merge,
]


async def _offers(parts: Parts, market: str, skus: list[str]) -> tuple[list[str], dict[str, Carted]]:
    return await offered(parts.record, parts.cell, parts.quoting, market, skus)


async def _change(
    parts: Parts, kept: Kept, act: Act, seen: str | None = None, key: str | None = None, request: Struct | bytes = b""
) -> Response[HeldCart]:
    if key is not None:
        check_key(key)
    changed = await parts.carts.change(
        kept, act, seen=rules.parse_seen(seen), key=key, fingerprint=fingerprint(request) if key else b""
    )
    return Response(held(changed.id, changed.cart), headers=NO_STORE)

"""Completes a cart: what lies in it becomes one order at most, however often and by whatever keys it is asked."""

from uuid import UUID

import msgspec
import structlog
from msgspec import Struct, structs

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.commerce.cart import rules, state
from entrepot.commerce.cart.commands import Carts, Kept
from entrepot.commerce.cart.state import Cart
from entrepot.commerce.checkout.carted import quote_request
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import CheckoutAnswer, CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.record.idempotency import fingerprint

log = structlog.get_logger()


class Choice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a cart is paid, and what its buyer was shown that it costs; ``shipping_method`` in place of the one in the cart."""

    payment: PaymentChoice
    expected_total_minor: int | None = None
    shipping_method: str | None = None


async def complete(checkouts: Checkouts, carts: Carts, key: str, cart_id: UUID, choice: Choice) -> CheckoutAnswer:
    """Check out what lies in a cart and close it once it is ordered; the same key goes on with what it has begun.

    The cart's own claim, not its standing, is what makes it one order: Redis may be away when the order is placed.
    """
    kept = await carts.load(cart_id)
    mark = fingerprint(msgspec.json.encode((state.reference(cart_id), choice)))
    answer = None if rules.is_open(kept.cart) else await checkouts.begun(key, mark)
    if answer is None:
        answer = await checkouts.begin(key, _request(kept.cart, cart_id, choice), mark=mark)
    if answer.state == "placed":
        await _close(carts, kept)
    return answer


def _request(cart: Cart, cart_id: UUID, choice: Choice) -> CheckoutRequest:
    rules.check_open(cart)
    quote = quote_request(cart)
    if choice.shipping_method is not None:
        quote = structs.replace(quote, shipping_method=choice.shipping_method)
    if not quote.lines:
        raise BadInputError("The cart is empty: put something in.", field="lines")
    return CheckoutRequest(
        quote=quote,
        payment=choice.payment,
        contact=cart.contact.value,
        subject=cart.subject,
        expected_total_minor=choice.expected_total_minor,
        claims=[Claim(f"cart/{state.reference(cart_id)}", 1, 1)],
    )


async def _close(carts: Carts, kept: Kept) -> None:
    if rules.is_open(kept.cart):
        try:
            await carts.close(kept, "ordered")
        except EngineAwayError as error:
            log.warning("cart.not_closed", why=str(error))

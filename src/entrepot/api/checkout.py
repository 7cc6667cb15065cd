"""Checkout: a cart is completed, or lines are bought at once; a challenge is answered, and a checkout read as it stands."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct, field

from entrepot.access.owners import order_secret
from entrepot.api.headers import RequiredKey, moved, required, text
from entrepot.api.parts import Parts
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.completing import Choice, complete
from entrepot.commerce.checkout.held import CardChoice, CheckoutAnswer, CheckoutRequest, State
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.saga_rules import checked


class BuyLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article and how many of it."""

    sku: str
    quantity: int
    note: str = ""


class Purchase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is bought without a cart, by whom, and how it is paid; ``expected_total_minor`` is what the buyer was shown."""

    market: str
    lines: list[BuyLine]
    contact: Contact
    payment: CardChoice
    currency: str | None = None
    coupons: list[str] = field(default_factory=list)
    shipping_method: str | None = None
    customer_id: UUID | None = None
    vat_id: str | None = None
    expected_total_minor: int | None = None


class Completion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a cart is paid; ``expected_total_minor`` is what the buyer was shown: another total is told instead of taken.

    ``shipping_method`` is one of those that the cart's delivery was answered with: who chooses on the page that pays needs no
    call for it. Without one it is the cart's, or the cheapest.
    """

    payment: CardChoice
    expected_total_minor: int | None = None
    shipping_method: str | None = None


class Checkout(Struct, frozen=True, kw_only=True):
    """How a checkout stands: ``placed`` has its order, ``challenged`` the page where the buyer proves who they are.

    ``order_secret`` is what a guest reads the order by afterwards, in the header ``Entrepot-Order-Secret``.
    """

    checkout_id: UUID
    state: State
    total_minor: int
    currency: str
    order_id: UUID | None = None
    order_secret: str | None = None
    challenge_url: str | None = None
    reason: str | None = None


@post("/v1/checkouts", tags=["Checkout"], summary="Buy at once", opt={"permission": "checkout.buy"})
async def buy(parts: NamedDependency[Parts], data: JSONBody[Purchase], idempotency_key: RequiredKey = "") -> Response[Checkout]:
    """Reserve, pay and order, whole or not at all; 202 asks the buyer to answer the challenge and then to resume."""
    address = data.contact.address
    request = CheckoutRequest(
        quote=QuoteRequest(
            market=data.market,
            country=address.country,
            region=address.region,
            postcode=address.postcode,
            currency=data.currency,
            lines=[WantedLine(sku=line.sku, quantity=line.quantity, note=line.note) for line in data.lines],
            coupons=data.coupons,
            shipping_method=data.shipping_method,
            customer_id=data.customer_id,
            vat_id=data.vat_id,
        ),
        payment=data.payment.choice(),
        contact=data.contact,
        expected_total_minor=data.expected_total_minor,
    )
    return ended(parts, await parts.checkouts.begin(required(idempotency_key), request))


@post(
    "/v1/carts/{cart_id:uuid}/complete",
    tags=["Checkout"],
    summary="Order what is in a cart",
    opt={"permission": "checkout.buy"},
)
async def complete_cart(
    parts: NamedDependency[Parts], cart_id: FromPath[UUID], data: JSONBody[Completion], idempotency_key: RequiredKey = ""
) -> Response[Checkout]:
    """Reserve, pay and order what is in a cart, whole or not at all; a cart becomes one order at most."""
    choice = Choice(
        payment=data.payment.choice(), expected_total_minor=data.expected_total_minor, shipping_method=data.shipping_method
    )
    answer = await complete(parts.checkouts, parts.carts, required(idempotency_key), cart_id, choice)
    return ended(parts, answer)


@get(
    "/v1/checkouts/{checkout_id:uuid}",
    tags=["Checkout"],
    summary="One checkout, as it stands",
    opt={"permission": "checkout.buy"},
)
async def read_checkout(parts: NamedDependency[Parts], checkout_id: FromPath[UUID]) -> Response[Checkout]:
    """Read how a checkout stands, and why it ended where it has."""
    answer = await parts.checkouts.read(checkout_id)
    return Response(body_of(parts, answer), headers={"Cache-Control": "no-store", **moved(text(answer.token))})


@post(
    "/v1/checkouts/{checkout_id:uuid}/resume",
    tags=["Checkout"],
    summary="Go on after a challenge",
    opt={"permission": "checkout.buy"},
)
async def resume_checkout(parts: NamedDependency[Parts], checkout_id: FromPath[UUID]) -> Response[Checkout]:
    """Ask the gateway how the challenge went and place the order, or say why there is none; asked again, the same is said."""
    return ended(parts, await parts.checkouts.resume(checkout_id))


HANDLERS = [buy, complete_cart, read_checkout, resume_checkout]


def ended(parts: Parts, answer: CheckoutAnswer) -> Response[Checkout]:
    """Answer how a checkout stands; one that ended without an order is a problem, with its reason."""
    answer = checked(answer)
    placed = answer.order_id is not None
    headers = {"Location": f"/v1/orders/{answer.order_id}" if placed else f"/v1/checkouts/{answer.checkout_id}"}
    return Response(
        body_of(parts, answer), status_code=201 if placed else 202, headers={**headers, **moved(text(answer.token))}
    )


def body_of(parts: Parts, answer: CheckoutAnswer) -> Checkout:
    """Return what is told of a checkout."""
    return Checkout(
        checkout_id=answer.checkout_id,
        state=answer.state,
        total_minor=answer.total_minor,
        currency=answer.currency,
        order_id=answer.order_id,
        order_secret=order_secret(parts.people.sealing, answer.order_id) if answer.order_id else None,
        challenge_url=answer.challenge_url,
        reason=answer.reason,
    )

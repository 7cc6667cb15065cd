"""The checkout on one page: who buys, where it goes, how it is sent and paid; the bank's page and back; the thanks."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from babel import Locale
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct, structs

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError, StockExhaustedError
from entrepot.base.register import Register
from entrepot.commerce.aftersale.query import timeline
from entrepot.commerce.cart import rules
from entrepot.commerce.cart.commands import Kept
from entrepot.commerce.cart.state import Address, Cart, Contact
from entrepot.commerce.checkout.carted import look, methods
from entrepot.commerce.checkout.completing import Choice, complete
from entrepot.commerce.checkout.held import CheckoutAnswer, PaymentChoice
from entrepot.commerce.checkout.saga_rules import CheckoutExpiredError, PaymentDeclinedError, PriceChangedError, checked
from entrepot.commerce.fulfilment.query import shipments_of
from entrepot.commerce.ordering import query as ordering
from entrepot.console.cards import cards_of, why_declined
from entrepot.console.cart import titles_in
from entrepot.console.forms import Form, key_of, text
from entrepot.console.language import locale_of
from entrepot.console.moments import parcels, shown
from entrepot.console.render import LOCALE, page
from entrepot.console.store import place
from entrepot.console.visitor import CART, CHECKOUT, cart_of, forget, id_in, pieces, remember_checkout

BACK = "/checkout/back"
UNKNOWN_STATUS = 500


class Draft(Struct, frozen=True, kw_only=True):
    """What stands in the form, as it was typed."""

    email: str = ""
    name: str = ""
    phone: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    postcode: str = ""
    region: str = ""
    country: str = ""
    method: str = ""
    token: str = ""
    keep: str = ""

    def contact(self) -> Contact:
        """Return who buys and where it goes."""
        address = Address(
            line1=self.line1, line2=self.line2, city=self.city, postcode=self.postcode, region=self.region, country=self.country
        )
        return Contact(email=self.email, name=self.name, phone=self.phone, address=address)


class Wrong(Struct, frozen=True, kw_only=True):
    """What stands in the way: where on the page it is said (a field, payment, stock, total, page), and in which sentences."""

    at: str = ""
    sentence: str = ""
    status: int = 200
    key: str = ""


NOTHING_WRONG = Wrong()


@get("/checkout", include_in_schema=False, opt={"permission": "checkout.buy"})
async def show_checkout(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], declined: FromQuery[str] = ""
) -> Response[Any]:
    """Show the checkout of the visitor's cart; ``declined`` says why the bank's page led to nothing."""
    kept = await cart_of(parts, request)
    if kept is None or not kept.cart.lines.dots:
        return Redirect("/cart", status_code=303)
    wrong = Wrong(at="payment", sentence=why_declined(declined)) if declined else NOTHING_WRONG
    return await _checkout_page(request, parts, kept, _kept_draft(kept.cart), wrong)


@post("/checkout", include_in_schema=False, opt={"permission": "checkout.buy"})
async def check_out(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Order what is in the cart, or say on the page why not; ``do=update`` only prices it for what stands in the form."""
    kept = await cart_of(parts, request)
    if kept is None or not kept.cart.lines.dots:
        return Redirect("/cart", status_code=303)
    draft = Draft(**{name: text(data, name) for name in Draft.__struct_fields__})
    if text(data, "do") == "update":
        return await _checkout_page(request, parts, kept, draft, NOTHING_WRONG)
    try:
        kept = await _filled_in(parts, kept, draft)
        answer = await _order(request, parts, kept, draft, data)
    except EntrepotError as error:
        return await _checkout_page(request, parts, kept, draft, _what_is_wrong(error, text(data, "key")))
    return _gone_on(request, answer)


@get("/checkout/bank", include_in_schema=False, opt={"permission": "checkout.buy"})
async def bank(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Show the way to the bank's page, where the buyer proves who they are; a checkout that has ended says how."""
    checkout_id = id_in(request, CHECKOUT)
    if checkout_id is None:
        return Redirect("/checkout", status_code=303)
    answer = await parts.checkouts.read(checkout_id)
    if answer.state not in {"challenged", "authorizing"}:
        return _ended(request, answer)
    return page("bank.html", "store", {"answer": answer, "here": await place(parts, "")}, pieces=await pieces(parts, request))


@get(BACK, include_in_schema=False, opt={"permission": "checkout.buy"})
async def back(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Take in a buyer who comes back from the bank's page: ask the gateway how it went, and go on."""
    checkout_id = id_in(request, CHECKOUT)
    if checkout_id is None:
        return Redirect("/checkout", status_code=303)
    return _ended(request, await parts.checkouts.resume(checkout_id))


@get("/thanks/{order_id:uuid}", include_in_schema=False, opt={"permission": "orders.read"})
async def thanks(request: Request[Any, Any, Any], parts: NamedDependency[Parts], order_id: FromPath[UUID]) -> Response[str]:
    """Show a buyer the order with what has happened to it so far: no name, no address, since an address can be shared."""
    async with parts.record.reading() as connection:
        found = await ordering.order(connection, parts.cell, order_id)
        moments = await timeline(connection, parts.cell, order_id)
        shipments = await shipments_of(connection, parts.cell, order_id)
    if found is None:
        raise NotFoundError(f"There is no order {order_id}.", order_id=str(order_id))
    context = {
        "order": found,
        "moments": [shown(moment, found.currency) for moment in moments if moment.about != "dispute"],
        "parcels": parcels(shipments, {line.sku: line.title for line in found.lines if line.title}),
        "here": await place(parts, found.market),
    }
    return page("thanks.html", "store", context, pieces=await pieces(parts, request))


HANDLERS = [show_checkout, check_out, bank, back, thanks]


@lru_cache(maxsize=1)
def countries() -> Sequence[tuple[str, str]]:
    """Return every country's code and name, by name."""
    named: Mapping[str, str] = Locale.parse(LOCALE).territories
    places = [(code, name) for code, name in named.items() if len(code) == 2 and code.isalpha()]  # noqa: PLR2004  # alpha-2
    return sorted((one for one in places if one[0] not in {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}), key=lambda one: one[1])


def _kept_draft(cart: Cart) -> Draft:
    method = cart.shipping_method.value or ""
    contact = cart.contact.value
    if contact is None:
        return Draft(country=cart.country.value, method=method)
    address = structs.asdict(contact.address)
    return Draft(email=contact.email, name=contact.name, phone=contact.phone, method=method, **address)


def _as_typed(cart: Cart, draft: Draft) -> Cart:
    """Return the cart as it would be with what stands in the form: to be priced, never to be kept."""
    return structs.replace(cart, contact=Register(draft.contact()), shipping_method=Register(draft.method or None))


async def _filled_in(parts: Parts, kept: Kept, draft: Draft) -> Kept:
    """Keep in the cart who buys, where it goes and how it is sent: by the method chosen, or the first that goes there."""
    contact = draft.contact()
    rules.check_contact(contact)
    kept = await parts.carts.change(kept, lambda cart, write: rules.deliver_to(cart, contact, write))
    codes = [one.method for one in await methods(parts.record, parts.cell, parts.quoting, kept.cart)]
    if not codes:
        return kept
    method = draft.method if draft.method in codes else codes[0]
    return await parts.carts.change(kept, lambda cart, write: rules.ship_by(cart, method, codes, write))


async def _order(
    request: Request[Any, Any, Any], parts: Parts, kept: Kept, draft: Draft, data: dict[str, str]
) -> CheckoutAnswer:
    shown_total = text(data, "total")
    if not shown_total.isdecimal():
        raise BadInputError("The page did not say what it costs: look at it again.", field="total")
    if shown_total == "0":
        payment = PaymentChoice(kind="none")
    elif not draft.token:
        raise BadInputError("Choose a card to pay with.", field="payment")
    else:
        bank_back = str(request.base_url).rstrip("/") + BACK
        payment = PaymentChoice(kind="card", token=draft.token, keep=bool(draft.keep), return_url=bank_back)
    choice = Choice(payment=payment, expected_total_minor=int(shown_total))
    return checked(await complete(parts.checkouts, parts.carts, key_of(data, parts), kept.id, choice))


def _what_is_wrong(error: EntrepotError, key: str) -> Wrong:
    """Return where on the page it is said. While the outcome is not known the key stays, so that nothing is paid twice."""
    if isinstance(error, PaymentDeclinedError):
        return Wrong(at="payment", sentence=why_declined(str(error.facts["reason"])), status=error.status)
    if isinstance(error, CheckoutExpiredError):
        return Wrong(at="payment", sentence=why_declined("expired"), status=error.status)
    if isinstance(error, StockExhaustedError):
        return Wrong(at="stock", sentence=str(error), status=error.status)
    if isinstance(error, PriceChangedError):
        return Wrong(at="total", sentence=str(error), status=error.status)
    if error.status >= UNKNOWN_STATUS:
        return Wrong(at="unknown", sentence=str(error), status=error.status, key=key)
    field = str(error.facts.get("field", "country" if "country" in error.facts else "page"))
    known = field in Draft.__struct_fields__ or field == "payment"
    return Wrong(at=field if known else "page", sentence=str(error), status=error.status)


def _gone_on(request: Request[Any, Any, Any], answer: CheckoutAnswer) -> Redirect:
    if answer.order_id is not None:
        return _ended(request, answer)
    return Redirect("/checkout/bank", status_code=303, cookies=[remember_checkout(request, answer.checkout_id)])


def _ended(request: Request[Any, Any, Any], answer: CheckoutAnswer) -> Redirect:
    if answer.order_id is not None:
        cookies = [forget(request, CART), forget(request, CHECKOUT)]
        return Redirect(f"/thanks/{answer.order_id}?placed=yes", status_code=303, cookies=cookies)
    if answer.state in {"challenged", "authorizing"}:
        return Redirect("/checkout/bank", status_code=303)
    reason = (answer.reason if answer.state == "declined" else "") or "expired"
    return Redirect(f"/checkout?declined={reason}", status_code=303, cookies=[forget(request, CHECKOUT)])


async def _checkout_page(
    request: Request[Any, Any, Any], parts: Parts, kept: Kept, draft: Draft, wrong: Wrong
) -> Response[str]:
    cart = _as_typed(kept.cart, draft)
    async with parts.record.committing() as connection:
        view = await look(connection, parts.cell, parts.quoting, kept.id, cart)
        if view.obstacle and cart.shipping_method.value:  # the method that was chosen may not go where it now shall go
            cart = structs.replace(cart, shipping_method=Register(None))
            view = await look(connection, parts.cell, parts.quoting, kept.id, cart)
    offered = [] if view.obstacle else await methods(parts.record, parts.cell, parts.quoting, cart)
    chosen = next((one.method for one in offered if one.method == cart.shipping_method.value), "")
    context = {
        "here": await place(parts, view.market),
        "view": view,
        "titles": await titles_in(parts, view, locale_of(request)),
        "draft": draft,
        "countries": countries(),
        "offered": offered,
        "chosen": chosen or (offered[0].method if offered else ""),
        "cards": cards_of(parts.gateway.name),
        "wrong": wrong,
        "key": wrong.key or parts.record.ids.fresh(),
    }
    return page("checkout.html", "store", context, status=wrong.status, pieces=view.pieces)

"""Prices: lists beside a market's own, rates between currencies, and what a cart costs and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct, field

from entrepot.access.errors import ForbiddenError
from entrepot.access.policies import grants
from entrepot.api.catalogue import Done, done
from entrepot.api.headers import OptionalKey, moved
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.api.principal import principal_of
from entrepot.base.time import utc
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.checkout.quote import Explained, QuoteRequest, Shipping
from entrepot.commerce.checkout.requests import ChargeRequest
from entrepot.commerce.ordering.events import Delivery, TaxLine
from entrepot.commerce.pricing import commands as pricing
from entrepot.commerce.pricing import query
from entrepot.commerce.pricing.events import PriceListSaved, RateSet, Tier
from entrepot.record.cause import about
from entrepot.record.transaction import Transaction


class PriceListDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price list: for a market, and if given for a channel, a customer group or a company; the lowest rank is asked first."""

    title: str
    market: str
    currency: str
    rank: int
    valid_from: datetime
    valid_until: datetime | None = None
    channel: str = ""
    customer_group: str = ""
    company_id: UUID | None = None
    active: bool = True


class ListPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an article costs in a list a piece, from so many pieces on; without tiers it is no longer in the list."""

    sku: str
    tiers: list[Tier]


class ListPricesDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of a list; articles not named keep theirs."""

    prices: list[ListPrice]


class RateDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many units of ``quote`` one unit of ``base`` is worth from a moment on, as a decimal number in text."""

    base: str
    quote: str
    rate: str
    valid_from: datetime
    source: str


class RatesDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates; those of other pairs and moments stay."""

    rates: list[RateDraft]


class CustomerGroups(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which groups a customer is of: what is for one of them holds for this customer; an empty list takes them out of all."""

    groups: list[str]


class PriceListPage(Struct, frozen=True, kw_only=True):
    """Price lists by their codes; ``after`` leads to the next page, empty says the end."""

    items: list[PriceListSaved]
    after: str


class RatePage(Struct, frozen=True, kw_only=True):
    """Rates by their currencies."""

    items: list[RateSet]


After = Annotated[str, QueryParameter(description="The code of the last item of the page before.")]


class PricedArticle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article and how many of it."""

    sku: str
    quantity: int


class PricesWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be priced, for whom, and where it goes; only to be looked at: an order is priced anew when it is placed."""

    market: str
    country: str
    lines: list[PricedArticle]
    region: str = ""
    postcode: str = ""
    currency: str | None = None
    coupons: list[str] = field(default_factory=list)
    shipping_method: str | None = None
    channel: str = "store"
    customer_id: UUID | None = None
    customer_groups: list[str] = field(default_factory=list)
    company_id: UUID | None = None
    vat_id: str | None = None
    at: datetime | None = None


class PricedLine(Struct, frozen=True, kw_only=True):
    """What one line costs. ``list_minor`` is a piece before promotions; ``tax_minor`` the tax that the amount includes."""

    line: int
    sku: str
    quantity: int
    delivery: Delivery
    list_minor: int
    discount_minor: int
    amount_minor: int
    tax_minor: int


class PricedCart(Struct, frozen=True, kw_only=True):
    """What it costs, and why: the steps of ``explained`` sum to the total."""

    market: str
    country: str
    currency: str
    at: datetime
    lines: Sequence[PricedLine]
    charges: Sequence[ChargeRequest]
    taxes: Sequence[TaxLine]
    shipping: Shipping
    goods_minor: int
    charges_minor: int
    tax_minor: int
    total_minor: int
    explained: Sequence[Explained]


@post(
    "/v1/prices", tags=["Prices"], summary="What a cart costs, and why", status_code=200, opt={"permission": "catalogue.read"}
)
async def read_prices(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[PricesWanted]
) -> Response[PricedCart]:
    """Price articles for a buyer and an address, with promotions, postage and tax, each step explained.

    A customer's own groups count by themselves; ``customer_groups`` are for who may see price lists.
    """
    if data.customer_groups and not grants(principal_of(request), "pricing.read"):
        raise ForbiddenError("pricing.read")
    asked = msgspec.structs.replace(msgspec.convert(data, QuoteRequest, from_attributes=True), estimate=True)
    async with parts.record.committing() as connection:
        quote = await parts.quoting.quote(connection, parts.cell, asked)
    return Response(msgspec.convert(quote, PricedCart, from_attributes=True), headers={"Cache-Control": "no-store"})


@put("/v1/price-lists/{code:str}", tags=["Prices"], summary="Make a price list", opt={"permission": "pricing.write"})
async def save_price_list(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[PriceListDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a price list what the body says; of two lists for the same buyers and time each needs a rank of its own."""
    wanted = PriceListSaved(code=code, **{name: getattr(data, name) for name in data.__struct_fields__})

    async def act(tx: Transaction) -> Done:
        return done(await pricing.save_price_list(tx, wanted))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, wanted))


@put("/v1/price-lists/{code:str}/prices", tags=["Prices"], summary="Set prices in a list", opt={"permission": "pricing.write"})
async def set_list_prices(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[ListPricesDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Set what articles cost in a list, by quantity."""

    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [price.sku for price in data.prices])
        tiers = {known[price.sku].variant_id: price.tiers for price in data.prices}
        return done(await pricing.set_list_prices(tx, code, tiers))

    answer = await parts.run(act, Done, idempotency_key, data)
    return Response(answer, headers=moved(answer.position))


@put("/v1/rates", tags=["Prices"], summary="Set rates between currencies", opt={"permission": "pricing.write"})
async def set_rates(parts: NamedDependency[Parts], data: JSONBody[RatesDraft], idempotency_key: OptionalKey) -> Response[Done]:
    """Set what currencies are worth in each other, each from its moment on; conversion takes the last one before its time."""
    rates = [RateSet(**{name: getattr(rate, name) for name in rate.__struct_fields__}) for rate in data.rates]

    async def act(tx: Transaction) -> Done:
        return done(await pricing.set_rates(tx, rates))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, data))


@get("/v1/price-lists", tags=["Prices"], summary="List price lists", opt={"permission": "pricing.read"})
async def list_price_lists(parts: NamedDependency[Parts], after: After = "", limit: Limit = 20) -> Response[PriceListPage]:
    """List price lists, over ones included, by their codes."""
    async with parts.record.committing() as connection:
        items = await query.price_lists(connection, after, limit)
    page = PriceListPage(items=items, after=items[-1].code if len(items) == limit else "")
    return Response(page, headers={"Cache-Control": "no-store"})


@get("/v1/rates", tags=["Prices"], summary="The rates that hold now", opt={"permission": "pricing.read"})
async def read_rates(parts: NamedDependency[Parts]) -> Response[RatePage]:
    """Read the last rate of each pair of currencies."""
    async with parts.record.committing() as connection:
        items = await query.latest_rates(connection, utc(parts.clock.millis()))
    return Response(RatePage(items=items), headers={"Cache-Control": "no-store"})


@put(
    "/v1/customers/{customer_id:uuid}/groups",
    tags=["Prices"],
    summary="Say which groups a customer is of",
    opt={"permission": "pricing.write"},
)
async def group_customer(
    parts: NamedDependency[Parts], customer_id: FromPath[UUID], data: JSONBody[CustomerGroups], idempotency_key: OptionalKey
) -> Response[Done]:
    """Say for which groups' price lists and promotions a customer buys, from now on."""

    async def act(tx: Transaction) -> Done:
        return done(await pricing.group_customer(tx, customer_id, data.groups))

    about(customer_id)
    sent = msgspec.json.encode((customer_id, data.groups))
    return change_terms(parts, await parts.run(act, Done, idempotency_key, sent))


@get(
    "/v1/customers/{customer_id:uuid}/groups",
    tags=["Prices"],
    summary="Which groups a customer is of",
    opt={"permission": "pricing.read"},
)
async def read_groups(parts: NamedDependency[Parts], customer_id: FromPath[UUID]) -> Response[CustomerGroups]:
    """Read for which groups' price lists and promotions a customer buys."""
    about(customer_id)
    async with parts.record.committing() as connection:
        groups = await query.customer_groups(connection, customer_id)
    return Response(CustomerGroups(groups=groups), headers={"Cache-Control": "no-store"})


HANDLERS = [
    read_prices,
    save_price_list,
    set_list_prices,
    set_rates,
    group_customer,
    read_groups,
    list_price_lists,
    read_rates,
]


def change_terms(parts: Parts, answer: Done) -> Response[Done]:
    """Answer a change of the terms of selling; this process quotes by it at once, the others within a second."""
    parts.quoting.forget(parts.cell)
    return Response(answer, headers=moved(answer.position))

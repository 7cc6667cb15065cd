"""What can have happened to prices. Key: ``product/<id>``, so that a product and its prices arrive in one order.

Markets, lists and rates have keys of their own: ``market/<code>``, ``price-list/<code>``, ``list-price/<code>/<variant id>``
and ``rate/<base>/<quote>/<moment>``; so have the groups of a customer: ``customer-groups/<customer id>``.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

PRICES_SET = "pricing.prices_set.v1"
PRICE_LIST_SAVED = "pricing.price_list_saved.v1"
LIST_PRICE_SET = "pricing.list_price_set.v1"
RATE_SET = "pricing.rate_set.v1"
MARKET_SAVED = "pricing.market_saved.v1"
CUSTOMER_GROUPED = "pricing.customer_grouped.v1"


class Price(Struct, frozen=True, kw_only=True):
    """What one variant costs in one market, in minor units of the currency."""

    variant_id: UUID
    market: str
    currency: str
    amount_minor: int


class MarketSaved(Struct, frozen=True, kw_only=True):
    """A market as it now is. Without a country it is taxed nowhere; ``currencies`` are those it sells in beside its own."""

    code: str
    currency: str
    country: str
    prices_include_tax: bool
    currencies: list[str]


class PricesSet(Struct, frozen=True, kw_only=True):
    """All the prices of a product as they now are. The event's version counts price changes, not product changes."""

    product_id: UUID
    prices: list[Price]


class PriceListSaved(Struct, frozen=True, kw_only=True):
    """A price list as it now is. An empty channel or group, no company, no end: any, all, for good. The lowest rank wins."""

    code: str
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


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a piece costs when at least so many are bought."""

    from_quantity: int
    amount_minor: int


class ListPriceSet(Struct, frozen=True, kw_only=True):
    """What a variant costs in a list, by quantity, ascending; without tiers the list no longer has it."""

    list: str
    variant_id: UUID
    tiers: Sequence[Tier]


class RateSet(Struct, frozen=True, kw_only=True):
    """How many units of ``quote`` one unit of ``base`` is worth, from a moment on; the rate is a decimal number as text."""

    base: str
    quote: str
    rate: str
    valid_from: datetime
    source: str


class CustomerGrouped(Struct, frozen=True, kw_only=True):
    """Which groups a customer is of now: price lists and promotions that are for one of them hold for this customer."""

    customer_id: UUID
    customer_groups: list[str]

"""What can have happened to prices. Key: ``product/<id>``, so that a product and its prices arrive in one order."""

from uuid import UUID

from msgspec import Struct

PRICES_SET = "pricing.prices_set.v1"


class Price(Struct, frozen=True, kw_only=True):
    """What one variant costs in one market, in minor units of the currency."""

    variant_id: UUID
    market: str
    currency: str
    amount_minor: int


class PricesSet(Struct, frozen=True, kw_only=True):
    """All the prices of a product as they now are. The event's version counts price changes, not product changes."""

    product_id: UUID
    prices: list[Price]

"""What a quote is decided from: what was looked up, whose quote it is, and what stands before its tax is known. Values only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.money import Currency
from entrepot.commerce.checkout.quote import QuoteRequest, Shipping, WantedLine
from entrepot.commerce.checkout.terms import Terms
from entrepot.commerce.ordering.events import Delivery
from entrepot.commerce.pricing.events import Tier
from entrepot.commerce.pricing.rules import Market, PriceList
from entrepot.commerce.promotion.rules import Audience, Coupon, Settled, Use
from entrepot.commerce.tax.rules import without
from entrepot.partners.tax.port import TaxQuestion, Treatment


class Offer(Struct, frozen=True, kw_only=True):
    """A SKU as it is offered in a market: how it is sold, and its price there."""

    sku: str
    variant_id: UUID
    product_id: UUID
    category_id: UUID | None
    offered: bool
    seller_id: UUID | None
    tax_class: str
    weight_grams: int
    delivery: Delivery
    commission_permille: int
    amount_minor: int | None


class Setting(Struct, frozen=True, kw_only=True):
    """Whose quote it is: the market, the currency, the lists that hold, on what ground it is taxed."""

    request: QuoteRequest
    terms: Terms
    market: Market
    currency: Currency
    lists: Sequence[PriceList]
    audience: Audience
    treatment: Treatment
    at: datetime

    def convert(self, minor: int, of: str) -> int:
        """Return an amount of the terms in the quote's currency."""
        return minor if of == self.currency else self.terms.rates.convert(minor, of, self.currency, self.at)

    def net(self, minor: int, tax_class: str = "standard") -> int:
        """Return a price without the tax that it includes, when none is due."""
        return without(minor, self.treatment, tax_class) if self.market.prices_include_tax else minor


class Read(Struct, frozen=True, kw_only=True):
    """What was looked up for one cart; ``prices`` are those of variants in lists, ``uses`` since when limits are reached."""

    offers: Mapping[str, Offer]
    prices: Mapping[UUID, Mapping[str, Sequence[Tier]]] = {}
    coupons: Mapping[str, Coupon] = {}
    used: Mapping[str, int] = {}
    uses: Sequence[Use] = ()


class PricedLine(Struct, frozen=True):
    """A line with the price of a piece before promotions, and why it is that."""

    wanted: WantedLine
    offer: Offer
    unit_minor: int
    why: str


class Prepared(Struct, frozen=True, kw_only=True):
    """A quote but for its tax, and the question that an engine must answer."""

    setting: Setting
    lines: Sequence[PricedLine]
    off: Sequence[int]
    settled: Settled
    shipping: Shipping
    postage_minor: int
    question: TaxQuestion

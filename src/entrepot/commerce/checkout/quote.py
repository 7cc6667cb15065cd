"""The quote: what is asked, what it costs, and why. Values only; ``price.py`` decides, ``quoting.py`` reads what that needs.

Amounts are whole minor units of the quote's currency. What always holds: a line's ``amount_minor`` is
``list_minor * quantity - discount_minor``; goods and charges make the total; the steps of ``explained`` make it too.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.requests import ChargeRequest
from entrepot.commerce.ordering.events import Delivery, TaxLine
from entrepot.commerce.shipping.rules import Offered


class WantedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article and how many of it. ``agreed_unit_minor`` is for the business alone (an accepted offer), never a shopper's."""

    sku: str
    quantity: int
    agreed_unit_minor: int | None = None
    note: str = ""


class QuoteRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be priced, for whom, and where it goes.

    Without a currency it is the market's; without a shipping method the cheapest that goes there; without ``at`` it is now
    (lists and promotions are known for a month back).
    An ``estimate`` may leave out what only the tax depends on; the tax is then told once it is known.
    """

    market: str
    country: str
    lines: list[WantedLine]
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
    estimate: bool = False


class QuotedLine(Struct, frozen=True, kw_only=True):
    """What one line costs. ``list_minor`` is one piece before promotions; ``tax_minor`` is the tax that the amount includes."""

    line: int
    sku: str
    product_id: UUID
    variant_id: UUID
    category_id: UUID | None
    seller_id: UUID | None
    delivery: Delivery
    weight_grams: int
    quantity: int
    list_minor: int
    discount_minor: int
    amount_minor: int
    tax_minor: int
    commission_permille: int
    tax_class: str = "standard"
    note: str = ""


class Explained(Struct, frozen=True, kw_only=True):
    """One step of "why this price": what it is about, a sentence, and what it adds (or takes off). All steps make the total."""

    about: str
    sentence: str
    amount_minor: int


class Shipping(Struct, frozen=True, kw_only=True):
    """How it gets there: the method chosen (None when nothing needs shipping) and every one that was possible."""

    chosen: Offered | None
    offered: Sequence[Offered]


class Quote(Struct, frozen=True, kw_only=True):
    """What a cart costs at one moment, with every reason; ``claims`` are the limits that placing it will use."""

    market: str
    country: str
    currency: str
    lines: Sequence[QuotedLine]
    charges: Sequence[ChargeRequest]
    taxes: Sequence[TaxLine]
    claims: Sequence[Claim]
    shipping: Shipping
    goods_minor: int
    charges_minor: int
    tax_minor: int
    total_minor: int
    explained: Sequence[Explained]
    at: datetime

"""What can have happened to promotions and coupons. Keys: ``promotion/<code>`` and ``coupon/<code>``."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

PROMOTION_SAVED = "promotion.promotion_saved.v1"
COUPON_SAVED = "promotion.coupon_saved.v1"

Stacking = Literal["exclusive", "best", "stack"]


class Percentage(Struct, frozen=True, kw_only=True, tag="percentage", tag_field="kind", forbid_unknown_fields=True):
    """So many hundredths of a percent off (1000 is 10%)."""

    basis_points: int


class Amount(Struct, frozen=True, kw_only=True, tag="amount", tag_field="kind", forbid_unknown_fields=True):
    """So much off the goods together, or off each piece."""

    amount_minor: int
    each: bool = False


class BuyGet(Struct, frozen=True, kw_only=True, tag="buy_get", tag_field="kind", forbid_unknown_fields=True):
    """Of every ``buy`` + ``get`` pieces the ``get`` cheapest cost that much less (10000: nothing), so many times at most."""

    buy: int
    get: int
    basis_points: int = 10_000
    times_max: int | None = None


class FreeShipping(Struct, frozen=True, kw_only=True, tag="free_shipping", tag_field="kind", forbid_unknown_fields=True):
    """Postage is free, by any method or these, up to an amount."""

    methods: list[str] = []
    up_to_minor: int | None = None


class Bundle(Struct, frozen=True, kw_only=True, tag="bundle", tag_field="kind", forbid_unknown_fields=True):
    """These articles, so many of each, together cost this."""

    pieces: dict[str, int]
    price_minor: int


Effect = Percentage | Amount | BuyGet | FreeShipping | Bundle


class PromotionSaved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A promotion as it now is. Empty lists mean any; amounts are in ``currency``.

    ``stacking``: ``exclusive`` goes with no other; ``best`` is the one of its ``group`` that takes off most; ``stack`` takes
    off what the ones of lower rank have left.
    """

    code: str
    title: str
    effect: Effect
    currency: str
    stacking: Stacking = "stack"
    group: str = ""
    rank: int = 100
    needs_coupon: bool = False
    markets: list[str] = []
    channels: list[str] = []
    customer_groups: list[str] = []
    skus: list[str] = []
    product_ids: list[UUID] = []
    category_ids: list[UUID] = []
    minimum_minor: int = 0
    minimum_quantity: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    active: bool = True
    most: int | None = None
    most_per_customer: int | None = None


class CouponSaved(Struct, frozen=True, kw_only=True):
    """A coupon as it now is: the promotion that it opens, and how often, in all and by one customer."""

    code: str
    promotion: str
    most: int | None = None
    most_per_customer: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    customer_id: UUID | None = None
    active: bool = True

"""Promotions and the coupons that open them."""

from datetime import datetime
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import OptionalKey
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.api.pricing import After, change_terms
from entrepot.base.errors import NotFoundError
from entrepot.commerce.checkout.quoting import coupon_used
from entrepot.commerce.promotion import commands as promotion
from entrepot.commerce.promotion import query
from entrepot.commerce.promotion.events import CouponSaved, Effect, PromotionSaved, Stacking
from entrepot.record.transaction import Transaction


class PromotionDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A promotion. Empty lists mean any; amounts are in minor units of ``currency``, and converted for quotes in others."""

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


class PromotionPage(Struct, frozen=True, kw_only=True):
    """Promotions by their codes; ``after`` leads to the next page, empty says the end."""

    items: list[PromotionSaved]
    after: str


class CouponDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A coupon: the promotion it opens, and how often, in all (``most``) and by one customer."""

    promotion: str
    most: int | None = None
    most_per_customer: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    customer_id: UUID | None = None
    active: bool = True


class CouponState(Struct, frozen=True, kw_only=True):
    """A coupon as it stands, and how often it was used; counted only when it is limited."""

    coupon: CouponSaved
    used: int


@put(
    "/v1/promotions/{code:str}",
    tags=["Promotions"],
    summary="Make or change a promotion",
    opt={"permission": "promotions.write"},
)
async def save_promotion(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[PromotionDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a promotion what the body says."""
    wanted = PromotionSaved(code=code, **{name: getattr(data, name) for name in data.__struct_fields__})

    async def act(tx: Transaction) -> Done:
        return done(await promotion.save_promotion(tx, wanted))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, wanted))


@get("/v1/promotions", tags=["Promotions"], summary="List promotions", opt={"permission": "promotions.read"})
async def list_promotions(parts: NamedDependency[Parts], after: After = "", limit: Limit = 20) -> Response[PromotionPage]:
    """List promotions, over ones included, by their codes."""
    async with parts.record.committing() as connection:
        items = await query.promotions(connection, after, limit)
    page = PromotionPage(items=items, after=items[-1].code if len(items) == limit else "")
    return Response(page, headers={"Cache-Control": "no-store"})


@put("/v1/coupons/{code:str}", tags=["Promotions"], summary="Make or change a coupon", opt={"permission": "promotions.write"})
async def save_coupon(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[CouponDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a coupon what the body says; its limits hold however many try at once."""
    wanted = CouponSaved(code=code, **{name: getattr(data, name) for name in data.__struct_fields__})

    async def act(tx: Transaction) -> Done:
        return done(await promotion.save_coupon(tx, wanted))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, wanted))


@get(
    "/v1/coupons/{code:str}",
    tags=["Promotions"],
    summary="A coupon, and how often it was used",
    opt={"permission": "promotions.read"},
)
async def read_coupon(parts: NamedDependency[Parts], code: FromPath[str]) -> Response[CouponState]:
    """Read a coupon from the truth."""
    async with parts.record.committing() as connection:
        found = await query.coupon(connection, code)
        if found is None:
            raise NotFoundError(f"There is no coupon {code!r}: check its code, in capitals.", coupon=code)
        used = await coupon_used(connection, parts.cell, code)
    return Response(CouponState(coupon=found, used=used), headers={"Cache-Control": "no-store"})


HANDLERS = [save_promotion, list_promotions, save_coupon, read_coupon]

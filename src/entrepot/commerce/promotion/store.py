"""The queries of promotions, typed; nothing else."""

from datetime import datetime

import msgspec

from entrepot.commerce.promotion.events import CouponSaved, PromotionSaved
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put_promotion(connection: Connection, wanted: PromotionSaved, at: datetime) -> int:
    """Write a promotion and return its version."""
    definition = msgspec.json.encode(wanted).decode()
    version: int = await connection.fetchval(SQL["put_promotion"], wanted.code, definition, wanted.active, wanted.ends_at, at)
    return version


async def promotion(connection: Connection, code: str) -> PromotionSaved | None:
    """Return a promotion, or None."""
    found: str | None = await connection.fetchval(SQL["promotion"], code)
    return None if found is None else msgspec.json.decode(found, type=PromotionSaved)


async def promotions(connection: Connection, after: str, limit: int) -> list[PromotionSaved]:
    """Return promotions in the order of their codes."""
    rows = await connection.fetch(SQL["promotions"], after, limit)
    return [msgspec.json.decode(row["definition"], type=PromotionSaved) for row in rows]


async def put_coupon(connection: Connection, wanted: CouponSaved) -> int:
    """Write a coupon and return its version."""
    version: int = await connection.fetchval(
        SQL["put_coupon"], wanted.code, wanted.promotion, wanted.most, wanted.most_per_customer, wanted.starts_at,
        wanted.ends_at, wanted.customer_id, wanted.active,
    )  # fmt: skip
    return version


async def coupon(connection: Connection, code: str) -> CouponSaved | None:
    """Return a coupon, or None."""
    row = await connection.fetchrow(SQL["coupon"], code)
    return None if row is None else CouponSaved(**dict(row))


async def coupons(connection: Connection, after: str, limit: int) -> list[CouponSaved]:
    """Return coupons in the order of their codes."""
    return [CouponSaved(**dict(row)) for row in await connection.fetch(SQL["coupons"], after, limit)]

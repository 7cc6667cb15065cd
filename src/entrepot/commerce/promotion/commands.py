"""The commands of promotions: make one what it shall be, and open it by a coupon."""

from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.promotion import rules, store
from entrepot.commerce.promotion.events import COUPON_SAVED, PROMOTION_SAVED, CouponSaved, PromotionSaved
from entrepot.record.transaction import Fact, Transaction


async def save_promotion(tx: Transaction, wanted: PromotionSaved) -> Token | None:
    """Make a promotion what is wanted; returns the position, or None when it was so already."""
    rules.check_promotion(wanted)
    if await store.promotion(tx.connection, wanted.code) == wanted:
        return None
    version = await store.put_promotion(tx.connection, wanted, utc(stamp_millis(tx.clock.tick())))
    return await tx.append([Fact(PROMOTION_SAVED, f"promotion/{wanted.code}", version, wanted)])


async def save_coupon(tx: Transaction, wanted: CouponSaved) -> Token | None:
    """Make a coupon what is wanted; returns the position, or None when it was so already.

    A limit may be raised or lowered: what has been used stays used, and below that nothing more can be.
    """
    rules.check_coupon(wanted, await store.promotion(tx.connection, wanted.promotion))
    if await store.coupon(tx.connection, wanted.code) == wanted:
        return None
    version = await store.put_coupon(tx.connection, wanted)
    return await tx.append([Fact(COUPON_SAVED, f"coupon/{wanted.code}", version, wanted)])

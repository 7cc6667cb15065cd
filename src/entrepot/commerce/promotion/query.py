"""What other rooms ask of promotions, from the truth; reads only."""

from entrepot.commerce.promotion.store import coupon, coupons, promotion, promotions

__all__ = ["coupon", "coupons", "promotion", "promotions"]

"""The change log of financial terms: a reaction keeps every change of what decides about money, by whom it was and when."""

from typing import Final

from entrepot.commerce.approval.commands import note_changes
from entrepot.commerce.approval.events import LIMIT_SET
from entrepot.commerce.catalog.events import SELLING_TERMS_SET
from entrepot.commerce.marketplace.events import SELLER_CHANGED
from entrepot.commerce.pricing.events import LIST_PRICE_SET, MARKET_SAVED, PRICE_LIST_SAVED, RATE_SET
from entrepot.commerce.promotion.events import COUPON_SAVED, PROMOTION_SAVED
from entrepot.commerce.shipping.events import METHOD_SAVED, ZONE_SAVED
from entrepot.commerce.subscription.events import PLAN_SAVED
from entrepot.jobs.reaction import Reaction

# Not the prices of single products, of which there are as many as products: they are in the log, under ``product/<id>``.
FINANCIAL: Final = frozenset({
    MARKET_SAVED, PRICE_LIST_SAVED, LIST_PRICE_SET, RATE_SET, PROMOTION_SAVED, COUPON_SAVED, METHOD_SAVED, ZONE_SAVED,
    PLAN_SAVED, SELLING_TERMS_SET, SELLER_CHANGED, LIMIT_SET,
})  # fmt: skip

FINANCIAL_CHANGES = Reaction(name="financial_changes", kinds=FINANCIAL, react=note_changes, from_start=True)

"""Checkout's commands on what is offered: a product and what it costs come and go together.

A withdrawn product has no prices: projections keep nothing of it but versions, and could not say later what it cost.
"""

from collections.abc import Sequence
from uuid import UUID

from entrepot.base.event import Token
from entrepot.commerce.catalog import commands as catalog
from entrepot.commerce.catalog import rules
from entrepot.commerce.catalog.store import products_for_update
from entrepot.commerce.pricing import commands as pricing
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Transaction


async def withdraw_product(tx: Transaction, product_id: UUID) -> Token:
    """Stop offering a product and forget its prices; withdrawing it twice is refused."""
    token = await catalog.withdraw_product(tx, product_id)
    return await pricing.clear_prices(tx, [product_id]) or token


async def set_prices(tx: Transaction, drafts: Sequence[PriceDraft]) -> Token | None:
    """Set prices of products on offer; returns the position, or None when every price was so already."""
    product_ids = list(dict.fromkeys(draft.product_id for draft in drafts))
    rows = await products_for_update(tx.connection, product_ids)
    for product_id in product_ids:
        rules.check_offered(product_id, rows.get(product_id))
    return await pricing.set_prices(tx, drafts)

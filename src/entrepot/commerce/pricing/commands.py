"""The commands of pricing, for many prices at once."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from entrepot.base.event import Token
from entrepot.commerce.pricing import rules, store
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Fact, Transaction


async def save_market(tx: Transaction, code: str, currency: str) -> None:
    """Make a market that sells in a currency; one that exists in another currency is refused."""
    rules.check_market(code, currency)
    await store.put_market(tx.connection, code, currency)
    rules.check_same_currency(code, currency, (await store.markets(tx.connection))[code])


async def set_prices(tx: Transaction, drafts: Sequence[PriceDraft]) -> Token | None:
    """Set prices; returns the position, or None when every price was so already."""
    markets = await store.markets(tx.connection)
    by_product: dict[UUID, list[PriceDraft]] = defaultdict(list)
    for draft in drafts:
        rules.check_price(draft, markets)
        by_product[draft.product_id].append(draft)
    versions = await store.versions_for_update(tx.connection, list(by_product))
    present = await store.prices_of_products(tx.connection, list(by_product))
    changes: dict[UUID, list[Price]] = {}
    for product_id, wanted in by_product.items():
        merged = rules.merge(present.get(product_id, []), wanted)
        if merged is not None:
            changes[product_id] = merged
    if not changes:
        return None
    await store.put_prices(tx.connection, changes)
    return await tx.append(
        [
            Fact(PRICES_SET, f"product/{product_id}", versions[product_id] + 1, PricesSet(product_id=product_id, prices=prices))
            for product_id, prices in changes.items()
        ]
    )


async def clear_prices(tx: Transaction, product_ids: Sequence[UUID]) -> Token | None:
    """Take every price of these products away; returns the position, or None when none had any."""
    versions = await store.versions_for_update(tx.connection, product_ids)
    cleared = await store.clear_prices(tx.connection, product_ids)
    if not cleared:
        return None
    return await tx.append(
        [
            Fact(PRICES_SET, f"product/{product_id}", versions[product_id] + 1, PricesSet(product_id=product_id, prices=[]))
            for product_id in cleared
        ]
    )

"""The commands of pricing, for many prices at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.pricing import rules, store
from entrepot.commerce.pricing.events import (
    CUSTOMER_GROUPED,
    LIST_PRICE_SET,
    MARKET_SAVED,
    PRICE_LIST_SAVED,
    PRICES_SET,
    RATE_SET,
    CustomerGrouped,
    ListPriceSet,
    Price,
    PriceListSaved,
    PricesSet,
    RateSet,
    Tier,
)
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Fact, Transaction


async def save_market(
    tx: Transaction,
    code: str,
    currency: str,
    *,
    country: str | None = None,
    prices_include_tax: bool | None = None,
    currencies: Sequence[str] | None = None,
) -> Token | None:
    """Make a market that sells in a currency; one that exists in another is refused. What is not given stays as it is.

    Returns None when it was so already.
    """
    rules.check_market(code, currency)
    rules.check_terms(country or "", currencies or ())
    new = await store.put_market(tx.connection, code, currency)
    rules.check_same_currency(code, currency, (await store.markets(tx.connection))[code])
    changed = await store.put_market_terms(tx.connection, code, country, prices_include_tax, currencies)
    if not (new or changed):
        return None
    body, version = await store.market(tx.connection, code)
    return await tx.append([Fact(MARKET_SAVED, f"market/{code}", version, body)])


async def save_price_list(tx: Transaction, wanted: PriceListSaved) -> Token | None:
    """Make a price list what is wanted; None when it was so already.

    One that would rank equal with another for the same buyers at the same time is refused. To have prices that depart from
    the market's by more than its limit hold for others, or at other times, takes two people.
    """
    rules.check_list(wanted, await store.markets(tx.connection))
    known = await store.known_price_list(tx.connection, wanted.code)
    for deed in rules.holds_anew(known, wanted, await store.farthest_price(tx.connection, wanted.code)):
        await approvals.need(tx, deed)
    version = await store.put_price_list(tx.connection, wanted, utc(stamp_millis(tx.clock.tick())))
    if version is None:
        return None
    return await tx.append([Fact(PRICE_LIST_SAVED, f"price-list/{wanted.code}", version, wanted)])


async def set_list_prices(tx: Transaction, code: str, tiers: Mapping[UUID, Sequence[Tier]]) -> Token | None:
    """Set what variants cost in a list, by quantity; without tiers a variant is no longer in it."""
    rules.check_known_list(code, await store.price_list_for_update(tx.connection, code))
    wanted = {variant_id: rules.check_tiers(str(variant_id), of_variant) for variant_id, of_variant in tiers.items()}
    market, own = await store.own_prices(tx.connection, code, list(wanted))
    await approvals.need(tx, rules.departs(code, market, own, wanted))
    versions = await store.put_list_prices(tx.connection, code, wanted, utc(stamp_millis(tx.clock.tick())))
    if not versions:
        return None
    return await tx.append(
        [
            Fact(
                LIST_PRICE_SET,
                f"list-price/{code}/{variant_id}",
                version,
                ListPriceSet(list=code, variant_id=variant_id, tiers=wanted[variant_id]),
            )
            for variant_id, version in versions.items()
        ]
    )


async def group_customer(tx: Transaction, customer_id: UUID, groups: Sequence[str]) -> Token | None:
    """Say which groups a customer is of, for whom lists and promotions hold; returns None when it was so already."""
    wanted = CustomerGrouped(customer_id=customer_id, customer_groups=rules.check_groups(groups))
    since = utc(stamp_millis(tx.clock.tick()))
    version = await store.put_customer_groups(tx.connection, customer_id, wanted.customer_groups, since)
    if version is None:
        return None
    return await tx.append([Fact(CUSTOMER_GROUPED, f"customer-groups/{customer_id}", version, wanted)])


async def set_rates(tx: Transaction, rates: Sequence[RateSet]) -> Token | None:
    """Set what currencies are worth in each other, each from its moment on; returns None when all was so already."""
    for rate in rates:
        rules.check_rate(rate)
    versions = await store.put_rates(tx.connection, rates)
    facts = [
        Fact(RATE_SET, f"rate/{rate.base}/{rate.quote}/{rate.valid_from.isoformat()}", version, rate)
        for rate, version in versions
    ]
    return await tx.append(facts) if facts else None


async def set_prices(tx: Transaction, drafts: Sequence[PriceDraft]) -> Token | None:
    """Set prices; returns the position, or None when every price was so already.

    A change beyond its market's limit takes two people; a first price of what had prices before is such a change,
    and that of a new product has a limit of its own.
    """
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
    sold = {product_id for product_id, version in versions.items() if version}
    for deed in rules.changed(present, changes, sold):
        await approvals.need(tx, deed)
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

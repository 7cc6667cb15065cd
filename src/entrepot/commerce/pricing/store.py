"""The queries of pricing, typed; nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from entrepot.commerce.pricing.events import MarketSaved, Price, PriceListSaved, RateSet, Tier
from entrepot.commerce.pricing.rules import RankTakenError
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def markets(connection: Connection) -> dict[str, str]:
    """Return the currency of each market."""
    return {row["code"]: row["currency"] for row in await connection.fetch(SQL["markets"])}


async def countries(connection: Connection) -> dict[str, str]:
    """Return the country that each market lies in; empty where none is told."""
    return {row["code"]: row["country"] for row in await connection.fetch(SQL["countries"])}


async def put_market(connection: Connection, code: str, currency: str) -> bool:
    """Make a market, or leave the one there is; says whether it is new."""
    return await connection.fetchval(SQL["put_market"], code, currency) is not None


async def market(connection: Connection, code: str) -> tuple[MarketSaved, int]:
    """Return a market as it stands, and how often it was changed."""
    row = await connection.fetchrow(SQL["market"], code)
    assert row is not None  # the caller has just made it, if there was none
    fields = dict(row)
    version: int = fields.pop("version")
    return MarketSaved(**fields), version


async def versions_for_update(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the prices of products and return how often each has changed."""
    await connection.execute(SQL["claim_products"], product_ids)
    rows = await connection.fetch(SQL["products_for_update"], product_ids)
    return {row["product_id"]: row["version"] for row in rows}


async def prices_of_products(connection: Connection, product_ids: Sequence[UUID]) -> dict[UUID, list[Price]]:
    """Return every price of these products."""
    prices: dict[UUID, list[Price]] = defaultdict(list)
    for row in await connection.fetch(SQL["prices_of_products"], product_ids):
        prices[row["product_id"]].append(
            Price(
                variant_id=row["variant_id"],
                market=row["market"],
                currency=row["currency"],
                amount_minor=row["amount_minor"],
            )
        )
    return prices


async def put_prices(connection: Connection, prices: Mapping[UUID, Sequence[Price]]) -> None:
    """Write prices by product, and count one change of each product."""
    rows = [(product_id, price) for product_id, of_product in prices.items() for price in of_product]
    await connection.execute(
        SQL["put_prices"],
        [product_id for product_id, _ in rows],
        [price.variant_id for _, price in rows],
        [price.market for _, price in rows],
        [price.currency for _, price in rows],
        [price.amount_minor for _, price in rows],
    )
    await connection.execute(SQL["count_change"], list(prices))


async def clear_prices(connection: Connection, product_ids: Sequence[UUID]) -> list[UUID]:
    """Take the prices of products away, count one change of each that had any, and return those."""
    rows = await connection.fetch(SQL["clear_prices"], product_ids)
    cleared = sorted({row["product_id"] for row in rows})
    await connection.execute(SQL["count_change"], cleared)
    return cleared


async def put_market_terms(
    connection: Connection, code: str, country: str | None, prices_include_tax: bool | None, currencies: Sequence[str] | None
) -> bool:
    """Write where a market lies, how its prices are meant, and what else it sells in; says whether that is a change.

    None leaves it as it is.
    """
    row = await connection.fetchval(SQL["put_market_terms"], code, country, prices_include_tax, currencies)
    return row is not None


async def put_price_list(connection: Connection, wanted: PriceListSaved, since: datetime) -> int | None:
    """Write a price list and return its version, None when it was so already; two of equal rank at once are refused."""
    try:
        version: int | None = await connection.fetchval(
            SQL["put_price_list"], wanted.code, wanted.title, wanted.market, wanted.currency, wanted.channel,
            wanted.customer_group, wanted.company_id, wanted.rank, wanted.valid_from, wanted.valid_until, wanted.active,
            since,
        )  # fmt: skip
    except asyncpg.ExclusionViolationError as error:
        raise RankTakenError(wanted.code, wanted.rank) from error
    return version


async def put_customer_groups(connection: Connection, customer_id: UUID, groups: Sequence[str], since: datetime) -> int | None:
    """Write which groups a customer is of and return the version, None when it was so already."""
    version: int | None = await connection.fetchval(SQL["put_customer_groups"], customer_id, groups, since)
    return version


async def customer_groups(connection: Connection, customer_id: UUID) -> list[str]:
    """Return which groups a customer is of."""
    found: list[str] | None = await connection.fetchval(SQL["customer_groups"], customer_id)
    return found or []


async def price_lists(connection: Connection, after: str, limit: int) -> list[PriceListSaved]:
    """Return price lists in the order of their codes."""
    return [PriceListSaved(**dict(row)) for row in await connection.fetch(SQL["price_lists"], after, limit)]


async def latest_rates(connection: Connection, at: datetime) -> list[RateSet]:
    """Return the rate of each pair that holds at a moment, as it was set."""
    rows = await connection.fetch(SQL["latest_rates"], at)
    return [RateSet(**{**dict(row), "rate": f"{row['rate']:f}"}) for row in rows]


async def price_list_for_update(connection: Connection, code: str) -> int | None:
    """Lock a price list and return its version; None when there is none."""
    version: int | None = await connection.fetchval(SQL["price_list_for_update"], code)
    return version


async def known_price_list(connection: Connection, code: str) -> PriceListSaved | None:
    """Return a price list as it is, locked; None when there is none."""
    row = await connection.fetchrow(SQL["known_price_list"], code)
    return None if row is None else PriceListSaved(**dict(row))


async def farthest_price(connection: Connection, code: str) -> tuple[int | None, int] | None:
    """Return the market's own price (None: it has none) and the list's, where they differ most; None for a list of none."""
    row = await connection.fetchrow(SQL["farthest_price"], code)
    return None if row is None else (row["own_minor"], row["amount_minor"])


async def own_prices(connection: Connection, code: str, variant_ids: Sequence[UUID]) -> tuple[str, dict[UUID, int]]:
    """Return the market of a list (empty where nothing is asked of it) and what variants cost there without the list."""
    rows = await connection.fetch(SQL["own_prices"], code, variant_ids)
    own = {row["variant_id"]: row["amount_minor"] for row in rows if row["amount_minor"] is not None}
    return (rows[0]["market"] if rows else ""), own


async def put_list_prices(
    connection: Connection, code: str, tiers: Mapping[UUID, Sequence[Tier]], since: datetime
) -> dict[UUID, int]:
    """Write what variants cost in a list; returns the new version of those that changed. The caller holds the list's lock."""
    rows = await connection.fetch(
        SQL["put_list_prices"],
        code,
        list(tiers),
        [_array(one.from_quantity for one in of_variant) for of_variant in tiers.values()],
        [_array(one.amount_minor for one in of_variant) for of_variant in tiers.values()],
        since,
    )
    return {row["variant_id"]: row["version"] for row in rows}


async def put_rates(connection: Connection, rates: Sequence[RateSet]) -> list[tuple[RateSet, int]]:
    """Write rates; returns those that changed, with their versions."""
    rows = await connection.fetch(
        SQL["put_rates"],
        [rate.base for rate in rates],
        [rate.quote for rate in rates],
        [rate.valid_from for rate in rates],
        [Decimal(rate.rate) for rate in rates],
        [rate.source for rate in rates],
    )
    versions = {(row["base"], row["quote"], row["valid_from"]): row["version"] for row in rows}
    return [(rate, versions[key]) for rate in rates if (key := (rate.base, rate.quote, rate.valid_from)) in versions]


def _array(numbers: Iterable[int]) -> str:
    """Return numbers as PostgreSQL writes an array: one parameter cannot hold arrays of different lengths."""
    return "{" + ",".join(map(str, numbers)) + "}"

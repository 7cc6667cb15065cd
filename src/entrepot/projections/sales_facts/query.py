"""Reads of sales: by minute, day, country, category, product and cohort. Money in minor units, never summed over currencies.

Moments and days are UTC, and business time: when an order was placed, cancelled or returned. Every value is bound as a
parameter; only constants of this file make up the SQL.
"""

# ruff: noqa: S608  # the parts that are formatted in are the constants below

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Self, TypeVar
from uuid import UUID

from msgspec import Struct, convert

from entrepot.base.errors import BadInputError
from entrepot.base.limits import PAGE_ITEMS_MAX, SALES_ROWS_MAX
from entrepot.base.projection import Target
from entrepot.engines.columns.port import ColumnStore

T = TypeVar("T", bound=Struct)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = datetime(2200, 1, 1, tzinfo=UTC)


class Within(Struct, frozen=True, kw_only=True):
    """Which facts count: from ``since`` up to and without ``until``, of one market or (empty) of all."""

    since: datetime = EPOCH
    until: datetime = FOREVER
    market: str = ""

    @classmethod
    def day(cls, now: datetime, market: str = "") -> Self:
        """Return the whole UTC day of this moment."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(since=midnight, until=midnight + timedelta(days=1), market=market)

    @classmethod
    def last_minutes(cls, now: datetime, minutes: int, market: str = "") -> Self:
        """Return the minutes before this moment."""
        return cls(since=now - timedelta(minutes=minutes), until=now, market=market)


EVER = Within()


class Sales(Struct, frozen=True, kw_only=True):
    """What was sold in one currency. ``net_minor`` is gross plus charges less returned, to the penny.

    ``orders`` were placed, ``orders_cancelled`` taken back whole; ``units`` and ``gross_minor`` are articles as sold,
    ``units_returned`` and ``returned_minor`` articles taken back by cancellation or return, ``charges_minor`` is the rest.
    """

    currency: str
    orders: int
    orders_cancelled: int
    units: int
    units_returned: int
    gross_minor: int
    charges_minor: int
    returned_minor: int
    net_minor: int


class MinuteSales(Sales, frozen=True, kw_only=True):
    """The sales of the minute that begins at ``minute``."""

    minute: datetime


class DaySales(Sales, frozen=True, kw_only=True):
    """The sales of a UTC day."""

    day: date


class CountrySales(Sales, frozen=True, kw_only=True):
    """The sales to a country."""

    country: str


class CategorySales(Sales, frozen=True, kw_only=True):
    """The sales of a category's articles; None are those in no category."""

    category_id: UUID | None


class ProductSales(Sales, frozen=True, kw_only=True):
    """The sales of a product."""

    product_id: UUID


class CohortSales(Sales, frozen=True, kw_only=True):
    """The sales to the customers whose first order was in ``month``, so many months later, and to how many of them."""

    month: date
    months_since: int
    customers: int


_MEASURES = """
    currency,
    uniqExactIf(order_id, fact = 'sale') AS orders,
    uniqExactIf(order_id, fact = 'cancellation') AS orders_cancelled,
    sumIf(quantity, fact = 'sale') AS units,
    -sumIf(quantity, fact != 'sale') AS units_returned,
    sumIf(amount_minor, kind = 'article' AND fact = 'sale') AS gross_minor,
    sumIf(amount_minor, kind != 'article') AS charges_minor,
    -sumIf(amount_minor, kind = 'article' AND fact != 'sale') AS returned_minor,
    sum(amount_minor) AS net_minor
"""
_WITHIN = """
    at >= fromUnixTimestamp64Micro({since:Int64}) AND at < fromUnixTimestamp64Micro({until:Int64})
    AND ({market:String} = '' OR market = {market:String})
"""
# A row and what replaces it are in one partition (shape.sql), so each partition is made final by itself.
_APART = "SETTINGS do_not_merge_across_partitions_select_final = 1"

_TOTALS = f"SELECT {_MEASURES} FROM {{table}} FINAL WHERE {_WITHIN} GROUP BY currency ORDER BY currency {_APART}"
_BY_MINUTE = f"""
SELECT toStartOfMinute(at) AS minute, {_MEASURES}
FROM {{table}} FINAL WHERE {_WITHIN} GROUP BY minute, currency ORDER BY minute, currency LIMIT {{most:UInt32}} {_APART}
"""
_BY_DAY = f"""
SELECT toDate(at) AS day, {_MEASURES}
FROM {{table}} FINAL WHERE {_WITHIN} GROUP BY day, currency ORDER BY day, currency LIMIT {{most:UInt32}} {_APART}
"""
_BY_COUNTRY = f"""
SELECT country, {_MEASURES}
FROM {{table}} FINAL WHERE {_WITHIN} GROUP BY country, currency ORDER BY currency, net_minor DESC, country {_APART}
"""
_BY_CATEGORY = f"""
SELECT category_id, {_MEASURES}
FROM {{table}} FINAL WHERE {_WITHIN} AND kind = 'article'
GROUP BY category_id, currency ORDER BY currency, net_minor DESC, category_id LIMIT {{limit:UInt32}} BY currency {_APART}
"""
_BY_PRODUCT = f"""
SELECT assumeNotNull(product_id) AS product_id, {_MEASURES}
FROM {{table}} FINAL WHERE {_WITHIN} AND kind = 'article'
GROUP BY product_id, currency ORDER BY currency, net_minor DESC, product_id LIMIT {{limit:UInt32}} BY currency {_APART}
"""
_BY_COHORT = f"""
WITH first AS (
    SELECT customer_id, toStartOfMonth(min(at)) AS month
    FROM {{table}} FINAL WHERE fact = 'sale' AND customer_id IS NOT NULL GROUP BY customer_id
)
SELECT
    month, dateDiff('month', month, toStartOfMonth(at)) AS months_since,
    uniqExactIf(customer_id, fact = 'sale') AS customers, {_MEASURES}
FROM {{table}} FINAL INNER JOIN first USING (customer_id)
WHERE {_WITHIN}
GROUP BY month, months_since, currency ORDER BY month, months_since, currency LIMIT {{most:UInt32}} {_APART}
"""


async def totals(store: ColumnStore, target: Target, within: Within = EVER) -> list[Sales]:
    """Return the sums, one for each currency; none where nothing was sold."""
    return await _ask(store, target, _TOTALS, within, Sales)


async def by_minute(store: ColumnStore, target: Target, within: Within) -> list[MinuteSales]:
    """Return the sales of each minute that had any, the oldest first, at most ``SALES_ROWS_MAX``."""
    return await _ask(store, target, _BY_MINUTE, within, MinuteSales)


async def by_day(store: ColumnStore, target: Target, within: Within = EVER) -> list[DaySales]:
    """Return the sales of each day that had any, the oldest first, at most ``SALES_ROWS_MAX``."""
    return await _ask(store, target, _BY_DAY, within, DaySales)


async def by_country(store: ColumnStore, target: Target, within: Within = EVER) -> list[CountrySales]:
    """Return the sales to each country, the highest net first in each currency."""
    return await _ask(store, target, _BY_COUNTRY, within, CountrySales)


async def by_category(
    store: ColumnStore, target: Target, within: Within = EVER, limit: int = PAGE_ITEMS_MAX
) -> list[CategorySales]:
    """Return the categories with the highest net, at most ``limit`` in each currency; charges belong to none."""
    return await _ask(store, target, _BY_CATEGORY, within, CategorySales, limit)


async def by_product(store: ColumnStore, target: Target, within: Within = EVER, limit: int = 10) -> list[ProductSales]:
    """Return the products with the highest net, at most ``limit`` in each currency."""
    return await _ask(store, target, _BY_PRODUCT, within, ProductSales, limit)


async def by_cohort(store: ColumnStore, target: Target, within: Within = EVER) -> list[CohortSales]:
    """Return the sales to each month's new customers in each month since; a first order counts wherever and whenever it was."""
    return await _ask(store, target, _BY_COHORT, within, CohortSales)


async def _ask(
    store: ColumnStore, target: Target, sql: str, within: Within, answer: type[T], limit: int = PAGE_ITEMS_MAX
) -> list[T]:
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise BadInputError(f"A limit of {limit} is not possible: ask for 1 to {PAGE_ITEMS_MAX}.", limit=limit)
    parameters: dict[str, object] = {"since": _micros(within.since), "until": _micros(within.until), "market": within.market}
    parameters |= {"limit": limit, "most": SALES_ROWS_MAX}
    rows: Sequence[object] = await store.query(target, sql, parameters)
    return convert(rows, list[answer])  # type: ignore[valid-type]  # the type is known to the caller


def _micros(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise BadInputError(f"The moment {moment.isoformat()} has no time zone: give one.")
    return (min(max(moment, EPOCH), FOREVER) - EPOCH) // timedelta(microseconds=1)

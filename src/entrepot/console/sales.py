"""Sales as a page: what was sold by minute, day, country, category and product, with a table behind each chart."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from babel import Locale
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.money import Currency, digits
from entrepot.base.projection import Target
from entrepot.base.time import utc
from entrepot.console.render import LOCALE, page
from entrepot.console.store import named, spoken
from entrepot.projections.product_page.query import categories, pages, read_page
from entrepot.projections.sales_facts import query
from entrepot.projections.sales_facts.query import DaySales, MinuteSales, Sales, Within

PERIODS = {"today": "Today", "week": "7 days", "month": "30 days", "all": "All time"}
_DAYS = {"today": 1, "week": 7, "month": 30}
RANKED = 10
HOUR_MINUTES = 60
SILENCE_DAYS = 60


class Link(Struct, frozen=True, kw_only=True):
    """A choice at the head of the page."""

    label: str
    href: str
    chosen: bool


class Chart(Struct, frozen=True, kw_only=True):
    """A line over time: ``json`` is what draws it, ``rows`` what its table says."""

    title: str
    unit: str
    json: str
    rows: Sequence[tuple[str, Sales]]
    empty: str


class Ranked(Struct, frozen=True, kw_only=True):
    """One row of a ranking."""

    label: str
    href: str
    orders: int
    net_minor: int


class Ranking(Struct, frozen=True, kw_only=True):
    """The highest first; ``top`` is what the longest bar stands for."""

    title: str
    unit: str
    rows: Sequence[Ranked]
    top: int


@get("/sales", include_in_schema=False, opt={"permission": "sales.read"})
async def sales(parts: NamedDependency[Parts], period: FromQuery[str] = "all", currency: FromQuery[str] = "") -> Response[str]:
    """Show what was sold in a period."""
    if period not in PERIODS:
        raise BadInputError(f"The period {period!r} is unknown: use {', '.join(PERIODS)}.", field="period", value=period)
    target = parts.live.target("sales_facts")
    now = utc(parts.clock.millis())
    within = _within(period, now)
    sums = {one.currency: one for one in await query.totals(parts.columns, target, within)}
    chosen = currency if currency in sums else max(sums, key=lambda code: sums[code].orders, default="")
    context: dict[str, object] = {
        "period": period,
        "periods": [Link(label=label, href=f"/sales?period={key}", chosen=key == period) for key, label in PERIODS.items()],
        "currencies": [
            Link(label=code, href=f"/sales?period={period}&currency={code}", chosen=code == chosen) for code in sums
        ],
        "total": sums.get(chosen),
        "says": f"{PERIODS[period]}, by the time of business in UTC.",
        "charts": [],
        "rankings": [],
    }
    if chosen:
        context["charts"] = await _charts(parts, target, within, chosen, now)
        context["rankings"] = await _rankings(parts, target, within, chosen)
    return page("sales.html", "sales", context)


HANDLERS = [sales]


def _within(period: str, now: datetime) -> Within:
    if period not in _DAYS:
        return query.EVER
    day = Within.day(now)
    return Within(since=day.until - timedelta(days=_DAYS[period]), until=day.until)


async def _charts(parts: Parts, target: Target, within: Within, currency: str, now: datetime) -> list[Chart]:
    days = _only(await query.by_day(parts.columns, target, within), currency)
    hour = Within.last_minutes(now, HOUR_MINUTES)
    minutes = _only(await query.by_minute(parts.columns, target, hour), currency)
    title, empty = "The last hour, by minute", "Nothing in the last hour."
    if not minutes and days:
        last = datetime.combine(days[-1].day, time(), UTC)
        hour = Within.day(last)
        minutes = _only(await query.by_minute(parts.columns, target, hour), currency)
        title = f"{last:%-d %B %Y}, by minute: the last day with any"
    charts = [_chart(title, "Minute", [(_minute(row), row.minute, row) for row in minutes], currency, 60, empty, hour)]
    told = _longest_run(days)
    if len(told) > 1:
        dated = [(_day(row.day), datetime.combine(row.day, time(), UTC), row) for row in told]
        title = f"By day, {told[0].day:%-d %B %Y} to {told[-1].day:%-d %B %Y}"
        charts.insert(0, _chart(title, "Day", dated, currency, 86_400, ""))
    return charts


def _longest_run(days: Sequence[DaySales]) -> Sequence[DaySales]:
    """Return the most days without a long silence between: a history that was brought in may lie years before today."""
    runs: list[list[DaySales]] = []
    for row in days:
        if runs and row.day - runs[-1][-1].day <= timedelta(days=SILENCE_DAYS):
            runs[-1].append(row)
        else:
            runs.append([row])
    return max(runs, key=len, default=[])


def _chart(
    title: str,
    unit: str,
    rows: Sequence[tuple[str, datetime, Sales]],
    currency: str,
    step: int,
    empty: str,
    shown: Within | None = None,
) -> Chart:
    scale = 10 ** digits(Currency(currency))
    drawn = {
        "step": step,
        "shown": [int(shown.since.timestamp()), int(shown.until.timestamp())] if shown else None,
        "currency": currency,
        "x": [int(at.timestamp()) for _, at, _ in rows],
        "net": [row.net_minor / scale for _, _, row in rows],
        "orders": [row.orders for _, _, row in rows],
    }
    return Chart(
        title=title,
        unit=unit,
        json=msgspec.json.encode(drawn).decode(),
        rows=[(label, row) for label, _, row in rows],
        empty=empty,
    )


async def _rankings(parts: Parts, target: Target, within: Within, currency: str) -> list[Ranking]:
    countries = _only(await query.by_country(parts.columns, target, within), currency)
    products = _only(await query.by_product(parts.columns, target, within, RANKED), currency)
    of_category = _only(await query.by_category(parts.columns, target, within, RANKED), currency)
    page_target = parts.live.target("product_page")
    texts = await pages(parts.documents, page_target, [row.product_id for row in products])
    titles = {id_: spoken(read_page(text)).title for id_, text in texts.items()}
    ids = [row.category_id for row in of_category if row.category_id is not None]
    names = {id_: named(text) for id_, text in (await categories(parts.documents, page_target, ids)).items()}
    territories: Mapping[str, str] = Locale.parse(LOCALE).territories
    return [
        _ranking("Countries", "Country", countries, lambda row: (territories.get(row.country, row.country), "")),
        _ranking("Categories", "Category", of_category, lambda row: _category(row.category_id, names)),
        _ranking(
            "Products",
            "Product",
            products,
            lambda row: (titles.get(row.product_id, "no longer offered"), f"/products/{row.product_id}"),
        ),
    ]


def _ranking(title: str, unit: str, rows: Sequence[Any], label: Callable[[Any], tuple[str, str]]) -> Ranking:
    ranked = [
        Ranked(label=name, href=href, orders=row.orders, net_minor=row.net_minor)
        for row in rows[:RANKED]
        for name, href in [label(row)]
    ]
    return Ranking(title=title, unit=unit, rows=ranked, top=max((row.net_minor for row in ranked), default=0))


def _category(category_id: UUID | None, names: Mapping[UUID, str]) -> tuple[str, str]:
    if category_id is None:
        return "No category", ""
    return names.get(category_id, str(category_id)), f"/search?category={category_id}"


def _only(rows: Sequence[Any], currency: str) -> list[Any]:
    return [row for row in rows if row.currency == currency]


def _minute(row: MinuteSales) -> str:
    return f"{row.minute.astimezone(UTC):%-d %b %H:%M}"


def _day(day: date) -> str:
    return f"{day:%a %-d %b %Y}"

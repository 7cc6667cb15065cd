"""Questions about sales, asked of a real ClickHouse: a small history whose every answer can be counted by hand."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from msgspec import Raw

from entrepot.base.errors import BadInputError
from entrepot.base.event import Event, Position
from entrepot.base.ids import derived
from entrepot.base.projection import Slot, Target
from entrepot.base.time import millis_of
from entrepot.commerce.ordering.events import (
    ORDER_CANCELLED,
    ORDER_PLACED,
    ORDER_RETURNED,
    Charge,
    Line,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)
from entrepot.engines.columns.clickhouse import ClickHouseColumns
from entrepot.projections.sales_facts import query
from entrepot.projections.sales_facts.project import SalesFacts
from entrepot.projections.sales_facts.query import Sales, Within

ANNA, BOB = UUID(int=101), UUID(int=102)
TEA, MUG = UUID(int=201), UUID(int=202)
DRINKS = UUID(int=301)


def line(number: int, product: UUID, quantity: int, amount_minor: int) -> Line:
    return Line(
        line=number,
        product_id=product,
        variant_id=product,
        sku="x",
        warehouse="main",
        quantity=quantity,
        unit_minor=0,
        amount_minor=amount_minor,
        category_id=DRINKS if product == TEA else None,
    )


def placed(
    moment: datetime, customer: UUID | None, country: str, lines: list[Line], charges: Sequence[Charge] = ()
) -> OrderPlaced:
    return OrderPlaced(
        id=derived(millis_of(moment), country),
        placed_at=moment,
        market="DE" if country == "DE" else "GB",
        country=country,
        currency="EUR" if country == "DE" else "GBP",
        lines=lines,
        charges=list(charges),
        customer_id=customer,
    )


AUTUMN = placed(datetime(2011, 10, 31, 23, 59, 59, 999_999, UTC), ANNA, "GB", [line(1, TEA, 2, 600), line(2, MUG, 1, 400)])
WINTER = placed(
    datetime(2011, 12, 5, 12, 0, 10, tzinfo=UTC),
    ANNA,
    "FR",
    [line(1, TEA, 10, 3000)],
    charges=[Charge(charge=1, kind="postage", amount_minor=250), Charge(charge=2, kind="discount", amount_minor=-50)],
)
GERMAN = placed(datetime(2011, 12, 5, 12, 0, 50, tzinfo=UTC), BOB, "DE", [line(1, MUG, 3, 1200)])
NOBODY = placed(datetime(2011, 12, 5, 12, 1, 0, tzinfo=UTC), None, "GB", [line(1, MUG, 1, 400)])
RETURN = OrderReturned(
    id=WINTER.id,
    return_id=UUID(int=9),
    at=datetime(2011, 12, 6, 9, 0, tzinfo=UTC),
    reason="",
    market="GB",
    country="FR",
    currency="GBP",
    lines=[line(1, TEA, 4, 1200)],
    customer_id=ANNA,
)
CANCELLATION = OrderCancelled(id=NOBODY.id, at=datetime(2011, 12, 5, 12, 30, tzinfo=UTC), reason="", order=NOBODY)
HISTORY: list[tuple[str, int, OrderPlaced | OrderReturned | OrderCancelled]] = [
    (ORDER_PLACED, 1, AUTUMN),
    (ORDER_PLACED, 1, WINTER),
    (ORDER_PLACED, 1, GERMAN),
    (ORDER_PLACED, 1, NOBODY),
    (ORDER_RETURNED, 2, RETURN),
    (ORDER_CANCELLED, 2, CANCELLATION),
]
FIFTH = Within.day(datetime(2011, 12, 5, 15, tzinfo=UTC))


def event(kind: str, version: int, body: OrderPlaced | OrderReturned | OrderCancelled) -> Event:
    return Event(1, UUID(int=1), Position(1, 1), 0, kind, f"order/{body.id}", version, Raw(msgspec.json.encode(body)))


@pytest.fixture(scope="module")
async def store(columns_url: str) -> AsyncIterator[ClickHouseColumns]:
    store = ClickHouseColumns(columns_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
async def target(store: ClickHouseColumns) -> AsyncIterator[Target]:
    """Give a generation that holds the history, each event applied twice and the newest first."""
    facts = SalesFacts()
    target = Target(facts.name, 901, facts.shape)
    await store.create(target)
    for _ in range(2):
        for kind, version, body in reversed(HISTORY):
            refused = await store.apply(target, Slot(1), facts.project(event(kind, version, body), {}), Position(1, 1))
            assert list(refused) == []
    yield target
    await store.drop(target)


def pick(rows: Sequence[Sales], *names: str) -> list[tuple[object, ...]]:
    return [tuple(getattr(row, name) for name in names) for row in rows]


async def test_totals_are_kept_apart_by_currency_and_add_up(store: ClickHouseColumns, target: Target) -> None:
    assert await query.totals(store, target) == [
        Sales(
            currency="EUR",
            orders=1,
            orders_cancelled=0,
            units=3,
            units_returned=0,
            gross_minor=1200,
            charges_minor=0,
            returned_minor=0,
            net_minor=1200,
        ),
        Sales(
            currency="GBP",
            orders=3,
            orders_cancelled=1,
            units=14,
            units_returned=5,
            gross_minor=4400,
            charges_minor=200,
            returned_minor=1600,
            net_minor=3000,
        ),
    ]


async def test_a_day_begins_and_ends_at_midnight_utc(store: ClickHouseColumns, target: Target) -> None:
    october = Within.day(datetime(2011, 10, 31, 1, tzinfo=UTC))
    assert pick(await query.totals(store, target, october), "orders", "net_minor") == [(1, 1000)]
    assert await query.totals(store, target, Within.day(datetime(2011, 11, 1, tzinfo=UTC))) == []


async def test_the_last_minutes_end_before_now(store: ClickHouseColumns, target: Target) -> None:
    minutes = Within.last_minutes(datetime(2011, 12, 5, 12, 1, tzinfo=UTC), 1)
    assert pick(await query.totals(store, target, minutes), "currency", "net_minor") == [("EUR", 1200), ("GBP", 3200)]


async def test_a_market_sees_only_its_own(store: ClickHouseColumns, target: Target) -> None:
    assert pick(await query.totals(store, target, Within(market="DE")), "currency", "orders") == [("EUR", 1)]
    assert await query.totals(store, target, Within(market="' OR 1 = 1 --")) == []


async def test_by_minute_and_by_day_are_in_order_of_time(store: ClickHouseColumns, target: Target) -> None:
    minutes = await query.by_minute(store, target, FIFTH)
    assert pick(minutes, "minute", "currency", "net_minor") == [
        (datetime(2011, 12, 5, 12, 0, tzinfo=UTC), "EUR", 1200),
        (datetime(2011, 12, 5, 12, 0, tzinfo=UTC), "GBP", 3200),
        (datetime(2011, 12, 5, 12, 1, tzinfo=UTC), "GBP", 400),
        (datetime(2011, 12, 5, 12, 30, tzinfo=UTC), "GBP", -400),
    ]
    days = await query.by_day(store, target, Within(market="GB"))
    assert [(row.day, row.net_minor) for row in days] == [
        (date(2011, 10, 31), 1000),
        (date(2011, 12, 5), 3200),
        (date(2011, 12, 6), -1200),
    ]


async def test_by_country_the_best_comes_first_in_each_currency(store: ClickHouseColumns, target: Target) -> None:
    rows = await query.by_country(store, target)
    assert [(row.currency, row.country, row.net_minor) for row in rows] == [
        ("EUR", "DE", 1200),
        ("GBP", "FR", 2000),
        ("GBP", "GB", 1000),
    ]


async def test_by_category_and_by_product_leave_charges_out(store: ClickHouseColumns, target: Target) -> None:
    categories = await query.by_category(store, target)
    assert [(row.currency, row.category_id, row.units, row.net_minor) for row in categories] == [
        ("EUR", None, 3, 1200),
        ("GBP", DRINKS, 12, 2400),
        ("GBP", None, 2, 400),
    ]
    best = await query.by_product(store, target, limit=1)
    assert [(row.currency, row.product_id, row.orders, row.net_minor) for row in best] == [
        ("EUR", MUG, 1, 1200),
        ("GBP", TEA, 2, 2400),
    ]


async def test_a_cohort_is_the_month_of_the_first_order_whatever_is_asked_for(store: ClickHouseColumns, target: Target) -> None:
    rows = await query.by_cohort(store, target, Within(since=datetime(2011, 12, 1, tzinfo=UTC)))
    assert [(row.month, row.months_since, row.currency, row.customers, row.net_minor) for row in rows] == [
        (date(2011, 10, 1), 2, "GBP", 1, 2000),
        (date(2011, 12, 1), 0, "EUR", 1, 1200),
    ]


async def test_what_cannot_be_meant_is_refused(store: ClickHouseColumns, target: Target) -> None:
    with pytest.raises(BadInputError, match="limit of 0"):
        await query.by_product(store, target, limit=0)
    with pytest.raises(BadInputError, match="no time zone"):
        await query.totals(store, target, Within(since=datetime(2011, 12, 5)))  # noqa: DTZ001  # the fault it is about


async def test_facts_come_back_as_they_were_projected(store: ClickHouseColumns, target: Target) -> None:
    facts = SalesFacts()
    expected = [item for kind, version, body in HISTORY for item in facts.project(event(kind, version, body), {})]
    assert await store.scan(target, "order/", None) == sorted(expected, key=lambda item: item.id)

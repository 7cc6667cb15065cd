"""Order events become facts: pure, so no engine is needed."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from msgspec import Raw, Struct

from entrepot.base.event import START, Event
from entrepot.base.projection import Item
from entrepot.commerce.ordering import events
from entrepot.commerce.ordering.events import Charge, Line, OrderCancelled, OrderPlaced, OrderReturned
from entrepot.projections.sales_facts import project
from entrepot.projections.sales_facts.project import SalesFacts

ORDER = UUID("0133f0a0-0000-7000-8000-000000000001")
NOON, EVENING = (datetime(2011, 12, 5, hour, tzinfo=UTC) for hour in (12, 18))


def line(number: int, quantity: int = 2, amount_minor: int = 500) -> Line:
    return Line(
        line=number,
        product_id=UUID(int=number),
        variant_id=UUID(int=number),
        sku=f"sku-{number}",
        warehouse="main",
        quantity=quantity,
        unit_minor=amount_minor // quantity,
        amount_minor=amount_minor,
    )


PLACED = OrderPlaced(
    id=ORDER,
    placed_at=NOON,
    market="GB",
    country="FR",
    currency="GBP",
    lines=[line(1), line(2, 3, 900)],
    charges=[Charge(charge=1, kind="postage", amount_minor=250)],
)
RETURNED = OrderReturned(
    id=ORDER,
    return_id=UUID(int=9),
    at=EVENING,
    reason="",
    market="GB",
    country="FR",
    currency="GBP",
    lines=[line(2, 1, 300)],
)


def facts(kind: str, body: Struct, version: int = 1) -> list[Item]:
    event = Event(1, UUID(int=1), START, 0, kind, f"order/{ORDER}", version, Raw(msgspec.json.encode(body)))
    return list(SalesFacts().project(event, {}))


def column(items: list[Item], name: str) -> list[object]:
    return [item.body[name] for item in items if item.body is not None]


def test_a_placed_order_is_a_fact_for_each_line_and_charge() -> None:
    items = facts(events.ORDER_PLACED, PLACED)
    assert [item.id for item in items] == [f"order/{ORDER}/0000000001/{tail}" for tail in ("00001", "00002", "c00001")]
    assert column(items, "amount_minor") == [500, 900, 250]
    assert column(items, "quantity") == [2, 3, 0]
    assert column(items, "kind") == ["article", "article", "postage"]
    assert column(items, "at") == [NOON] * 3


def test_a_cancellation_takes_back_all_of_it_when_it_was_cancelled() -> None:
    items = facts(events.ORDER_CANCELLED, OrderCancelled(id=ORDER, at=EVENING, reason="", order=PLACED), version=2)
    assert column(items, "amount_minor") == [-500, -900, -250]
    assert column(items, "at") == [EVENING] * 3
    assert {item.version for item in items} == {2}


def test_a_return_takes_back_what_came_back() -> None:
    items = facts(events.ORDER_RETURNED, RETURNED, version=2)
    assert [column(items, name) for name in ("fact", "quantity", "amount_minor")] == [["return"], [-1], [-300]]


def test_facts_of_one_order_have_different_ids_under_its_key() -> None:
    items = [*facts(events.ORDER_PLACED, PLACED), *facts(events.ORDER_RETURNED, RETURNED, version=2)]
    assert len({item.id for item in items}) == len(items)
    assert all(item.id.startswith(f"order/{ORDER}/") for item in items)


@pytest.mark.parametrize(
    ("view", "event"),
    [
        (project.LineView, Line),
        (project.ChargeView, Charge),
        (project.OrderView, OrderPlaced),
        (project.CancellationView, OrderCancelled),
        (project.ReturnView, OrderReturned),
    ],
)
def test_what_is_read_of_an_event_is_in_it(view: type[Struct], event: type[Struct]) -> None:
    assert set(view.__struct_fields__) <= set(event.__struct_fields__)


def test_a_moment_is_told_in_utc() -> None:
    abroad = msgspec.structs.replace(PLACED, placed_at=NOON.astimezone(timezone(timedelta(hours=9))))
    assert [str(at) for at in column(facts(events.ORDER_PLACED, abroad), "at")] == ["2011-12-05 12:00:00+00:00"] * 3


def test_an_event_that_lacks_something_is_poison() -> None:
    with pytest.raises(msgspec.ValidationError):
        facts(events.ORDER_PLACED, RETURNED)

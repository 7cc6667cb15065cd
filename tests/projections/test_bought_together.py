"""Bought together: counted over the newest baskets, so that what everybody buys does not win everywhere."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from entrepot.base.event import Event
from entrepot.base.projection import Target
from entrepot.commerce.ordering.events import ORDER_CANCELLED, ORDER_PLACED, Line, OrderCancelled, OrderPlaced
from entrepot.engines.graph.falkordb import FalkorGraph
from entrepot.projections.bought_together.project import BoughtTogether
from entrepot.projections.bought_together.query import bought_together
from tests.projections.telling import event, tell, told

TEA, POT, CUP, BAG, RARE = (UUID(int=number) for number in range(1, 6))
START = datetime(2011, 1, 1, tzinfo=UTC)
TOGETHER = BoughtTogether()


def order(number: int, products: Sequence[UUID]) -> OrderPlaced:
    lines = [
        Line(line=line, product_id=id_, variant_id=id_, sku="", warehouse="", quantity=1, unit_minor=1, amount_minor=1)
        for line, id_ in enumerate(products, start=1)
    ]
    at = START + timedelta(minutes=number)
    return OrderPlaced(id=UUID(int=number), placed_at=at, market="GB", country="GB", currency="GBP", lines=lines)


def placed(number: int, *products: UUID) -> Event:
    return event(ORDER_PLACED, f"order/{UUID(int=number)}", 1, order(number, products))


def cancelled(number: int, *products: UUID) -> Event:
    body = OrderCancelled(id=UUID(int=number), at=START, reason="changed their mind", order=order(number, products))
    return event(ORDER_CANCELLED, f"order/{UUID(int=number)}", 2, body)


@pytest.fixture
async def store(graph_url: str) -> AsyncIterator[FalkorGraph]:
    store = FalkorGraph(graph_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def target(store: FalkorGraph) -> AsyncIterator[Target]:
    target = Target(TOGETHER.name, 1, TOGETHER.shape)
    await store.create(target)
    yield target
    await store.drop(target)


def test_a_basket_names_each_product_once() -> None:
    (item,) = told(TOGETHER, placed(1, TEA, POT, TEA)).values()
    assert item.body == {
        "properties": {"at": 1293840060000, "size": 2},
        "edges": [["HAS", "Product", str(TEA)], ["HAS", "Product", str(POT)]],
    }


async def test_what_everybody_buys_does_not_win_over_what_belongs_together(store: FalkorGraph, target: Target) -> None:
    together = [placed(number, TEA, POT, BAG) for number in range(1, 5)]
    bags = [placed(number, CUP, BAG) for number in range(10, 40)]
    await tell(store, target, TOGETHER, *together, *bags)
    found = await bought_together(store, target, [TEA])
    assert [one.product_id for one in found] == [POT, BAG]
    assert [one.baskets for one in found] == [4, 4]
    assert found[0].score > 2 * found[1].score


async def test_a_small_basket_says_more_than_a_large_one(store: FalkorGraph, target: Target) -> None:
    crowd = [UUID(int=number) for number in range(100, 140)]
    await tell(store, target, TOGETHER, placed(1, TEA, POT), placed(2, TEA, CUP, *crowd))
    assert (await bought_together(store, target, [TEA], limit=1))[0].product_id == POT


async def test_a_cancelled_order_counts_no_more(store: FalkorGraph, target: Target) -> None:
    await tell(store, target, TOGETHER, placed(1, TEA, POT), placed(2, TEA, CUP), cancelled(1, TEA, POT), placed(1, TEA, POT))
    assert [one.product_id for one in await bought_together(store, target, [TEA])] == [CUP]


async def test_a_basket_of_several_is_completed_by_what_goes_with_most_of_it(store: FalkorGraph, target: Target) -> None:
    await tell(store, target, TOGETHER, placed(1, TEA, CUP), placed(2, POT, CUP), placed(3, TEA, BAG), placed(4, TEA, POT))
    assert [one.product_id for one in await bought_together(store, target, [TEA, POT])] == [CUP, BAG]


async def test_an_article_nobody_bought_goes_with_nothing(store: FalkorGraph, target: Target) -> None:
    assert await bought_together(store, target, [RARE]) == []
    assert await bought_together(store, target, []) == []

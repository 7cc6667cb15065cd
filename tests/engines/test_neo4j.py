"""The graph in a real Neo4j keeps the store contract, answers Cypher, and tells what is wrong with a server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from neo4j.exceptions import ClientError

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Slot, Target
from entrepot.engines.graph.falkordb import FalkorGraph
from entrepot.engines.graph.neo4j import Neo4jGraph
from entrepot.engines.graph.port import GraphStore
from entrepot.projections.bought_together.project import BoughtTogether
from entrepot.projections.bought_together.query import bought_together
from tests.conformance.graph_suite import SHAPE, GraphSuite, body
from tests.conformance.store_suite import SLOT, Case, fresh


@pytest.fixture(scope="module")
async def store(neo4j_url: str) -> AsyncIterator[Neo4jGraph]:
    store = Neo4jGraph(neo4j_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: Neo4jGraph) -> Case:
    return Case(store, body, SHAPE)


class TestNeo4j(GraphSuite):
    """The graph in Neo4j."""

    refused = ClientError


async def test_eight_writers_of_one_item_end_on_the_newest_each_time(case: Case, store: Neo4jGraph) -> None:
    async with fresh(case) as home:
        for _ in range(10):
            items = [home.item("b/1", version) for version in range(1, 9)]
            await asyncio.gather(*(home.apply(item, slot=Slot(1, number, 8)) for number, item in enumerate(items)))
            assert await home.live() == [items[-1]]
            await store.put(home.target, [Item("b/1", 0, None)])


async def test_writers_of_one_slot_leave_its_furthest_position(case: Case) -> None:
    async with fresh(case) as home:
        await asyncio.gather(*(home.apply(home.item(f"b/{at}", 1), at=at) for at in range(1, 9)))
        assert await home.position() == Position(8, 8)


async def test_what_is_bought_together_is_the_same_in_both_graphs(store: Neo4jGraph, graph_url: str) -> None:
    falkor = FalkorGraph(graph_url)
    target = Target("bought_together", 1, BoughtTogether().shape)
    found = [await _together(one, target) for one in (store, falkor)]
    await falkor.close()
    assert found[0] == found[1]
    assert any(found[0])


async def _together(store: GraphStore, target: Target) -> list[list[tuple[UUID, int]]]:
    await store.drop(target)
    await store.create(target)
    await store.apply(target, SLOT, [_basket(number) for number in range(300)], Position(1, 1))
    asked = [[_product(number)] for number in range(0, 40, 4)] + [[_product(3), _product(8), _product(21)]]
    found = [await bought_together(store, target, ids) for ids in asked]
    await store.drop(target)
    return [[(one.product_id, one.baskets) for one in answer] for answer in found]


def _basket(number: int) -> Item:
    """Return a basket of a few of 40 products, the low ones more often."""
    products = sorted(
        {str(_product((number * number * step + number) % 40 % (7 + 5 * step))) for step in range(1, 3 + number % 5)}
    )
    properties = {"at": 1_700_000_000_000 + number, "size": len(products)}
    return Item(f"order/{number:03}", 1, {"properties": properties, "edges": [["HAS", "Product", id_] for id_ in products]})


def _product(number: int) -> UUID:
    return UUID(int=number + 1)


async def test_a_neo4j_that_is_not_there_is_told_as_away() -> None:
    store = Neo4jGraph("bolt://neo4j:nobody@127.0.0.1:1")
    with pytest.raises(EngineAwayError, match="graph engine does not answer"):
        await store.open()
    await store.close()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("only-for-tests", "wrong-password"), "refuses this user and password"),
        (("?ca=", "?nobody="), "has the option 'nobody'"),
        (("ca.pem", "none.pem"), "cannot be read"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said_without_its_password(
    neo4j_url: str, changed: tuple[str, str], told: str
) -> None:
    with pytest.raises(BadInputError, match=told) as error:
        await _open(neo4j_url.replace(*changed))
    assert "only-for-tests" not in str(error.value)
    assert "wrong-password" not in str(error.value)


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(neo4j_url: str) -> None:
    with pytest.raises(BadInputError, match="does not fit"):
        await _open(neo4j_url.partition("?")[0])


async def test_a_server_with_tls_refuses_who_comes_without(neo4j_url: str) -> None:
    with pytest.raises(EngineAwayError):
        await _open(neo4j_url.replace("bolt+s", "bolt").partition("?")[0])


async def _open(url: str) -> None:
    store = Neo4jGraph(url)
    try:
        await store.open()
    finally:
        await store.close()

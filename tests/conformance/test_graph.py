"""The graph in FalkorDB keeps the store contract and answers Cypher over what was stored."""

import json
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import ResponseError

from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Shape, Target
from entrepot.engines.graph.falkordb import FalkorGraph
from tests.conformance.graph_suite import SHAPE, GraphSuite, body
from tests.conformance.store_suite import Case, fresh


@pytest.fixture(scope="module")
async def store(graph_url: str) -> AsyncIterator[FalkorGraph]:
    store = FalkorGraph(graph_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: FalkorGraph) -> Case:
    return Case(store, body, SHAPE)


class TestFalkorDB(GraphSuite):
    """The graph in FalkorDB."""

    refused = ResponseError


async def test_a_repair_counts_anew_what_was_spoilt_behind_our_back(case: Case, store: FalkorGraph) -> None:
    async with fresh(case) as home:
        items = [home.item(f"b/{number}", 1, body=number) for number in range(4)]
        await home.apply(*items)
        await store._write(home.target, "MATCH (b)-[:HAS]->(p:Product) DETACH DELETE b SET p.in_HAS = 7", {})
        await store.put(home.target, items)
        counts = await store.query(home.target, "MATCH (p:Product{g}) RETURN {indegree:p:HAS}, indegree(p, 'HAS')", {})
    assert counts
    assert not [row for row in counts if row[0] != row[1]]


async def test_a_graph_that_is_not_there_is_told_as_away() -> None:
    store = FalkorGraph("falkor://127.0.0.1:1")
    with pytest.raises(EngineAwayError, match="graph engine does not answer"):
        await store.open()
    await store.close()


@pytest.mark.parametrize(
    "text", ["", "(:Basket)", "(:A)-[:KNOWS]->(:A)", "(:A)-[:HAS]->(:B)\n(:C)-[:HAS]->(:B)", json.dumps({"node": "Basket"})]
)
async def test_a_shape_that_is_no_pattern_is_refused_by_name(store: FalkorGraph, text: str) -> None:
    with pytest.raises(ValueError, match=r"^The shape"):
        await store.create(Target("conformance", 0, Shape(text)))

"""Every product of the graph role keeps the store contract and answers Cypher over what was stored."""

import json
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import ResponseError

from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Body, Shape, Target
from entrepot.engines.graph.falkordb import FalkorGraph
from entrepot.engines.graph.port import Scalar
from tests.conformance.store_suite import STRANGE_IDS, Case, RefusingStoreSuite, fresh, tombstone

SHAPE = Shape("(:Basket)-[:HAS]->(:Product)\n(:Basket)-[:PAID_WITH]->(:Voucher)")


def body(number: int) -> Body:
    """Return a node with as many products as its number says, and every kind of property."""
    properties = {"at": number, "ratio": number / 8, "open": number % 2 == 0, "note": STRANGE_IDS[number % len(STRANGE_IDS)]}
    products = [["HAS", "Product", f"product/{part}"] for part in range(number % 8)]
    return {"properties": properties, "edges": [*products, *([["PAID_WITH", "Voucher", "v/'\"\\"]] if number % 3 else [])]}


@pytest.fixture(scope="module")
async def store(graph_url: str) -> AsyncIterator[FalkorGraph]:
    store = FalkorGraph(graph_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: FalkorGraph) -> Case:
    return Case(store, body, SHAPE)


UNFIT: dict[str, Body] = {
    "nothing of a graph": {"available": 3},
    "one more field": {"properties": {}, "edges": [], "more": 1},
    "nested properties": {"properties": {"a": {"b": 1}}, "edges": []},
    "an empty property": {"properties": {"a": None}, "edges": []},
    "a number too large": {"properties": {"a": 2**63}, "edges": []},
    "a float that would be rounded": {"properties": {"a": 0.1 + 0.2}, "edges": []},
    "a NUL in a text": {"properties": {"a": "a\0b"}, "edges": []},
    "half a surrogate pair": {"properties": {"a": "\ud83d"}, "edges": []},
    "a property of ours": {"properties": {"version": 3}, "edges": []},
    "a property that is no name": {"properties": {"a b": 3}, "edges": []},
    "an edge that is not in the shape": {"properties": {}, "edges": [["SOLD", "Product", "p"]]},
}


@pytest.fixture(params=UNFIT)
def unfit(request: pytest.FixtureRequest) -> Body:
    return UNFIT[request.param]


class TestFalkorDB(RefusingStoreSuite):
    """The graph in FalkorDB."""


async def test_a_query_walks_the_edges_of_its_own_generation(case: Case, store: FalkorGraph) -> None:
    walk = "MATCH (:Product{g} {id: $id})<-[:HAS{g}]-(b:Basket{g}) RETURN b.id, b.open, b.ratio ORDER BY b.id"
    async with fresh(case) as home, fresh(case) as other:
        await home.apply(home.item("b/1", 1, body=3), home.item("b/2", 1, body=2), home.item("b/3", 1, body=1))
        await other.apply(home.item("b/4", 1, body=3))
        found = await store.query(home.target, walk, {"id": "product/1"})
    assert found == [["b/1", False, 3 / 8], ["b/2", True, 2 / 8]]


async def test_a_query_counts_the_edges_that_end_at_a_node(case: Case, store: FalkorGraph) -> None:
    async with fresh(case) as home:
        await home.apply(*(home.item(f"b/{number}", 1, body=number) for number in range(4)))
        await home.apply(tombstone("b/3", 2))
        counted = "MATCH (p:Product{g}) RETURN p.id, {indegree:p:HAS} ORDER BY p.id"
        assert await store.query(home.target, counted, {}) == [["product/0", 2], ["product/1", 1], ["product/2", 0]]


async def test_counts_of_edges_stay_right_through_changes_replays_and_repairs(case: Case, store: FalkorGraph) -> None:
    async with fresh(case) as home:
        for round_ in range(2):
            await home.apply(*(home.item(f"b/{number}", 1, body=number) for number in range(8)))
            await home.apply(*(home.item(f"b/{number}", 2, body=7 - number) for number in range(4)), tombstone("b/5", 2))
            await store.put(home.target, [tombstone("b/6", 0), home.item("b/7", 1, body=round_)])
        counted = "MATCH (p:Product{g}) RETURN p.id, {indegree:p:HAS}, indegree(p, 'HAS')"
        counts = await store.query(home.target, counted, {})
    assert len(counts) == 7
    assert not [row for row in counts if row[1] != row[2]]


async def test_a_repair_counts_anew_what_was_spoilt_behind_our_back(case: Case, store: FalkorGraph) -> None:
    async with fresh(case) as home:
        items = [home.item(f"b/{number}", 1, body=number) for number in range(4)]
        await home.apply(*items)
        await store._write(home.target, "MATCH (b)-[:HAS]->(p:Product) DETACH DELETE b SET p.in_HAS = 7", {})
        await store.put(home.target, items)
        counts = await store.query(home.target, "MATCH (p:Product{g}) RETURN {indegree:p:HAS}, indegree(p, 'HAS')", {})
    assert counts
    assert not [row for row in counts if row[0] != row[1]]


async def test_a_query_cannot_write(case: Case, store: FalkorGraph) -> None:
    async with fresh(case) as home:
        with pytest.raises(ResponseError, match="read-only"):
            await store.query(home.target, "CREATE (:Basket{g} {id: 'b/1'})", {})


async def test_parameters_cannot_break_out_of_their_quotes(case: Case, store: FalkorGraph) -> None:
    values: list[Scalar] = ['"', "\\", '\\"', "'", "$id", "a\nb\tc", "CYPHER id=1", "😀", "", -5, 0.5, True, None]
    async with fresh(case) as home:
        assert await store.query(home.target, "RETURN $values", {"values": values}) == [[values]]


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

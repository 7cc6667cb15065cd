"""What every product of the graph role keeps beyond the store contract: it answers Cypher over what was stored.

A product's module gives ``case`` and ``unfit`` (both from here), ``store``, and a class ``class TestNeo4j(GraphSuite)`` that
says by which error its client tells of a question that would write.
"""

from typing import ClassVar, cast

import pytest

from entrepot.base.projection import Body, Shape
from entrepot.engines.graph.port import GraphStore, Scalar
from tests.conformance.store_suite import STRANGE_IDS, Case, Home, RefusingStoreSuite, fresh, tombstone

SHAPE = Shape("(:Basket)-[:HAS]->(:Product)\n(:Basket)-[:PAID_WITH]->(:Voucher)")


def body(number: int) -> Body:
    """Return a node with as many products as its number says, and every kind of property."""
    properties = {"at": number, "ratio": number / 8, "open": number % 2 == 0, "note": STRANGE_IDS[number % len(STRANGE_IDS)]}
    products = [["HAS", "Product", f"product/{part}"] for part in range(number % 8)]
    return {"properties": properties, "edges": [*products, *([["PAID_WITH", "Voucher", "v/'\"\\"]] if number % 3 else [])]}


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


_COUNTED = "MATCH (p:Product{g}) OPTIONAL MATCH (p)<-[has:HAS{g}]-() RETURN p.id, {indegree:p:HAS}, count(has) ORDER BY p.id"


class GraphSuite(RefusingStoreSuite):
    """The store contract, and questions in Cypher."""

    refused: ClassVar[type[Exception]]

    @pytest.fixture(params=UNFIT)
    def unfit(self, request: pytest.FixtureRequest) -> Body:
        """Return a body that no graph takes."""
        return UNFIT[request.param]

    @pytest.fixture
    def graph(self, case: Case) -> GraphStore:
        """Return the store as what it is."""
        return cast("GraphStore", case.store)

    async def test_a_query_walks_the_edges_of_its_own_generation(self, case: Case, home: Home, graph: GraphStore) -> None:
        walk = "MATCH (:Product{g} {id: $id})<-[:HAS{g}]-(b:Basket{g}) RETURN b.id, b.open, b.ratio ORDER BY b.id"
        async with fresh(case) as other:
            await home.apply(home.item("b/1", 1, body=3), home.item("b/2", 1, body=2), home.item("b/3", 1, body=1))
            await other.apply(home.item("b/4", 1, body=3))
            found = await graph.query(home.target, walk, {"id": "product/1"})
        assert found == [["b/1", False, 3 / 8], ["b/2", True, 2 / 8]]

    async def test_a_query_counts_the_edges_that_end_at_a_node(self, home: Home, graph: GraphStore) -> None:
        await home.apply(*(home.item(f"b/{number}", 1, body=number) for number in range(4)))
        await home.apply(tombstone("b/3", 2))
        counted = "MATCH (p:Product{g}) RETURN p.id, {indegree:p:HAS} ORDER BY p.id"
        assert await graph.query(home.target, counted, {}) == [["product/0", 2], ["product/1", 1], ["product/2", 0]]

    async def test_counts_of_edges_stay_right_through_changes_replays_and_repairs(self, home: Home, graph: GraphStore) -> None:
        for round_ in range(2):
            await home.apply(*(home.item(f"b/{number}", 1, body=number) for number in range(8)))
            await home.apply(*(home.item(f"b/{number}", 2, body=7 - number) for number in range(4)), tombstone("b/5", 2))
            await graph.put(home.target, [tombstone("b/6", 0), home.item("b/7", 1, body=round_)])
        counts = await graph.query(home.target, _COUNTED, {})
        assert len(counts) == 7
        assert not [row for row in counts if row[1] != row[2]]

    async def test_a_query_cannot_write(self, home: Home, graph: GraphStore) -> None:
        with pytest.raises(self.refused, match=r"(?i)read.only|read access"):
            await graph.query(home.target, "CREATE (:Basket{g} {id: 'b/1'})", {})

    async def test_parameters_cannot_break_out_of_their_quotes(self, home: Home, graph: GraphStore) -> None:
        values: list[Scalar] = ['"', "\\", '\\"', "'", "$id", "a\nb\tc", "CYPHER id=1", "😀", "", -5, 0.5, True, None]
        assert await graph.query(home.target, "RETURN $values", {"values": values}) == [[values]]

"""What a graph engine can do beyond ``Store``: answer a question in Cypher."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from entrepot.base.projection import Store, Target

Scalar = str | int | float | bool | None
Parameters = Mapping[str, Scalar | Sequence[Scalar]]


class GraphStore(Store, Protocol):
    """A store of nodes and edges. Bodies and shapes are as ``graph.pattern`` says."""

    async def query(self, target: Target, cypher: str, parameters: Parameters) -> list[list[object]]:
        """Return the rows that a reading query gives; it never writes.

        The text writes ``{g}`` after every label and edge type, for what tells generations apart
        (``(:Basket{g})-[:HAS{g}]->()``), and ``{indegree:o:HAS}`` for how many ``HAS`` edges end at ``o``, which each
        engine knows without walking them, in its own words.
        """
        ...

"""Reads of what is bought together.

A product's newest baskets are walked, not all: that bounds the work, and what is bought together now says more. Each
basket counts by 1 / sqrt(its size), because three articles bought together say more than three among sixty; and each
candidate is divided by sqrt(how often it is bought at all), so that what everybody buys does not win everywhere.

Measured on 375 baskets of the gift shop's October, one article of each hidden and looked for among the first ten: .13 from
one other article and .22 from all others; by cosine over every basket there is .13 and .21, by popularity .04.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct, convert

from entrepot.base.projection import Target
from entrepot.engines.graph.port import GraphStore, Parameters

_PRODUCTS_MAX = 20
_BASKETS_MAX = 100
_BASKETS_TOGETHER_MAX = 400
_CANDIDATES_MAX = 50

_TOGETHER = """
UNWIND $ids AS id
MATCH (p:Product{g} {id: id})
CALL { WITH p MATCH (p)<-[:HAS{g}]-(b:Basket{g}) RETURN b ORDER BY b.at DESC LIMIT $baskets }
MATCH (b)-[:HAS{g}]->(o:Product{g})
WITH o, count(b) AS baskets, sum(1.0 / sqrt(b.size)) AS weight WHERE NOT o.id IN $ids
WITH o, baskets, weight ORDER BY weight DESC, o.id LIMIT $candidates
RETURN o.id AS id, baskets, weight / sqrt({indegree:o:HAS}) AS score ORDER BY score DESC, id LIMIT $limit
"""


class Together(Struct, frozen=True):
    """A product that is bought with what was asked about: in how many of the baskets walked, and how telling that is."""

    product_id: UUID
    baskets: int
    score: float


async def bought_together(store: GraphStore, target: Target, product_ids: Sequence[UUID], limit: int = 10) -> list[Together]:
    """Return what goes with this product, or with these of one basket (its first 20), the most telling first."""
    ids = [str(product_id) for product_id in product_ids[:_PRODUCTS_MAX]]
    parameters: Parameters = {
        "ids": ids,
        "baskets": min(_BASKETS_MAX, _BASKETS_TOGETHER_MAX // max(1, len(ids))),
        "candidates": _CANDIDATES_MAX,
        "limit": limit,
    }
    rows = await store.query(target, _TOGETHER, parameters)
    return [convert(dict(zip(Together.__struct_fields__, row, strict=True)), Together) for row in rows]

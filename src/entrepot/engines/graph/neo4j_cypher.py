"""What is said to a Neo4j about one generation, as Cypher. Sends nothing.

Labels and types end in the generation's name. They come from shapes, which take words only, so they need no quotes.
"""

import re
from functools import cache

from msgspec import Struct

from entrepot.base.projection import Target
from entrepot.engines.graph import pattern as graph

_CONSTRAINT = "CREATE CONSTRAINT {label}_{key} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
_FORGET = "DROP CONSTRAINT {label}_{key} IF EXISTS"
_DELETE = "MATCH (n:{label}) WITH n LIMIT $most DETACH DELETE n"

# Setting a property to itself takes the lock that MERGE does not take: writers of a slot follow one another, and none of
# them compares with what another is about to change.
_ADVANCE = """
MERGE (p:{place} {{slot: $slot}}) SET p.slot = p.slot
WITH p WHERE coalesce(p.txid, -1) < $txid OR p.txid = $txid AND p.seq < $seq
SET p.txid = $txid, p.seq = $seq"""
_POSITION = "MATCH (p:{place} {{slot: $slot}}) WHERE p.txid IS NOT NULL RETURN p.txid AS txid, p.seq AS seq"

_NEIGHBOURS = "UNWIND $ids AS id MERGE (:{label} {{id: id}})"

# A row in a subquery of its own: flat, all rows would be compared before the first is written.
_WRITE = """
UNWIND $rows AS row
CALL (row) {{
  MERGE (n:{node} {{id: row.properties.id}}) SET n.id = n.id
  WITH n, row {guard}
  SET n = row.properties
  WITH n, row
  CALL (n) {{ MATCH (n)-[old]->() DELETE old }}
  {ties}
}}"""
_GUARD = "WHERE coalesce(n.version, -1) < row.properties.version"
_TIE = "CALL (n, row) {{ UNWIND row.to{number} AS id MATCH (o:{label} {{id: id}}) CREATE (n)-[:{type}]->(o) }}"

_REMOVE = "UNWIND $ids AS id MATCH (n:{node} {{id: id}}) DETACH DELETE n"

_BY_ID = "UNWIND $ids AS id MATCH (n:{node} {{id: id}}) RETURN collect({item})"
_IN_RANGE = "MATCH (n:{node}) WHERE n.id >= $low {below} AND n.gone IS NULL WITH n ORDER BY n.id RETURN collect({item})"
_LINKS = "[(n)-[:{type}]->(o:{label}) | o.id]"


class Cypher(Struct, frozen=True):
    """The statements for one generation; ``$`` marks what is given with each."""

    pattern: graph.Pattern
    constraints: tuple[str, ...]
    deletes: tuple[str, ...]
    forgets: tuple[str, ...]
    position: str
    advance: str
    write: str
    overwrite: str
    remove: str
    by_id: str
    all_from: str
    in_range: str
    # By label, in the order of the pattern's edges.
    neighbours: tuple[str, ...]


@cache
def cypher_of(target: Target) -> Cypher:
    """Return the statements for this generation."""
    pattern = graph.parse(target.shape)
    end = f"_{target.name}"
    node, place = pattern.node + end, f"Position{end}"
    kinds = [{"number": at, "type": edge.type + end, "label": edge.label + end} for at, edge in enumerate(pattern.edges)]
    # A position goes first and comes last: items without one are written again, a position without items never.
    keys = {place: "slot", node: "id", **{str(kind["label"]): "id" for kind in kinds}}
    ties = "\n  ".join(_TIE.format(**kind) for kind in kinds)
    item = f"[{', '.join(['properties(n)', *(_LINKS.format(**kind) for kind in kinds)])}]"
    return Cypher(
        pattern=pattern,
        constraints=tuple(_CONSTRAINT.format(label=label, key=key) for label, key in keys.items()),
        deletes=tuple(_DELETE.format(label=label) for label in keys),
        forgets=tuple(_FORGET.format(label=label, key=key) for label, key in keys.items()),
        position=_POSITION.format(place=place),
        advance=_ADVANCE.format(place=place),
        write=_WRITE.format(node=node, guard=_GUARD, ties=ties),
        overwrite=_WRITE.format(node=node, guard="", ties=ties),
        remove=_REMOVE.format(node=node),
        by_id=_BY_ID.format(node=node, item=item),
        all_from=_IN_RANGE.format(node=node, item=item, below=""),
        in_range=_IN_RANGE.format(node=node, item=item, below="AND n.id < $high"),
        neighbours=tuple(_NEIGHBOURS.format(label=kind["label"]) for kind in kinds),
    )


def in_generation(target: Target, cypher: str) -> str:
    """Return a question, as the port writes it, about this generation; Neo4j keeps the counts of edges at each node."""
    counted = re.sub(r"\{indegree:(\w+):(\w+)\}", r"COUNT { (\1)<-[:\2{g}]-() }", cypher)
    return counted.replace("{g}", f"_{target.name}")

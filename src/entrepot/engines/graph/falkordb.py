"""The graph in FalkorDB, over the Redis protocol (its Bolt port is not fit for use).

Each generation is a graph of its own, so that dropping it is one command, and filling it never holds up the readers of
another: a graph has one lock for writing. A query is atomic; items are written by queries that check versions row by row,
and the position, a node of the same graph, after them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import convert
from redis.exceptions import ResponseError

from entrepot.base.errors import EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.limits import STATEMENT_SECONDS_MAX
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import answering, newest
from entrepot.engines.graph import pattern as graph
from entrepot.engines.graph.falkordb_wire import answer, with_parameters
from entrepot.engines.graph.port import Parameters
from entrepot.engines.redis_connection import AWAY, connect, opening

ROLE = "graph"

# Where the rows of one query stop paying: larger ones are parsed more slowly than they save.
_ROWS_MAX = 500

_NEIGHBOURS = "UNWIND $ids AS id MERGE (:{label} {{id: id}})"

# A reading query that takes longer is given up by the server; it does not offer that for one that writes.
_BOUND = {"GRAPH.RO_QUERY": ("TIMEOUT", int(STATEMENT_SECONDS_MAX * 1000)), "GRAPH.QUERY": ()}

# The guard sees every id once (``newest``), so no row of a batch can win over a newer one of the same batch.
_GUARD = "WHERE coalesce(n.version, -1) < row.properties.version"

# FalkorDB's own indegree() walks every edge it counts, so each neighbour keeps its count beside it (``in_HAS``), moved in the
# very query that makes or takes the edges.
_CUT = """
OPTIONAL MATCH (n)-[old:{type}]->(was:{label})
SET was.in_{type} = was.in_{type} - 1
DELETE old
WITH DISTINCT n, row"""

_TIE = """
UNWIND row.to{number} AS id
MATCH (o:{label} {{id: id}})
CREATE (n)-[:{type}]->(o)
WITH o, count(n) AS more
SET o.in_{type} = coalesce(o.in_{type}, 0) + more"""

_WRITE = """
UNWIND $rows AS row
MERGE (n:{node} {{id: row.properties.id}})
WITH n, row {guard}
SET n = row.properties
WITH n, row"""

# The counts beside the neighbours may be as wrong as what is repaired: they are counted anew.
_RECOUNT = "UNWIND $ids AS id MATCH (o:{label} {{id: id}}) SET o.in_{type} = indegree(o, '{type}')"

_REMOVE = "UNWIND $ids AS id MATCH (n:{node} {{id: id}}) DELETE n"

_BY_ID = "UNWIND $ids AS id MATCH (n:{node} {{id: id}})"

# FalkorDB answers ranges of text from an index wrongly (upper bounds are ignored, letters' case too): ``+ ''`` keeps it from
# using the index. Every range therefore walks all nodes, 20,000 in 20 ms; a test guards that what it finds is right.
_IN_RANGE = "MATCH (n:{node}) WHERE n.id + '' >= $low {below} AND n.gone IS NULL"

_POSITION = "MATCH (p:_Position {slot: $slot}) RETURN p.txid, p.seq"

_ADVANCE = """
MERGE (p:_Position {slot: $slot})
WITH p WHERE coalesce(p.txid, -1) < $txid OR p.txid = $txid AND p.seq < $seq
SET p.txid = $txid, p.seq = $seq
"""


class FalkorGraph:
    """``GraphStore`` on a FalkorDB."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url.replace("falkor", "redis", 1), seconds_max=STATEMENT_SECONDS_MAX)

    async def open(self) -> None:
        """Make sure that FalkorDB answers."""
        with _answering(), opening(ROLE, "FalkorDB"):
            # A bare Redis answers a ping as well.
            await self._redis.execute_command("GRAPH.LIST")  # type: ignore[no-untyped-call]  # the client leaves it so

    async def close(self) -> None:
        """Give every connection back."""
        await self._redis.aclose()

    async def create(self, target: Target) -> None:
        """Make the indexes by which nodes are found, and with them the graph; does nothing to those that are there."""
        pattern = graph.parse(target.shape)
        for label in sorted({pattern.node, *(edge.label for edge in pattern.edges)}):
            try:
                await self._write(target, f"CREATE INDEX FOR (n:{label}) ON (n.id)", {})
            except ResponseError as error:
                if "already indexed" not in str(error):
                    raise

    async def drop(self, target: Target) -> None:
        """Delete the graph, positions included; does nothing if it is gone."""
        with _answering():
            await self._redis.unlink(target.name)

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        rows = await self.query(target, _POSITION, {"slot": _slot(slot)})
        return Position(int(str(rows[0][0])), int(str(rows[0][1]))) if rows else START

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        found = await self._items(target, _BY_ID, {"ids": list(ids)})
        return {item.id: item for item in found}

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer, then move the position; it never goes back."""
        refused = await self._put(target, newest(items), _GUARD)
        await self._write(target, _ADVANCE, {"slot": _slot(slot), "txid": position.txid, "seq": position.seq})
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        below = "" if high is None else "AND n.id + '' < $high"
        found = await self._items(target, _IN_RANGE.replace("{below}", below), {"low": low, "high": high})
        return sorted(found, key=lambda item: item.id)

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing (its neighbours stay)."""
        gone = [Item(item.id, item.version, None) for item in items if item.body is None]
        refused = await self._put(target, [*gone, *(item for item in items if item.body is not None)], guard="")
        if refused:
            raise ValueError(f"{refused[0].id} cannot be repaired: {refused[0].reason}")
        await self._recount(target, items)
        remove = _REMOVE.format(node=graph.parse(target.shape).node)
        await self._write(target, remove, {"ids": [item.id for item in gone]})

    async def _recount(self, target: Target, items: Sequence[Item]) -> None:
        pattern = graph.parse(target.shape)
        rows, _ = graph.rows(pattern, [item for item in items if item.body is not None])
        for number, edge in enumerate(pattern.edges):
            ids = sorted({id_ for row in rows for id_ in row.neighbours[number]})
            recount = _RECOUNT.format(label=edge.label, type=edge.type)
            for first in range(0, len(ids), _ROWS_MAX):
                await self._write(target, recount, {"ids": ids[first : first + _ROWS_MAX]})

    async def query(self, target: Target, cypher: str, parameters: Parameters) -> list[list[object]]:
        """Return the rows that a reading query gives; it never writes."""
        text = re.sub(r"\{indegree:(\w+):(\w+)\}", r"coalesce(\1.in_\2, 0)", cypher).replace("{g}", "")
        return await self._call("GRAPH.RO_QUERY", target, text, parameters)

    async def _put(self, target: Target, items: list[Item], guard: str) -> list[Refusal]:
        pattern = graph.parse(target.shape)
        rows, refused = graph.rows(pattern, items)
        write = _write(pattern, guard)
        for first in range(0, len(rows), _ROWS_MAX):
            chunk = rows[first : first + _ROWS_MAX]
            for label, ids in _neighbours(pattern, chunk).items():
                await self._write(target, _NEIGHBOURS.format(label=label), {"ids": sorted(ids)})
            await self._write(target, write, {"rows": [_row(row) for row in chunk]})
        return refused

    async def _items(self, target: Target, match: str, parameters: Parameters) -> list[Item]:
        pattern = graph.parse(target.shape)
        steps = [match.format(node=pattern.node)]
        kept = ["n"]
        for number, edge in enumerate(pattern.edges):
            collected = f"collect(o.id) AS to{number}"
            steps.append(f"OPTIONAL MATCH (n)-[:{edge.type}]->(o:{edge.label}) WITH {', '.join([*kept, collected])}")
            kept.append(f"to{number}")
        rows = await self.query(target, f"{' '.join(steps)} RETURN {', '.join(['properties(n)', *kept[1:]])}", parameters)
        return [graph.item(pattern, convert(row[0], dict[str, object]), convert(row[1:], list[list[str]])) for row in rows]

    async def _write(self, target: Target, cypher: str, parameters: Mapping[str, object]) -> None:
        await self._call("GRAPH.QUERY", target, cypher, parameters)

    async def _call(self, command: str, target: Target, cypher: str, parameters: Mapping[str, object]) -> list[list[object]]:
        text = with_parameters(cypher, parameters)
        with _answering():
            # The client annotates every command but the one for those it does not know.
            reply = await self._redis.execute_command(command, target.name, text, "--compact", *_BOUND[command])  # type: ignore[no-untyped-call]  # above
        return answer(reply)


@contextmanager
def _answering() -> Iterator[None]:
    with answering(ROLE, *AWAY):
        try:
            yield
        except ResponseError as error:
            if "timed out" in str(error):
                raise EngineAwayError(ROLE, str(error)) from error
            raise


def _write(pattern: graph.Pattern, guard: str) -> str:
    kinds = [{"number": number, "label": edge.label, "type": edge.type} for number, edge in enumerate(pattern.edges)]
    ties = [_TIE.format(**kind) for kind in kinds]
    if len(ties) > 1:  # an empty list ends its row, so each kind has its own subquery, which costs a quarter of the speed
        ties = [f"\nCALL {{ WITH n, row {tie} }}" for tie in ties]
    return "".join([_WRITE.format(node=pattern.node, guard=guard), *(_CUT.format(**kind) for kind in kinds), *ties])


def _neighbours(pattern: graph.Pattern, rows: Sequence[graph.Row]) -> dict[str, set[str]]:
    by_label: dict[str, set[str]] = {edge.label: set() for edge in pattern.edges}
    for row in rows:
        for edge, ids in zip(pattern.edges, row.neighbours, strict=True):
            by_label[edge.label].update(ids)
    return by_label


def _row(row: graph.Row) -> dict[str, object]:
    return {"properties": row.properties, **{f"to{number}": ids for number, ids in enumerate(row.neighbours)}}


def _slot(slot: Slot) -> str:
    return f"{slot.cell}.{slot.shard}.{slot.shards}"

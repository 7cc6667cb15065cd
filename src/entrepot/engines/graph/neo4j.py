"""The graph in Neo4j 5.23 or newer (Community is enough), over Bolt.

A generation has labels and edge types of its own in the one database there is (``Product_bought_together_g7``), so that no
forgotten filter mixes two, and counts of edges come from the store's own counters. A batch and its position are one
transaction (https://neo4j.com/docs/operations-manual/5/database-internals/transaction-management); where a large batch is
several, the last has the position, and what is written again after a cut is refused by its version. ``MERGE`` takes no lock on
what is there already: a property set to itself does (https://neo4j.com/docs/operations-manual/5/database-internals/locks-deadlocks),
and only then is a version compared. Without the unique constraints ``MERGE`` would make twins, so they come first.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TypeAlias

from msgspec import convert
from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, AsyncSession

from entrepot.base.engine_limits import GRAPH_REST_SHARE, GRAPH_ROWS_MAX
from entrepot.base.errors import BadInputError
from entrepot.base.event import START, Position
from entrepot.base.limits import (
    BATCH_EVENTS_MAX,
    BATCHES_APART_SECONDS,
    CONNECT_SECONDS_MAX,
    LOCK_SECONDS_MAX,
    POOL_CONNECTIONS_MAX,
    STATEMENT_SECONDS_MAX,
)
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import newest
from entrepot.engines.graph import pattern as graph
from entrepot.engines.graph.neo4j_connection import address, telling
from entrepot.engines.graph.neo4j_cypher import Cypher, cypher_of, in_generation
from entrepot.engines.graph.port import Parameters

Given: TypeAlias = Mapping[str, object]

# Where variables of a subquery are named in its head, which is what the guarded write is built from.
_OLDEST = (5, 23)


class Neo4jGraph:
    """``GraphStore`` on a Neo4j: ``bolt://user:password@host:port``, ``neo4j://`` for a cluster, ``+s`` for TLS.

    ``/database`` may follow the port; ``?ca=`` is the authority to trust, ``?cert=`` and ``?key=`` a certificate to show.
    """

    def __init__(self, url: str) -> None:
        self._address = address(url)

    @cached_property
    def _driver(self) -> AsyncDriver:
        where = self._address
        return AsyncGraphDatabase.driver(
            where.uri,
            auth=(where.user, where.password),
            ssl_context=where.trust,
            max_connection_pool_size=POOL_CONNECTIONS_MAX,
            connection_acquisition_timeout=CONNECT_SECONDS_MAX,
            connection_timeout=CONNECT_SECONDS_MAX,
            max_transaction_retry_time=LOCK_SECONDS_MAX,
            notifications_min_severity="OFF",  # it warns of every label that no node has yet
        )

    async def open(self) -> None:
        """Make sure that a Neo4j answers which is new enough."""
        async with self._session() as session:
            found = await session.run("CALL dbms.components() YIELD name, versions RETURN name, versions[0]")
            (row,) = await found.values()
        name, version = convert(row, tuple[str, str])
        if not name.startswith("Neo4j") or _version(version) < _OLDEST:
            raise BadInputError(
                f"The graph engine is {name} {version}, and Neo4j {'.'.join(map(str, _OLDEST))} or newer is needed: "
                "name such a one in ENTREPOT_GRAPH_URL."
            )

    async def close(self) -> None:
        """Give every connection back."""
        await self._driver.close()

    async def create(self, target: Target) -> None:
        """Make the unique constraints by which nodes are found; does nothing to those that are there."""
        cypher = cypher_of(target)
        for constraint in cypher.constraints:
            await self._schema(constraint)

    async def drop(self, target: Target) -> None:
        """Delete positions, then nodes a few at a time so that readers of others hardly notice, then the constraints."""
        cypher = cypher_of(target)
        for delete in cypher.deletes:
            await self._until_deleted(delete)
        for forget in cypher.forgets:
            await self._schema(forget)

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        rows = await self._rows(cypher_of(target).position, {"slot": _slot(slot)})
        return Position(*convert(rows[0], tuple[int, int])) if rows else START

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        return {item.id: item for item in await self._items(target, cypher_of(target).by_id, {"ids": list(ids)})}

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer and move the position, in one transaction; it never goes back.

        A larger batch, of one that catches up, is written in several, of which the last moves the position, with rests between:
        what a transaction holds is copied by every collection of the server's garbage, for which all its readers wait.
        """
        cypher = cypher_of(target)
        rows, refused = graph.rows(cypher.pattern, newest(items))
        while len(rows) > GRAPH_ROWS_MAX:
            some, rows = rows[:GRAPH_ROWS_MAX], rows[GRAPH_ROWS_MAX:]
            began = time.perf_counter()
            await self._write(_writes(cypher, cypher.write, some))
            await asyncio.sleep(GRAPH_REST_SHARE * (time.perf_counter() - began))
        at = {"slot": _slot(slot), "txid": position.txid, "seq": position.seq}
        await self._write([(cypher.advance, at), *_writes(cypher, cypher.write, rows)])
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        cypher = cypher_of(target)
        return await self._items(target, cypher.all_from if high is None else cypher.in_range, {"low": low, "high": high})

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing (its neighbours stay)."""
        cypher = cypher_of(target)
        rows, refused = graph.rows(cypher.pattern, [item for item in items if item.body is not None])
        if refused:
            raise ValueError(f"{refused[0].id} cannot be repaired: {refused[0].reason}")
        gone = [item.id for item in items if item.body is None]
        await self._write([(cypher.remove, {"ids": gone}), *_writes(cypher, cypher.overwrite, rows)])

    async def query(self, target: Target, cypher: str, parameters: Parameters) -> list[list[object]]:
        """Return the rows that a reading query gives; it never writes."""
        return await self._rows(in_generation(target, cypher), parameters)

    async def _items(self, target: Target, cypher: str, parameters: Given) -> list[Item]:
        """Return what is collected into the one record of the answer: each record for itself would cost 20 times as much."""
        pattern = graph.parse(target.shape)
        ((found,),) = convert(await self._rows(cypher, parameters), list[list[list[list[object]]]])
        return [graph.item(pattern, convert(row[0], dict[str, object]), convert(row[1:], list[list[str]])) for row in found]

    async def _rows(self, cypher: str, parameters: Given) -> list[list[object]]:
        async with self._session(READ_ACCESS) as session:
            return await (await session.run(cypher, dict(parameters))).values()

    async def _write(self, statements: Sequence[tuple[str, Given]]) -> None:
        """Run the statements in one transaction; a deadlock, which is nobody's fault, is tried again."""

        async def work(transaction: AsyncManagedTransaction) -> None:
            for cypher, parameters in statements:
                await (await transaction.run(cypher, dict(parameters))).consume()

        async with self._session(statements=len(statements)) as session:
            await session.execute_write(work)

    async def _until_deleted(self, cypher: str) -> None:
        """Delete part by part; readers of other generations have their turn between two."""

        async def work(transaction: AsyncManagedTransaction) -> int:
            found = await transaction.run(cypher, {"most": BATCH_EVENTS_MAX})
            return (await found.consume()).counters.nodes_deleted

        deleted = BATCH_EVENTS_MAX
        while deleted == BATCH_EVENTS_MAX:
            async with self._session() as session:
                deleted = await session.execute_write(work)
            await asyncio.sleep(BATCHES_APART_SECONDS if deleted == BATCH_EVENTS_MAX else 0)

    async def _schema(self, cypher: str) -> None:
        await self._write([(cypher, {})])

    @asynccontextmanager
    async def _session(self, access: str = "WRITE", *, statements: int = 1) -> AsyncIterator[AsyncSession]:
        """Give a session whose end is bounded even when the server is frozen, and tell of failures as what they mean."""
        with telling(self._address.uri):
            async with (
                asyncio.timeout(STATEMENT_SECONDS_MAX * statements),
                self._driver.session(
                    database=self._address.database,
                    default_access_mode=access,
                    # What one session wrote, the next one reads, also from another member of a cluster.
                    bookmark_manager=self._driver.execute_query_bookmark_manager,
                ) as session,
            ):
                yield session


def _writes(cypher: Cypher, write: str, rows: Sequence[graph.Row]) -> list[tuple[str, Given]]:
    """Return the statements that write the rows, neighbours first and in order, so that two writers rarely cross."""
    if not rows:
        return []
    merges: list[tuple[str, Given]] = [
        (merge, {"ids": sorted({id_ for row in rows for id_ in row.neighbours[number]})})
        for number, merge in enumerate(cypher.neighbours)
    ]
    return [*merges, (write, {"rows": [_row(row) for row in rows]})]


def _row(row: graph.Row) -> dict[str, object]:
    return {"properties": row.properties, **{f"to{number}": ids for number, ids in enumerate(row.neighbours)}}


def _slot(slot: Slot) -> str:
    return f"{slot.cell}.{slot.shard}.{slot.shards}"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-", maxsplit=1)[0].split(".") if part.isdecimal())

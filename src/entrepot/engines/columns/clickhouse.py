"""ClickHouse: a ReplacingMergeTree per generation, and a small table beside it that keeps the largest position.

How the rules of ``Store`` are kept: of equal ids the merge, or FINAL at reading, takes the highest version; what is not newer
than the table is left out before inserting, since of equal versions the last would win; a tombstone is a row with
``is_deleted``, which FINAL hides and no merge removes; the position is inserted after the items.

With ``?cluster=NAME`` in the URL tables take a cluster's form (``clickhouse_cluster.py``); statements that read or insert are
the same.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError, DataError

from entrepot.base.engine_limits import COLUMNS_INSERT_ROWS_MAX, COLUMNS_LOOKUP_IDS_MAX, COLUMNS_LOOKUP_IDS_MIN
from entrepot.base.errors import BadInputError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import newest
from entrepot.engines.clickhouse_connection import answering, cluster_of, connect
from entrepot.engines.columns import clickhouse_cluster
from entrepot.engines.columns.values import Column, as_read, column, misfit, pivot

T = TypeVar("T")

ROLE = "columns"
OWN = ("id", "version", "is_deleted")
OWN_TYPES = ("String", "UInt64", "UInt8")

# max() as the merge of this table: a position never goes back, whoever writes late.
_POSITION_SHAPE = """
CREATE TABLE IF NOT EXISTS {table} (
    cell Int32, shard UInt16, shards UInt16, reached SimpleAggregateFunction(max, Tuple(UInt64, UInt64))
) ENGINE = AggregatingMergeTree ORDER BY (cell, shards, shard)
"""
_POSITION = """
SELECT max(reached) AS reached FROM {table} WHERE cell = {cell:Int32} AND shard = {shard:UInt16} AND shards = {shards:UInt16}
"""
_MOVE = """
INSERT INTO {table} SELECT {cell:Int32}, {shard:UInt16}, {shards:UInt16}, ({txid:UInt64}, {seq:UInt64})
"""
_COLUMNS = "DESCRIBE TABLE {table}"
_VERSIONS_BETWEEN = "SELECT id, version FROM {table} WHERE id >= {low:String} AND id <= {high:String}"
_COUNT_BETWEEN = """
SELECT count() FROM (SELECT 1 FROM {table} WHERE id >= {low:String} AND id <= {high:String} LIMIT {most:UInt64})
"""
_VERSIONS_OF = "SELECT id, version FROM {table} WHERE id IN {ids:Array(String)}"
_READ = "SELECT {columns} FROM {table} WHERE id IN {ids:Array(String)} ORDER BY id, version DESC LIMIT 1 BY id"
_SCAN = "SELECT {columns} FROM {table} FINAL WHERE id >= {low:String} ORDER BY id"
_SCAN_BELOW = "SELECT {columns} FROM {table} FINAL WHERE id >= {low:String} AND id < {high:String} ORDER BY id"
_DELETE = "DELETE FROM {table} WHERE id IN {ids:Array(String)}"
_PURGE = "ALTER TABLE {table} APPLY DELETED MASK SETTINGS mutations_sync = 2"

_AS_TEXT = {"UUID": "string"}

_UNFIT = (DataError, UnicodeEncodeError, OverflowError)  # what the client raises while it packs a value of the right type


class ClickHouseColumns:
    """``ColumnStore`` over HTTP: ``clickhouse://user:password@host:port/database``, or ``clickhouses`` for HTTPS."""

    def __init__(self, url: str) -> None:
        self._url, self._cluster = url, cluster_of(url)
        self._client: AsyncClient | None = None
        self._columns: dict[str, tuple[Column, ...]] = {}

    async def open(self) -> None:
        """Connect, and learn what server it is; a server that is there but refuses the URL is a ``BadInputError``."""
        try:
            self._client = await connect(self._url, ROLE)
        except DatabaseError as error:
            raise BadInputError(
                f"ClickHouse refuses ENTREPOT_COLUMNS_URL ({error}): mend its user, password or database."
            ) from error

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def create(self, target: Target) -> None:
        """Make empty tables for items and positions; does nothing if they are there."""
        await self._command(target.shape.text, target.name)
        await self._command(_POSITION_SHAPE, _position_table(target))

    async def drop(self, target: Target) -> None:
        """Delete both tables, positions first: a cut between leaves a table that is filled again."""
        await self._command("DROP TABLE IF EXISTS {table} SYNC", _position_table(target))
        await self._command("DROP TABLE IF EXISTS {table} SYNC", target.name)
        self._columns.pop(target.name, None)

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        rows = await self._select(_POSITION, _position_table(target), _place(slot))
        return Position(*rows[0][0])  # max() of nothing is (0, 0), which is START

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        found: dict[str, Item] = {}
        for part in _parts(ids, COLUMNS_LOOKUP_IDS_MAX):
            found.update((item.id, item) for item in await self._items(_READ, target, {"ids": part}))
        return found

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer than the table, then move the position."""
        fresh = newest(items)
        known = await self._versions(target, sorted(item.id for item in fresh))
        refusals = await self._insert(target, [item for item in fresh if item.version > known.get(item.id, -1)])
        await self._command(_MOVE, _position_table(target), {**_place(slot), "txid": position.txid, "seq": position.seq})
        return refusals

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        if high is None:
            return await self._items(_SCAN, target, {"low": low})
        return await self._items(_SCAN_BELOW, target, {"low": low, "high": high})

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this; only what would outlive it is deleted first, since a deletion rewrites whole parts."""
        known = await self._versions(target, sorted({item.id for item in items}))
        in_the_way = [item.id for item in items if known.get(item.id, -1) >= (0 if item.body is None else item.version)]
        for part in _parts(in_the_way, COLUMNS_LOOKUP_IDS_MAX):
            await self._command(_DELETE, target.name, {"ids": part})
        refused = await self._insert(target, [item for item in items if item.body is not None])
        if refused:
            raise ValueError(f"{refused[0].id} cannot be repaired: {refused[0].reason}")

    async def purge(self, target: Target) -> None:
        """Leave nothing on disk of what was deleted; it is hidden at once, and otherwise gone only with the next merge."""
        await self._command(_PURGE, target.name)

    async def query(self, target: Target, sql: str, parameters: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
        """Return the rows of a SELECT over ``{table}``, with bound parameters."""
        with answering(ROLE):
            result = await self._connected.query(_on(target.name, sql), parameters=dict(parameters), query_formats=_AS_TEXT)
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    async def _versions(self, target: Target, ids: Sequence[str]) -> dict[str, int]:
        """Return the highest version of each of these sorted, different ids that is there (and of what lies between them).

        New ids lie close together (they begin with a time), so their range mostly holds nothing: to learn that takes a
        hundredth of the time of sending a list. A range that holds much else is divided where its ids begin to differ.
        """
        if len(ids) <= COLUMNS_LOOKUP_IDS_MIN:
            rows = await self._select(_VERSIONS_OF, target.name, {"ids": ids})
        else:
            between, most = {"low": ids[0], "high": ids[-1]}, 2 * len(ids) + 1
            [[there]] = await self._select(_COUNT_BETWEEN, target.name, {**between, "most": most})
            if there == most:
                parts = [await self._versions(target, part) for part in _divided(ids)]
                return {id_: version for part in parts for id_, version in part.items()}
            rows = await self._select(_VERSIONS_BETWEEN, target.name, between) if there else []
        known: dict[str, int] = {}
        for id_, version in rows:
            known[id_] = max(version, known.get(id_, version))
        return known

    async def _insert(self, target: Target, items: Sequence[Item]) -> list[Refusal]:
        refused: list[Refusal] = []
        live = [item for item in items if item.body is not None]
        for part in _parts(live, COLUMNS_INSERT_ROWS_MAX):
            refused += await self._insert_live(target, await self._described(target), part)
        for gone in _parts([item for item in items if item.body is None], COLUMNS_INSERT_ROWS_MAX):
            await self._insert_rows(target, _own(gone, is_deleted=1), ())
        return refused

    async def _insert_live(self, target: Target, columns: Sequence[Column], live: Sequence[Item]) -> list[Refusal]:
        """Insert the items; halve a batch that does not fit as a whole until what does not fit stands alone."""
        why = None
        bodies = [item.body for item in live if item.body is not None]
        values = pivot(columns, bodies)
        if values is not None:
            try:
                await self._insert_rows(target, _own(live, is_deleted=0) + values, columns)
            except _UNFIT as error:
                why = f"ClickHouse cannot keep a value of this body ({error}): mend it at its source."
            else:
                return []
        if len(live) == 1:
            return [Refusal(live[0].id, why or misfit(columns, bodies[0]) or "")]
        half = len(live) // 2
        return [
            *await self._insert_live(target, columns, live[:half]),
            *await self._insert_live(target, columns, live[half:]),
        ]

    async def _insert_rows(self, target: Target, data: Sequence[Sequence[object]], columns: Sequence[Column]) -> None:
        # A token of its own for each block: the client may send it twice over a failing connection, and it counts once. Without
        # one, a replicated table would go by content, and silently drop a row that was deleted and comes back as it was.
        with answering(ROLE):
            await self._connected.insert(
                target.name,
                data,
                column_names=[*OWN, *(column.name for column in columns)],
                column_type_names=[*OWN_TYPES, *(column.declared for column in columns)],
                column_oriented=True,
                settings={"insert_deduplication_token": str(uuid.uuid4())},
            )

    async def _described(self, target: Target) -> tuple[Column, ...]:
        if target.name not in self._columns:
            rows = await self._select(_COLUMNS, target.name, {})
            self._columns[target.name] = tuple(column(name, declared) for name, declared, *_ in rows if name not in OWN)
        return self._columns[target.name]

    async def _items(self, sql: str, target: Target, parameters: Mapping[str, object]) -> list[Item]:
        columns = await self._described(target)
        names = [column.name for column in columns]
        rows = await self._select(sql.replace("{columns}", ", ".join([*OWN, *map(as_read, columns)])), target.name, parameters)
        return [
            Item(id_, version, None if is_deleted else dict(zip(names, body, strict=True)))
            for id_, version, is_deleted, *body in rows
        ]

    async def _select(self, sql: str, table: str, parameters: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        with answering(ROLE):
            result = await self._connected.query(_on(table, sql), parameters=dict(parameters), query_formats=_AS_TEXT)
        return result.result_rows

    async def _command(self, sql: str, table: str, parameters: Mapping[str, object] | None = None) -> None:
        told = clickhouse_cluster.statements(sql, table, self._cluster) if self._cluster else [_on(table, sql)]
        with answering(ROLE):
            for one in told:
                await self._connected.command(one, parameters=dict(parameters or {}))

    @property
    def _connected(self) -> AsyncClient:
        if self._client is None:
            raise RuntimeError("The columns store was used before open() or after close().")
        return self._client


def _position_table(target: Target) -> str:
    return f"{target.name}_position"


def _on(table: str, sql: str) -> str:
    return sql.replace("{table}", f"`{table}`")


def _place(slot: Slot) -> dict[str, int]:
    return {"cell": slot.cell, "shard": slot.shard, "shards": slot.shards}


def _own(items: Sequence[Item], *, is_deleted: int) -> list[list[object]]:
    return [[item.id for item in items], [item.version for item in items], [is_deleted] * len(items)]


def _divided(ids: Sequence[str]) -> list[list[str]]:
    """Return sorted ids apart, by the character in which the first and the last of them differ."""
    same = next(place for place in range(len(ids[-1])) if ids[0][: place + 1] != ids[-1][: place + 1])
    return [list(part) for _, part in groupby(ids, key=lambda id_: id_[same : same + 1])]


def _parts(things: Sequence[T], size: int) -> Iterator[list[T]]:
    return (list(things[start : start + size]) for start in range(0, len(things), size))

"""Documents in PostgreSQL: a table of jsonb per generation, and the positions in the same transaction.

A table is not partitioned: every read is by primary key, a generation is dropped as a whole, and partitions would only add
a probe each to ``id = ANY``. jsonb keeps numbers as exact decimals: a float without a fraction beyond 2**53 would come back
as a whole number. Who outgrows one table by far moves to a documents database by changing the URL.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import msgspec

from entrepot.base.errors import BadInputError
from entrepot.base.event import START, Position
from entrepot.base.limits import CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX, RELEASE_SECONDS_MAX, STATEMENT_SECONDS_MAX
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import Packed, answering, newest, pack

if TYPE_CHECKING:  # asyncpg's proxies are generic in its stubs only
    Connection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = asyncpg.pool.PoolConnectionProxy

ROLE = "documents"

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # it has become a replica, or somebody has stopped its writes
    asyncpg.UndefinedTableError,  # a generation that its projector has not made yet, or has just dropped
    asyncpg.InternalClientError,  # what asyncpg raises on a connection that the server ended while it lay idle
)
# What no later try mends: the URL is wrong.
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError)
_UNFIT = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)

# Two projectors that start at once would both find no table and one would fail: they take turns.
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('entrepot.documents'));"

_PREPARE = f"""
{_TAKE_TURNS}
CREATE SCHEMA IF NOT EXISTS projection;
CREATE TABLE IF NOT EXISTS projection.position (
    target text NOT NULL,
    cell int NOT NULL,
    shard int NOT NULL,
    shards int NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (target, cell, shard, shards)
)
"""

_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    body jsonb
)
"""

_DROP = "DROP TABLE IF EXISTS {table}"

_FORGET_POSITIONS = "DELETE FROM projection.position WHERE target = $1"

_POSITION = "SELECT txid, seq FROM projection.position WHERE target = $1 AND cell = $2 AND shard = $3 AND shards = $4"

# One statement, so items and position are one transaction. The position never goes back: a writer that lost its lease
# and comes late with an older batch changes nothing.
_APPLY = """
WITH written AS (
    INSERT INTO {table} AS old (id, version, body)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body WHERE old.version < excluded.version
)
INSERT INTO projection.position AS old VALUES ($4, $5, $6, $7, $8, $9)
ON CONFLICT (target, cell, shard, shards) DO UPDATE SET txid = excluded.txid, seq = excluded.seq
WHERE (old.txid, old.seq) < (excluded.txid, excluded.seq)
"""

_READ = "SELECT id, version, body FROM {table} WHERE id = ANY($1::text[])"

_GET = "SELECT id, body FROM {table} WHERE id = ANY($1::text[]) AND body IS NOT NULL"

_SCAN = "SELECT id, version, body FROM {table} WHERE id >= $1 AND body IS NOT NULL ORDER BY id"

_SCAN_BELOW = "SELECT id, version, body FROM {table} WHERE id >= $1 AND id < $2 AND body IS NOT NULL ORDER BY id"

_PUT = """
WITH removed AS (DELETE FROM {table} WHERE id = ANY($4::text[]))
INSERT INTO {table} (id, version, body)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body
"""


class PostgresqlDocuments:
    """``DocumentStore`` on a PostgreSQL database, which may be shared: everything lies in the schema ``projection``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Connect, and make the place where positions are kept; a server that refuses the URL is a ``BadInputError``."""
        try:
            with answering(ROLE, *_AWAY):
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=POOL_CONNECTIONS_MAX,
                    timeout=CONNECT_SECONDS_MAX,
                    command_timeout=STATEMENT_SECONDS_MAX,
                    server_settings={"application_name": "entrepot.documents"},
                    init=_json_as_bytes,
                )
                await self._pool.execute(_PREPARE)
        except _REFUSED as error:
            raise BadInputError(
                f"PostgreSQL refuses ENTREPOT_DOCUMENTS_URL ({error}): mend its user, password or database."
            ) from error

    async def close(self) -> None:
        """Give every connection back."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def create(self, target: Target) -> None:
        """Make an empty table for this generation; does nothing if it is there."""
        async with self._connection() as connection:
            await connection.execute(_TAKE_TURNS + _CREATE.format(table=_table(target)))

    async def drop(self, target: Target) -> None:
        """Delete the table and its positions, positions first: a cut between leaves a table that is filled again."""
        async with self._connection() as connection:
            await connection.execute(_FORGET_POSITIONS, target.name)
            await connection.execute(_DROP.format(table=_table(target)))

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        async with self._connection() as connection:
            row = await connection.fetchrow(_POSITION, target.name, slot.cell, slot.shard, slot.shards)
        return START if row is None else Position(row["txid"], row["seq"])

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        async with self._connection() as connection:
            rows = await connection.fetch(_READ.format(table=_table(target)), ids)
        return {row["id"]: _item(row) for row in rows}

    async def get(self, target: Target, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the JSON text of each live item among these ids."""
        async with self._connection() as connection:
            rows = await connection.fetch(_GET.format(table=_table(target)), ids)
        return {row["id"]: row["body"] for row in rows}

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer and move the position, in one transaction."""
        packed, refused = pack(newest(items))
        statement = _APPLY.format(table=_table(target))
        place = (target.name, slot.cell, slot.shard, slot.shards, position.txid, position.seq)
        async with self._connection() as connection:
            try:
                await connection.execute(statement, *_columns(packed), *place)
            except _UNFIT:
                fit, unfit = await _sift(connection, packed)
                await connection.execute(statement, *_columns(fit), *place)
                refused += unfit
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        async with self._connection() as connection:
            # Two statements: one with "or the bound is null" would be planned without the upper bound.
            if high is None:
                rows = await connection.fetch(_SCAN.format(table=_table(target)), low)
            else:
                rows = await connection.fetch(_SCAN_BELOW.format(table=_table(target)), low, high)
        return [_item(row) for row in rows]

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing."""
        packed, refused = pack([item for item in items if item.body is not None])
        if refused:
            raise ValueError(f"{refused[0].id} cannot be repaired: {refused[0].reason}")
        gone = [item.id for item in items if item.body is None]
        async with self._connection() as connection:
            await connection.execute(_PUT.format(table=_table(target)), *_columns(packed), gone)

    @property
    def _connected(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("The documents store was used before open() or after close().")
        return self._pool

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Lend a connection. Whoever is cut ends it: a server that hangs would not answer to being asked to stop either."""
        with answering(ROLE, *_AWAY):
            connection = await self._connected.acquire(timeout=CONNECT_SECONDS_MAX)
            try:
                yield connection
            except asyncio.CancelledError:
                connection.terminate()
                raise
            finally:
                with suppress(*_AWAY):
                    await self._connected.release(connection, timeout=RELEASE_SECONDS_MAX)


async def _sift(connection: Connection, packed: Sequence[Packed]) -> tuple[list[Packed], list[Refusal]]:
    """Ask PostgreSQL about each body alone; rare, since nearly every batch has none that does not fit."""
    fit: list[Packed] = []
    refused: list[Refusal] = []
    for item in packed:
        try:
            await connection.fetchval("SELECT $1::jsonb IS NULL", item.json)
            fit.append(item)
        except _UNFIT as error:
            refused.append(Refusal(item.id, f"PostgreSQL cannot keep this body as jsonb ({error}): mend it at its source."))
    return fit, refused


async def _json_as_bytes(connection: asyncpg.Connection) -> None:
    """Let jsonb come and go as the bytes it is on the wire (one byte of format version, then text)."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=lambda json: b"\x01" + json, decoder=lambda wire: wire[1:]
    )


def _table(target: Target) -> str:
    return f'projection."{target.name}"'


def _columns(packed: Sequence[Packed]) -> tuple[list[str], list[int], list[bytes | None]]:
    return [item.id for item in packed], [item.version for item in packed], [item.json for item in packed]


def _item(row: asyncpg.Record) -> Item:
    body = row["body"]
    return Item(row["id"], row["version"], None if body is None else msgspec.json.decode(body))

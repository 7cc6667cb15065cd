"""A ClickHouse table that is only added to, by packs of lines: the end of a spool (``engines/spool.py``).

A line is a row as a JSON array, which ClickHouse reads by itself: nothing of it passes through Python again. The same packs
again are dropped by their token while the server remembers it, and after that a table that replaces equal keys
has each row once. Knows no business word.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.late import Late
from entrepot.engines.clickhouse_connection import answering, cluster_of, connect
from entrepot.engines.columns import clickhouse_cluster

if TYPE_CHECKING:
    from clickhouse_connect.driver import exceptions as errors
    from clickhouse_connect.driver.asyncclient import AsyncClient
else:
    errors = Late("clickhouse_connect.driver.exceptions")

ROLE = "columns"


class ClickHouseRows:
    """``Sink`` on ``clickhouse(s)://user:password@host:port/database``; ``made_by``: the statements that make ``{table}``."""

    def __init__(self, url: str, table: str, made_by: Sequence[str], columns: Sequence[str]) -> None:
        self._url, self._table, self._made_by, self._columns = url, table, made_by, columns
        self._cluster = cluster_of(url)
        self._client: AsyncClient | None = None

    async def open(self) -> None:
        """Connect, and make the table; what does so must change nothing where it is made already."""
        if self._client is None:
            try:
                self._client = await connect(self._url, ROLE)
            except errors.DatabaseError as error:
                raise BadInputError(
                    f"ClickHouse refuses ENTREPOT_COLUMNS_URL ({error}): mend its user, password or database."
                ) from error
        for statement in self._made_by:
            await self.command(statement)

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def take(self, packs: Sequence[bytes]) -> int:
        """Insert every line; they are there when this returns."""
        lines = b"".join(packs)
        try:
            with answering(ROLE):
                await self._connected.raw_insert(
                    self._table,
                    column_names=list(self._columns),
                    insert_block=lines,
                    fmt="JSONCompactEachRow",
                    settings={"insert_deduplication_token": hashlib.sha256(lines).hexdigest()},
                )
        except errors.DatabaseError as error:  # it is full, or takes no writes: what waits goes on waiting, whatever the reason
            raise EngineAwayError(ROLE, str(error)) from error
        return lines.count(b"\n")

    async def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement on ``{table}``, with bound parameters."""
        plain = [sql.replace("{table}", f"`{self._table}`")]
        for told in clickhouse_cluster.statements(sql, self._table, self._cluster) if self._cluster else plain:
            with answering(ROLE):
                await self._connected.command(told, parameters=dict(parameters or {}))

    @property
    def _connected(self) -> "AsyncClient":
        if self._client is None:
            raise RuntimeError("The table was used before open() or after close().")
        return self._client

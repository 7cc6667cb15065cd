"""The table in the columns engine that keeps what shoppers did: how it is made, for how long a row stays, who is deleted."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Protocol

from entrepot.base.projection import Target
from entrepot.behaviour.events import COLUMNS
from entrepot.engines.spool import Forwarder, Rhythm, Sink, Spool
from entrepot.record.named import queries

SQL = queries(__package__, "table.sql")

TARGET = Target("behaviour", 1)
# Rows of a second or so go into one insert: each makes a part on disk, which the server has to merge.
RHYTHM = Rhythm(together=500, rest=1.0)
SPOOL_BYTES_MAX = 256 << 20


class Rows(Sink, Protocol):
    """A table that packs of lines are added to."""

    async def command(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement on ``{table}``."""
        ...


def made_by(days: int) -> list[str]:
    """Return the statements that make the table, and have it keep its rows for so many days."""
    shape = files(__package__).joinpath("shape.sql").read_text(encoding="utf-8")
    return [shape.replace("{days}", str(days)), SQL["keep_for"].rstrip(";").replace("{days}", str(days))]


class Table:
    """What waits for the table, and the table."""

    def __init__(self, rows: Rows, spool: Spool) -> None:
        self._rows, self._spool = rows, spool
        self.forwarder = Forwarder(rows, spool, RHYTHM)

    async def forget(self, sealed_ids: Sequence[str]) -> None:
        """Delete the rows of these sealed ids, those too that waited; an engine that is away is waited for by who asks."""
        await self.forwarder.send()
        await self._rows.open()
        await self._rows.command(SQL["forget"], {"whose": list(sealed_ids)})
        await self._rows.command(SQL["purge"])


__all__ = ["COLUMNS", "SPOOL_BYTES_MAX", "TARGET", "Rows", "Table", "made_by"]

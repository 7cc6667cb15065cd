"""The table in the columns engine that keeps what shoppers did: how it is made, for how long a row stays, who is deleted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Protocol

from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Target
from entrepot.behaviour.events import COLUMNS
from entrepot.engines.spool import Forwarder, Rhythm, Sink, Spool
from entrepot.record.named import queries

# Without the sentence before each: on a cluster a statement is known by its first word.
SQL = {name: sql.partition("\n")[2].rstrip(";") for name, sql in queries(__package__, "table.sql").items()}

TARGET = Target("behaviour", 1)
# Rows of a second or so go into one insert: each makes a part on disk, which the server has to merge.
SENT_SECONDS_MAX, LOOK_SECONDS = 30.0, 0.1
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
    return [shape.replace("{days}", str(days)), SQL["keep_for"].replace("{days}", str(days))]


class Table:
    """What waits for the table, and the table; ``rows`` gives a client of it, not yet opened."""

    def __init__(self, rows: Callable[[], Rows], spool: Spool) -> None:
        self._rows, self._spool = rows, spool

    def forwarder(self) -> Forwarder:
        """Return what sends rows to the table."""
        return Forwarder(self._rows(), self._spool, RHYTHM)

    async def make(self) -> None:
        """Make the table, where nothing was taken in yet."""
        rows = self._rows()
        try:
            await rows.open()
        finally:
            await rows.close()

    async def forget(self, sealed_ids: Sequence[str]) -> None:
        """Delete the rows of these sealed ids, those too that wait on this machine; an engine that is away refuses it."""
        rows = self._rows()
        try:
            await self._until_sent(Forwarder(rows, self._spool, RHYTHM))
            await rows.open()
            await rows.command(SQL["forget"], {"whose": list(sealed_ids)})
            await rows.command(SQL["purge"])
        finally:
            await rows.close()

    async def _until_sent(self, forwarder: Forwarder) -> None:
        """Return once what waits now is in the table, whichever process has sent it."""
        waited = set(self._spool.waiting())
        try:
            async with asyncio.timeout(SENT_SECONDS_MAX):
                while waited:
                    await forwarder.send()
                    if waited := waited & set(self._spool.waiting()):
                        await asyncio.sleep(LOOK_SECONDS)  # another process sends
        except TimeoutError as error:
            raise EngineAwayError("columns", f"and {len(waited)} packs of events wait for it") from error


__all__ = ["COLUMNS", "SPOOL_BYTES_MAX", "TARGET", "Rows", "Table", "made_by"]

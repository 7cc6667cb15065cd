"""A flash sale as the console shows it. Who holds it (``entrepot.shoppers``) comes in from above, in a demo only."""

Who holds it (makes the article, sends the buyers) is given by the composition root: nothing here buys anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

import structlog
from msgspec import Struct

from entrepot.base.errors import ConflictError, EntrepotError

log = structlog.get_logger()


class Tally(Struct, frozen=True, kw_only=True):
    """How a sale stands. ``others`` counts, by kind, what was said beside "sold out"; ``left`` is the truth's count at its end."""

    sku: str = ""
    product_id: str = ""
    pieces: int = 0
    buyers: int = 0
    sold: int = 0
    told_sold_out: int = 0
    others: Mapping[str, int] = {}
    left: int | None = None
    seconds: float = 0.0
    running: bool = False

    @property
    def oversold(self) -> int:
        """How many were sold that were not there."""
        return max(self.sold - self.pieces, 0)


Told: TypeAlias = Callable[[Tally], None]


class Flash:
    """Holds sales, one after the other. ``hold`` tells of every change until the sale is over."""

    def __init__(self, hold: Callable[[Told], Awaitable[object]]) -> None:
        self._hold = hold
        self._task: asyncio.Task[None] | None = None
        self.tally: Tally | None = None
        self.failed = ""

    def start(self) -> None:
        """Begin a sale; one that runs already is refused."""
        if self._task is not None and not self._task.done():
            raise ConflictError("A flash sale is under way: watch it to its end first.")
        self.tally, self.failed = Tally(running=True), ""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End a sale that runs."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self._hold(self._told)
        except EntrepotError as error:
            self._ended(str(error))
        except Exception as error:  # whatever a sale meets, the page says that it ended
            log.exception("flash.failed")
            self._ended(f"The sale ended early ({type(error).__name__}): the log of the process says why.")

    def _told(self, tally: Tally) -> None:
        self.tally = tally

    def _ended(self, why: str) -> None:
        self.tally, self.failed = None, why

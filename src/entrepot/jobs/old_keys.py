"""Forgets idempotency keys that nobody will give again: page by page in their order, so that it needs no index and no pause.

A page looks at so many keys, however few of them are old; a run looks at some pages, and the next goes on behind them.
"""

from datetime import timedelta

from entrepot.base.limits import IDEMPOTENCY_DAYS, KEYS_PER_PAGE_MAX, KEYS_PER_RUN_PAGES_MAX
from entrepot.base.time import Clock, utc
from entrepot.jobs import store
from entrepot.record.transaction import Record

# What our own work is asked for under is kept for ever: a file may be imported again after years, and a renewal, a purchase and
# an exchange are found by their keys. A client's key that begins so is kept, too, which harms nobody.
KEPT = ("import:", "purchase/", "subscription/", "exchange/")


class OldKeys:
    """The keys of one cell; remembers how far this process has looked, and begins again after the last."""

    def __init__(self, record: Record, cell: int, clock: Clock) -> None:
        self._record, self._cell, self._clock = record, cell, clock
        self._after = ""

    async def forget(self) -> int:
        """Look at the next pages; returns how many keys were forgotten."""
        before, forgotten = utc(self._clock.millis()) - timedelta(days=IDEMPOTENCY_DAYS), 0
        for _ in range(KEYS_PER_RUN_PAGES_MAX):
            async with self._record.committing() as connection:
                page = await store.forget_keys(connection, self._cell, self._after, KEYS_PER_PAGE_MAX, before, KEPT)
            forgotten += page.forgotten
            self._after = page.last
            if not page.last:
                break
        return forgotten

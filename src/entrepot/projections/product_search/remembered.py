"""What texts were understood to ask for, kept in this process until the index changes.

Who turns the page, narrows what was found, or looks for what others look for asks with a text that has just been read: its
words are not counted again. Reads only the search engine, through its port.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from entrepot.base.limits import UNDERSTOOD_SECONDS_MAX, UNDERSTOOD_TEXTS_MAX
from entrepot.base.projection import Target
from entrepot.engines.search.port import Clause, SearchStore
from entrepot.projections.product_search.understanding import Understood, understand

PROJECTION = "product_search"

# Told a projection's name and the ids that changed; None: any may have.
Changed: TypeAlias = Callable[[str, Sequence[str] | None], None]


class Remembered:
    """The texts that one process has read of late; ``on_change`` has it hear of each change of the index."""

    def __init__(self, on_change: Callable[[Changed], None]) -> None:
        self._texts: OrderedDict[tuple[object, ...], tuple[Understood, float]] = OrderedDict()
        self._changes = 0
        on_change(self._changed)

    async def understand(self, store: SearchStore, target: Target, text: str, locale: str, offered: Clause) -> Understood:
        """Return what a text asks for, among what is offered: as ``understand`` does."""
        key = (target.name, target.engine, text, locale, offered)
        now = asyncio.get_running_loop().time()
        found = self._texts.get(key)
        if found is not None and now < found[1]:
            self._texts.move_to_end(key)
            return found[0]
        changes = self._changes
        understood = await understand(store, target, text, locale, offered)
        if changes == self._changes:  # else it may be of an index that is no more
            self._texts[key] = understood, now + UNDERSTOOD_SECONDS_MAX
            self._texts.move_to_end(key)
            if len(self._texts) > UNDERSTOOD_TEXTS_MAX:
                self._texts.popitem(last=False)
        return understood

    def _changed(self, projection: str, ids: Sequence[str] | None) -> None:
        """Forget every text: a product's words count in all that have one of them. A list of no ids is no change."""
        if projection == PROJECTION and ids != []:
            self._changes += 1
            self._texts.clear()

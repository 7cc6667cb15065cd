"""What a shopper's browser tells of one visit, as the store's own script would: under an id where they agreed to it."""

import contextlib
import random
from uuid import UUID

from entrepot.base.errors import EngineAwayError
from entrepot.shoppers.storefront import Json, Market, RefusedError, Storefront

AGREES, COMES_AGAIN = 0.7, 0.3
KNOWN_MAX = 500
# What people look for that is not there.
DREAMS = ("teleporter", "perpetual motion", "unicorn saddle", "left-handed smoke shifter")


class Visitors:
    """Those who agreed to be known again; some of them come again."""

    def __init__(self, storefront: Storefront, chance: random.Random) -> None:
        self._storefront, self._chance = storefront, chance
        self._known: list[UUID] = []

    def trail(self, market: Market) -> "Trail":
        """Return the trail of who comes now."""
        return Trail(self._storefront, market, self._visitor())

    def _visitor(self) -> UUID | None:
        if self._chance.random() > AGREES:
            return None
        if self._known and self._chance.random() < COMES_AGAIN:
            return self._chance.choice(self._known)
        fresh = self._storefront.ids.unguessable()
        self._known = [*self._known[-KNOWN_MAX:], fresh]
        return fresh


class Trail:
    """The events of one visit; ``words`` are what was searched for last."""

    def __init__(self, storefront: Storefront, market: Market, visitor: UUID | None) -> None:
        self._storefront, self._market, self._visitor = storefront, market, visitor
        self._events: list[Json] = []
        self.words = ""

    def note(self, kind: str, **more: object) -> None:
        """Note that something was done, now."""
        self._events.append({"id": str(self._storefront.ids.fresh()), "kind": kind, "market": self._market.code, **more})

    def searched(self, words: str, found: int) -> None:
        """Note a search."""
        self.words = words
        self.note("search", words=words, results=found)

    def looked(self, product_id: str, position: int) -> None:
        """Note that a result was clicked, and its page seen."""
        self.note("click", product_id=product_id, position=position, words=self.words)
        self.note("view", product_id=product_id)

    async def tell(self) -> None:
        """Send what was noted; nobody's visit ends because it could not be counted."""
        events, self._events = self._events, []
        if events:
            body = {"events": events, **({"visitor": str(self._visitor)} if self._visitor else {})}
            with contextlib.suppress(RefusedError, EngineAwayError):
                await self._storefront.call("POST", "/v1/collect", body)

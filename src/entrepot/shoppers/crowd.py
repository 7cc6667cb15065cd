"""A crowd: so many shoppers a minute come, look around, and some of them buy; staff sends what was bought and takes it back."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from entrepot.base.errors import EngineAwayError
from entrepot.shoppers.regulars import Regulars
from entrepot.shoppers.storefront import MARKETS, Json, Market, RefusedError, Storefront
from entrepot.shoppers.trail import DREAMS, Trail, Visitors

log = structlog.get_logger()

AT_ONCE_MAX = 32
STAFF_SECONDS = 2.0
STAFF_ITEMS = 20
THINKS_SECONDS = (0.05, 0.6)
NAMES = ("Ada", "Bela", "Chen", "Dita", "Emil", "Femi", "Gita", "Hugo", "Ines", "Jaro", "Kofi", "Lena", "Mira", "Noor", "Otto")

# What a hundred shoppers pay with, and what comes of it.
TOKENS: Final[Mapping[str, int]] = {
    "tok_ok": 92,
    "tok_declined_insufficient_funds": 4,
    "tok_challenge": 2,
    "tok_dispute": 1,
    "tok_timeout_after_charge": 1,
}
LOOKS_ONLY, ABANDONS, USES_COUPON, RETURNS, DREAMS_OF = 0.45, 0.25, 0.15, 0.08, 0.1
REGULAR = 0.06

# How a shipment goes on from each state, and what is said of it.
NEXT_STEP: Final = {"planned": "picked", "picked": "packed", "packed": "shipped", "shipped": "delivered"}


class Crowd:
    """Shoppers and staff on one API. ``seen`` counts what they did and what they were told."""

    def __init__(self, storefront: Storefront, chance: random.Random, markets: Sequence[str]) -> None:
        self._storefront, self._chance = storefront, chance
        self._markets = [MARKETS[code] for code in markets]
        self._words: dict[str, list[str]] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)
        self.seen: Counter[str] = Counter()
        self._visitors = Visitors(storefront, chance)
        self._regulars = Regulars(storefront, chance, self.seen)

    async def run(self, per_second: float, told: Callable[[Counter[str]], None] = lambda _: None) -> None:
        """Let shoppers come at this rate until cancelled; ``told`` hears of every change."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._staff())
            while per_second > 0:
                await self._room.acquire()
                group.create_task(self._visit())
                told(self.seen)
                await asyncio.sleep(self._chance.expovariate(per_second))

    async def _visit(self) -> None:
        try:
            self.seen["came"] += 1
            market = self._chance.choice(self._markets)
            if self._chance.random() < REGULAR:
                await self._regulars.come(market, self._chance.choice(NAMES))
            else:
                await self._visit_shop(market)
        except RefusedError as error:
            self.seen[f"told: {error.kind}"] += 1
        except EngineAwayError:
            self.seen["found it closed"] += 1
        finally:
            self._room.release()

    async def _visit_shop(self, market: Market) -> None:
        trail = self._visitors.trail(market)
        trail.note("page", page="home")
        try:
            await self._shop(market, trail)
        finally:
            await trail.tell()

    async def _shop(self, market: Market, trail: Trail) -> None:
        chance = self._chance
        words = chance.choice(DREAMS) if chance.random() < DREAMS_OF else await self._word(market)
        hits = await self._storefront.search(words, market)
        trail.searched(words, len(hits))
        await self._think()
        if not hits:
            self.seen["found nothing"] += 1
            return
        chosen = chance.sample(hits, min(len(hits), chance.choice((1, 1, 2, 3))))
        skus = [await self._look(hit, trail, hits.index(hit) + 1) for hit in chosen]
        if chance.random() < LOOKS_ONLY:
            self.seen["looked"] += 1
            return
        coupon = chance.choice(("WELCOME10", "LIMITED")) if chance.random() < USES_COUPON else ""
        cart = await self._storefront.fill_cart(market, list(dict.fromkeys(skus)), coupon)
        for hit in chosen:
            trail.note("cart", product_id=hit["product_id"])
        await self._think()
        if chance.random() < ABANDONS:
            self.seen["left a cart"] += 1
            return
        trail.note("checkout")
        token = chance.choices(list(TOKENS), list(TOKENS.values()))[0]
        answer = await self._storefront.check_out(cart, market, chance.choice(NAMES), token)
        if answer.get("order_id"):
            trail.note("order", order_id=answer["order_id"])
        self.seen[f"checkout {answer['state']}"] += 1

    async def _look(self, hit: Json, trail: Trail, position: int) -> str:
        trail.looked(hit["product_id"], position)
        product = await self._storefront.call("GET", f"/v1/products/{hit['product_id']}")
        await self._think()
        return str(self._chance.choice(product["variants"])["sku"])

    async def _word(self, market: Market) -> str:
        """Return a word of some product's title: people look for what there is, mostly."""
        if market.code not in self._words:
            found = await self._storefront.search("", market)
            titles = [str(hit["title"]).split() for hit in found]
            self._words[market.code] = [word for title in titles for word in title if word.isalpha()] or [""]
        hits = await self._storefront.search(self._chance.choice(self._words[market.code]), market)
        fresh = [word for hit in hits for word in str(hit["title"]).split() if word.isalpha()]
        self._words[market.code] = (self._words[market.code] + fresh)[-500:]
        return self._chance.choice(self._words[market.code])

    async def _think(self) -> None:
        await asyncio.sleep(self._chance.uniform(*THINKS_SECONDS))

    async def _staff(self) -> None:
        """Take every shipment a step further, now and then; some of what arrived comes back."""
        while True:
            for state, step in NEXT_STEP.items():
                with contextlib.suppress(RefusedError, EngineAwayError):  # another has been quicker; the next round sees it
                    page = await self._storefront.call("GET", "/v1/shipments", state=state, limit=STAFF_ITEMS)
                    for shipment in page["items"]:
                        await self._further(shipment, step)
            await asyncio.sleep(STAFF_SECONDS)

    async def _further(self, shipment: Json, step: str) -> None:
        path = f"/v1/shipments/{shipment['id']}/{step}"
        if step == "shipped":
            await self._send(path, f"TRACK-{shipment['id'][-8:]}")
        else:
            await self._storefront.call("POST", path, {})
        self.seen[f"shipments {step}"] += 1
        if step == "delivered" and self._chance.random() < RETURNS:
            await self._send_back(shipment)

    async def _send(self, path: str, tracking: str) -> None:
        """Have our own vans take a shipment; what they do not take is sent by hand."""
        try:
            await self._storefront.call("POST", path, {"carrier": "own", "book": True})
        except RefusedError:
            await self._storefront.call("POST", path, {"carrier": "post", "tracking": tracking})

    async def _send_back(self, shipment: Json) -> None:
        line = shipment["lines"][0]
        wish = {"reason": "changed_mind", "lines": [{"line": line["line"], "quantity": 1}]}
        made = await self._storefront.call("POST", f"/v1/orders/{shipment['order_id']}/returns", wish)
        self.seen["returns asked for"] += 1
        path, piece = f"/v1/returns/{made['id']}", {"line": line["line"]}
        await self._storefront.call("POST", f"{path}/received", {"lines": [{**piece, "quantity": 1}]})
        await self._storefront.call("POST", f"{path}/inspected", {"lines": [{**piece, "restock": 1}]})
        await self._storefront.call("POST", f"{path}/refunded", {})
        self.seen["returns refunded"] += 1

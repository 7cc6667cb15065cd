"""Those who buy otherwise than from a shelf: a company on its terms, a subscriber, who wants a certain maker's things.

What there is of them (companies, plans, sellers) is asked of the API: on a platform without, nobody of this kind comes.
"""

import random
from collections import Counter
from typing import Final

from entrepot.shoppers.storefront import Json, Market, Storefront

MAKERS: Final = ("Atlas Press",)  # beside the sellers: who makes the digital article of the demo
PIECES_MAX = 6


class Regulars:
    """Regular customers on one API; ``seen`` counts what they did, together with everybody."""

    def __init__(self, storefront: Storefront, chance: random.Random, seen: Counter[str]) -> None:
        self._storefront, self._chance, self._seen = storefront, chance, seen

    async def come(self, market: Market, name: str) -> None:
        """Let one of them come, whichever."""
        visit = self._chance.choice((self._buy_on_terms, self._subscribe, self._buy_from_maker))
        await visit(market, name)

    async def _buy_on_terms(self, market: Market, name: str) -> None:
        """Let a company's buyer order some of what the market has, without paying yet."""
        companies = (await self._storefront.call("GET", "/v1/companies", limit=5))["items"]
        ours = [one["company"] for one in companies if one["company"]["currency"] == market.currency]
        if not ours:
            return
        path = f"/v1/companies/{ours[0]['id']}"
        buyers = (await self._storefront.call("GET", f"{path}/buyers"))["items"]
        hits = await self._storefront.search("", market)
        if not buyers or not hits:
            return
        lines = [{"sku": await self._sku(self._chance.choice(hits)), "quantity": self._chance.randint(1, PIECES_MAX)}]
        body = {
            "buyer_id": buyers[0]["id"], "market": market.code, "contact": market.contact(name), "lines": lines,
            "shipping_method": "standard", "purchase_order": f"PO-{self._chance.randrange(10_000):04}",
        }  # fmt: skip
        bought = await self._storefront.call("POST", f"{path}/purchases", body)
        self._seen[f"purchase {bought['state']}"] += 1

    async def _subscribe(self, market: Market, name: str) -> None:
        """Buy what a plan sends once, keep the card, and subscribe to more with it."""
        plans = (await self._storefront.call("GET", "/v1/plans"))["items"]
        here = [one for one in plans if one["offered"] and market.code in {price["market"] for price in one["prices"]}]
        if not here:
            return
        plan, customer = self._chance.choice(here), str(self._storefront.ids.fresh())
        who = {"market": market.code, "contact": market.contact(name), "customer_id": customer}
        first = {
            **who, "lines": [{"sku": plan["sku"], "quantity": 1}], "shipping_method": "standard",
            "payment": {"token": "tok_ok", "keep": True},
        }  # fmt: skip
        await self._storefront.call("POST", "/v1/checkouts", first)
        kept = (await self._storefront.call("GET", f"/v1/customers/{customer}/payment-methods"))["items"]
        if kept:
            await self._storefront.call("POST", "/v1/subscriptions", {**who, "plan": plan["code"], "method_id": kept[0]["id"]})
            self._seen["subscribed"] += 1

    async def _buy_from_maker(self, market: Market, name: str) -> None:
        """Buy something of a seller's, or of a maker's, by a cart like everybody."""
        sellers = (await self._storefront.call("GET", "/v1/sellers"))["items"]
        hits = await self._storefront.search(
            "", market, brand=self._chance.choice([*(one["name"] for one in sellers), *MAKERS])
        )
        if hits:
            cart = await self._storefront.fill_cart(market, [await self._sku(self._chance.choice(hits))])
            answer = await self._storefront.check_out(cart, market, name, "tok_ok")
            self._seen[f"from a maker: {answer['state']}"] += 1

    async def _sku(self, hit: Json) -> str:
        product = await self._storefront.call("GET", f"/v1/products/{hit['product_id']}")
        return str(product["variants"][0]["sku"])

"""The HTTP API as a storefront uses it: a call a method, answers as plain JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
from msgspec import Struct

from entrepot.api.headers import AT_LEAST, POSITION
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.base.event import Token
from entrepot.base.ids import IdSource

MADE: Final = 201
SECONDS_MAX = 30.0

Json = Mapping[str, Any]


class RefusedError(EntrepotError):
    """The platform has said no; ``problem`` is what it said."""

    slug = "refused"
    status = 409
    exit_code = 4

    def __init__(self, problem: Json) -> None:
        super().__init__(str(problem.get("detail", problem)))
        self.problem = problem

    @property
    def kind(self) -> str:
        """The kind of problem, such as ``stock-exhausted``."""
        return str(self.problem.get("type", "")).rpartition("/")[2]


class Market(Struct, frozen=True):
    """Where somebody shops: the market's code and currency, and an address there."""

    code: str
    currency: str
    address: Mapping[str, str]

    def contact(self, name: str) -> dict[str, object]:
        """Return who somebody of this name is that lives here."""
        return {"email": f"{name.lower()}@example.org", "name": name, "address": dict(self.address)}


YORK: Final = {"line1": "1 High St", "city": "York", "postcode": "YO1 7HH", "country": "GB"}
PORTLAND: Final = {"line1": "12 Elm St", "city": "Portland", "region": "OR", "postcode": "97201", "country": "US"}

# The markets of the demo's catalogues (``importing/mappings``), and that of the tests.
MARKETS: Final[Mapping[str, Market]] = {
    "uk-gift": Market("uk-gift", "GBP", YORK),
    "us": Market("us", "USD", PORTLAND),
    "us-grocery": Market("us-grocery", "USD", PORTLAND),
    "uk": Market("uk", "GBP", YORK),
}


class Storefront:
    """One way into the API for any number of shoppers; with a key, for staff that serves them too.

    ``written`` is the last of what they wrote, by which a read can be asked to know of all of it.
    """

    def __init__(self, url: str, key: str = "", *, connections: int = 32) -> None:
        self.ids = IdSource()
        self.written: Token | None = None
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=SECONDS_MAX,
            trust_env=False,
            limits=httpx.Limits(max_connections=connections),
            headers={"Authorization": f"Bearer {key}"} if key else None,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self, method: str, path: str, body: Json | None = None, at_least: Token | None = None, **query: str | int
    ) -> Any:
        """Make one call and return its JSON; a refusal raises ``RefusedError``, a server that is away ``EngineAwayError``."""
        headers = {"Idempotency-Key": str(self.ids.fresh())} | ({AT_LEAST: str(at_least)} if at_least else {})
        try:
            answer = await self._client.request(method, path, json=body, params=query or None, headers=headers)
        except httpx.HTTPError as error:
            raise EngineAwayError("API", str(error) or type(error).__name__) from error
        if answer.is_error:
            raise RefusedError(answer.json() if "json" in answer.headers.get("content-type", "") else {"detail": answer.text})
        if told := answer.headers.get(POSITION):
            token = Token.parse(told)
            self.written = token if self.written is None or self.written.position < token.position else self.written
        return answer.json() if answer.content else None

    async def search(self, words: str, market: Market, brand: str = "") -> list[Json]:
        """Return the products found that have a price in the market: of all brands, or of one."""
        only: dict[str, Any] = {"brand": brand} if brand else {}
        found = await self.call("GET", "/v1/search", None, q=words, market=market.code, limit=24, **only)
        return [hit for hit in found["hits"] if hit.get("price")]

    async def fill_cart(self, market: Market, skus: Sequence[str], coupon: str = "") -> str:
        """Open a cart, put these articles in one by one, and return its path."""
        country = market.address["country"]
        lines = [{"sku": skus[0], "quantity": 1}]
        cart = await self.call("POST", "/v1/carts", {"market": market.code, "country": country, "lines": lines})
        path = f"/v1/carts/{cart['id']}"
        for sku in skus[1:]:
            await self.call("POST", f"{path}/lines", {"lines": [{"sku": sku, "quantity": 1}]})
        if coupon:
            await self.call("PUT", f"{path}/coupons/{coupon}")
        return path

    async def check_out(self, cart: str, market: Market, name: str, token: str) -> Json:
        """Say who buys, choose how it is sent, pay, and return how the checkout stands."""
        methods = (await self.call("PUT", f"{cart}/delivery", market.contact(name)))["shipping_methods"]
        sent: Json = {"shipping_method": methods[0]["method"]} if methods else {}
        answer: Json = await self.call("POST", f"{cart}/complete", {"payment": {"token": token}, **sent})
        return answer

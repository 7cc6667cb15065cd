"""What the API's description promises holds for requests nobody thought of: generated from the description itself, and sent.

Examples are the same in every run. Every second request names things that are there (an article, a market, an order), since
random names would never come past the first lookup.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
import schemathesis.specs.openapi.schemas  # what loading imports late, while a server runs in this process: pytest rewrites it
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from entrepot.api.application import ROOMS
from entrepot.api.edge import STREAMING
from entrepot.base.principal import Membership
from tests.flows.conftest import filled_house
from tests.house import House, bearing, served
from tests.people import bearer

EXAMPLES = 10  # of each operation, and as many with something wrong in them
FEW = 3  # of each operation, by everybody else
PLACES = 10
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

# Nothing can be wrong with what these are given: they take nothing, or any name.
TAKES_ANYTHING = {
    "/healthz",
    "/v1/audit/state",
    "/readyz",
    "/v1/plans",
    "/v1/projections",
    "/v1/projections/{name:str}/quarantine",
    "/v1/projections/{name:str}/rebuilds",
    "/v1/projections/{name:str}/verifications",
    "/v1/shipping",
    "/v1/stock/{sku:str}",
    "/v1/shipments/{shipment_id:uuid}/labels/{token:str}",
    "/v1/webhooks/carriers/{carrier:str}",
    "/v1/webhooks/payments/{gateway:str}",
    "/v1/event-kinds",
    "/v1/pools/{sku:str}",
    "/v1/oidc",
    "/v1/oidc/{provider:str}/callback",
    "POST /v1/me/totp",
    "DELETE /v1/me/totp",
    "/v1/me/recovery-codes",
    "/v1/me/passkey-challenges",
    "/v1/me/providers/{provider:str}",
    "/v1/sessions/current",
    "/v1/sessions/current/renewal",
    "/v1/sessions/passkey-challenges",
    "DELETE /v1/me/consents/{purpose:str}",
    "GET /v1/me",
    "/v1/me/erasure",
    "GET /v1/me/export",
    "/v1/me/restriction",
    "GET /v1/me/addresses",
    "GET /v1/me/api-keys",
    "GET /v1/me/consents",
    "GET /v1/me/passkeys",
    "GET /v1/sessions",
    "GET /v1/sellers",
    "GET /v1/webhook-endpoints",
    "GET /v1/rates",
    "GET /v1/approval-limits",
    "GET /v1/coupons/{code:str}",
}

# The stream of events is left out, since it never ends, and downloads, which answer with whatever file was bought (tried in
# test_digital.py); products are withdrawn when all else has been asked.
DOWNLOADS = "/v1/orders/{order_id:uuid}/downloads/{token:str}"
OPERATIONS = sorted(
    (method == "DELETE", path.replace(":uuid", "").replace(":str", ""), method, mode)
    for room in ROOMS
    for handler in room.HANDLERS
    if handler.include_in_schema is not False
    for path in handler.paths - {STREAMING, DOWNLOADS}
    for method in handler.http_methods
    for mode in ([GenerationMode.POSITIVE] if {path, f"{method} {path}"} & TAKES_ANYTHING else list(GenerationMode))
)
There = dict[str, list[Any]]
OF_PEOPLE = ("/v1/me", "/v1/sessions", "/v1/oidc")


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    """Return a house of this module's own: what is left behind here no other test should meet."""
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


@pytest.fixture(scope="module")
async def address(house: House) -> AsyncIterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    async with served(house, port) as address:
        yield address


@pytest.fixture(scope="module")
async def described(house: House) -> BaseSchema:
    return schemathesis.openapi.from_dict((await house.client.get("/v1/openapi.json")).json())


@pytest.fixture(scope="module")
async def there(house: House) -> There:
    """Return what can be meant, by the name of the field that says it; what belongs together has the same place."""
    hits = (await house.client.get("/v1/search?q=mug&market=uk&limit=5")).json()["hits"]
    page = (await house.client.get(f"/v1/products/{hits[0]['product_id']}")).json()
    orders = (await house.client.get("/v1/orders?limit=5")).json()["items"]
    for order in orders:
        await house.client.post(f"/v1/orders/{order['id']}/shipments", headers={"Idempotency-Key": str(uuid4())})
    shipments = (await house.client.get("/v1/shipments?limit=5")).json()["items"]
    codes = [hit["code"] for hit in hits]
    cart = {"market": "uk", "country": "GB", "lines": [{"sku": codes[0], "quantity": 1}]}
    carts = [(await house.client.post("/v1/carts", json=cart)).json()["id"] for _ in range(4)]
    return {
        "sku": codes,
        "code": [*codes, "uk", "home"],
        "name": [*codes, *sorted(house.app.live._live)],
        "product_id": [hit["product_id"] for hit in hits],
        "order_id": [order["id"] for order in orders],
        "shipment_id": [shipment["id"] for shipment in shipments],
        "line": [1],
        "cart_id": carts[:3],
        "into": carts[3:],
        "method": ["standard"],
        "category_id": page["category_ids"],
        "ids": [f"{hits[0]['product_id']},{hits[1]['product_id']}"],
        "texts": [{"en": {"title": "Mug"}}],
        "category_codes": [["kitchen"]],
        "parent_code": ["home"],
        "market": ["uk"],
        "country": ["GB"],
        "currency": ["GBP"],
        "warehouse": ["main"],
        "locale": ["en"],
        "cursor": [""],
        "q": ["mug"],
        "price": ["100..5000"],
        "quantity": [1, 2],
        "amount_minor": [500],
        "charges": [[]],
        "id": [None],
        "placed_at": [None],
        "Entrepot-At-Least": [f"{house.app.settings.cell}.1.1"],
    }


@pytest.mark.parametrize(("path", "method", "mode"), [one[1:] for one in OPERATIONS])
async def test_every_answer_is_as_described(
    house: House, described: BaseSchema, address: str, there: There, path: str, method: str, mode: GenerationMode
) -> None:
    somebody = await bearer(house, "anybody@example.com") if path.startswith(OF_PEOPLE) else bearing(house.key)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # nothing is made smaller: a house is not the same when it is asked again
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode), place=st.none() | st.integers(0, PLACES - 1))
    def ask(case: Case[Any], place: int | None) -> None:
        if place is not None:
            for part in ("path_parameters", "query", "headers", "body"):
                setattr(case, part, named(getattr(case, part), there, place))
            case.headers["Idempotency-Key"] = str(uuid4())
        if place is not None or not path.startswith(OF_PEOPLE):
            case.headers.update(somebody)
        case.validate_response(case.call(base_url=address), checks=CHECKS)

    await asyncio.to_thread(ask)


# As an administrator every operation is asked above.
@pytest.mark.parametrize("user", ["nobody", "customer", "seller"])
async def test_whoever_asks_is_answered_as_described(
    house: House, described: BaseSchema, address: str, there: There, user: str
) -> None:
    held = [Membership("seller_admin", "seller/elsewhere")] if user == "seller" else []
    headers = {} if user == "nobody" else await bearer(house, f"described-{user}@example.com", *held)

    def ask_all() -> None:
        for path, method in dict.fromkeys((path, method) for _, path, method, _ in OPERATIONS):
            asking(described[path][method], headers, there, address)()

    await asyncio.to_thread(ask_all)


def asking(
    operation: APIOperation[Any, Any, Any, Any], headers: Mapping[str, str], there: There, address: str
) -> Callable[[], None]:
    """Return what sends a few requests of one operation, half of which name what is there."""

    @settings(max_examples=FEW, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), place=st.none() | st.integers(0, PLACES - 1))
    def ask(case: Case[Any], place: int | None) -> None:
        if place is not None:
            for part in ("path_parameters", "query", "headers", "body"):
                setattr(case, part, named(getattr(case, part), there, place))
        case.headers.update(headers)
        case.validate_response(case.call(base_url=address), checks=CHECKS)

    return ask


def named(given: Any, there: There, place: int) -> Any:
    """Return what was generated with names of things that are there."""
    if isinstance(given, list):
        return [named(one, there, place) for one in given]
    if isinstance(given, Mapping):
        return {
            name: there[name][place % len(there[name])] if name in there else named(value, there, place)
            for name, value in given.items()
        }
    return given

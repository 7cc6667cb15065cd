"""Every route, asked by every kind of user for what is another's: what the policies say is what HTTP answers, and no leak."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from entrepot.access.owners import KINDS
from entrepot.access.policies import Asked, Owners, check
from entrepot.base.errors import EntrepotError
from entrepot.base.limits import JSON_DEPTH_MAX
from entrepot.base.principal import ANONYMOUS, Membership, Principal
from tests.flows.test_access import BUYER, company_of, guests_order
from tests.house import House
from tests.people import bearer

STRANGER = UUID(int=4711)
KINDS_OF_USERS: Mapping[str, list[Membership]] = {
    "nobody": [],
    "customer": [],
    "seller": [Membership("seller_admin", "seller/elsewhere")],
    "buyer": [Membership("approver", f"company/{STRANGER}")],
    "company_admin": [Membership("company_admin", f"company/{STRANGER}")],
    "catalogue": [Membership("catalogue")],
    "finance": [Membership("finance")],
    "support": [Membership("support")],
    "auditor": [Membership("auditor")],
}
SECRETS = (str(BUYER["email"]), "High St", "Acme")
UNSENT = {"/v1/events/stream"}  # never ends


class Others(Struct, frozen=True):
    """What belongs to others, by the name that a path has for it."""

    ids: Mapping[str, str]

    def fill(self, path: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self.ids.get(found[1]) or str(uuid4()), path)


@pytest.fixture(scope="module")
async def others(house: House) -> Others:
    order, _ = await guests_order(house)
    company, (buyer,) = await company_of(house, f"{uuid4()}@acme.example")
    saved = await house.client.put("/v1/sellers/walked", json={"name": "Acme Sells", "country": "GB"}, headers=key())
    assert saved.is_success, saved.text
    seller = next(one for one in (await house.client.get("/v1/sellers")).json()["items"] if "walked" in str(one))
    found = {name: str(uuid4()) for name in KINDS} | {"order_id": order, "company_id": company, "buyer_id": buyer}
    return Others(found | {"payment_id": order, "seller_id": str(seller.get("id") or seller["seller"]["id"])})


@pytest.fixture(scope="module")
async def described(house: House) -> Mapping[str, Mapping[str, Any]]:
    paths: Mapping[str, Mapping[str, Any]] = (await house.client.get("/v1/openapi.json")).json()["paths"]
    return paths


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def expected(user: str, permission: str, path: str) -> int | None:
    """Return the status that the policies refuse with; None: they let it through."""
    things = [Owners(customer=uuid4()) for name in re.findall(r"\{(\w+)\}", path) if name in KINDS]
    who = ANONYMOUS
    if user != "nobody":
        who = Principal(kind="person", id=STRANGER, memberships=frozenset(KINDS_OF_USERS[user]))
    try:
        check(Asked(who=who, permission=permission, things=things, selves=frozenset({who.id} if who.id else ())))
    except EntrepotError as error:
        return error.status
    return None


@pytest.mark.parametrize("user", KINDS_OF_USERS)
async def test_nobody_reaches_what_is_anothers(
    house: House, described: Mapping[str, Mapping[str, Any]], others: Others, user: str
) -> None:
    headers = {} if user == "nobody" else await bearer(house, f"walk-{user}@example.com", *KINDS_OF_USERS[user])
    leaks = []
    for path, methods in described.items():
        for method, operation in methods.items():
            status = expected(user, operation["x-permission"], path)
            if status is None or path in UNSENT or path.startswith(("/v1/carts", "/v1/checkouts/")):
                continue
            body: dict[str, str] | None = None if method == "get" else {}
            answer = await house.nobody.request(method, others.fill(path), json=body, headers={**headers, **key()})
            told = [word for word in (*SECRETS, *others.ids.values()) if word in answer.text]
            if answer.status_code != status or told:
                leaks.append((method, path, status, answer.status_code, told, answer.text[:200]))
    assert not leaks, leaks


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/carts", {"market": "uk", "country": "GB", "lines": []}),
        ("/v1/prices", {"market": "uk", "country": "GB", "lines": []}),
        ("/v1/checkouts", {}),
    ],
)
@pytest.mark.parametrize("user", ["nobody", "customer"])
async def test_nobody_acts_in_the_name_of_another_customer(house: House, user: str, path: str, body: dict[str, Any]) -> None:
    headers = {} if user == "nobody" else await bearer(house, "walk-customer@example.com")
    sent = {**body, "customer_id": str(uuid4())}
    answer = await house.nobody.post(path, json=sent, headers={**headers, **key()})
    assert answer.status_code == (401 if user == "nobody" else 404)


async def test_another_customers_cart_is_not_there(house: House) -> None:
    ann = await bearer(house, "cart-ann@example.com")
    me = (await house.nobody.get("/v1/sessions/current", headers=ann)).json()["person_id"]
    opened = {"market": "uk", "country": "GB", "customer_id": me, "lines": []}
    cart = (await house.nobody.post("/v1/carts", json=opened, headers=ann)).json()["id"]
    bob = await bearer(house, "cart-bob@example.com")
    answers = [await house.nobody.get(f"/v1/carts/{cart}", headers=one) for one in (ann, bob, {})]
    assert [one.status_code for one in answers] == [200, 404, 401]


@pytest.fixture(scope="module")
async def loose(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=house.client._transport, base_url="http://house") as client:
        yield client


HEADERS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80)
CREDENTIALS = st.one_of(
    HEADERS.map(lambda text: {"Authorization": text}),
    HEADERS.map(lambda text: {"Authorization": f"Bearer {text}"}),
    HEADERS.map(lambda text: {"Authorization": f"Bearer ses_{text}"}),
    HEADERS.map(lambda text: {"Authorization": f"Bearer key_{text}"}),
    HEADERS.map(lambda text: {"Cookie": f"entrepot_session={text}"}),
    HEADERS.map(lambda text: {"Cookie": f"entrepot_customer={text}; entrepot_buyer={text}"}),
    HEADERS.map(lambda text: {"Entrepot-Order-Secret": text}),
    HEADERS.map(lambda text: {"Entrepot-Why": text}),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(headers=CREDENTIALS)
async def test_no_credential_that_was_made_up_lets_anybody_in(loose: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/v1/orders", f"/v1/orders/{STRANGER}", "/office", "/account/company"):
        answer = await loose.get(path, headers=headers)
        assert answer.status_code in {303, 400, 401, 404}, answer.text


@pytest.mark.parametrize("depth", [1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 5_000])
async def test_no_depth_of_json_comes_past_the_guard(house: House, depth: int) -> None:
    body = json.dumps({"customer_id": str(STRANGER)})[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    answer = await house.nobody.post("/v1/carts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "x"])
async def test_what_a_body_is_called_does_not_hide_what_it_names(house: House, kind: str) -> None:
    body = json.dumps({"market": "uk", "country": "GB", "lines": [], "customer_id": str(STRANGER)})
    answer = await house.nobody.post("/v1/carts", content=body, headers={"Content-Type": kind})
    assert answer.status_code in {400, 401, 415}

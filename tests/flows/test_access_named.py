"""Naming what is one's own opens what is one's own: no list of everybody's, whatever names a request carries beside it."""

import re
from collections.abc import Mapping
from uuid import uuid4

import pytest
from msgspec import Struct

from entrepot.access.owners import KINDS
from entrepot.api.application import ROOMS
from entrepot.api.guard import names_taken
from entrepot.base.principal import Membership
from entrepot.console import pages
from tests.flows.test_access import BUYER, company_of, guests_order
from tests.house import House
from tests.people import bearer

UNSENT = {"/v1/events/stream"}  # never ends
SIGNS_OUT = {("DELETE", "/v1/sessions"), ("POST", "/sign-out")}
REFUSALS = {401, 403, 404}
TOO_OFTEN = 429  # who has tried to sign in so often, in other tests of the same house, is told no more
# What takes no name of anybody's: a list, or a command over what its body says.
NAMELESS = sorted(
    (method, re.sub(r"{\w+:\w+}", "x", path))
    for handler in [*(one for room in ROOMS for one in room.HANDLERS), *pages.handlers()]
    for path in handler.paths - UNSENT
    for method in handler.http_methods - {"HEAD", "OPTIONS"}
    if ":uuid}" not in path and not names_taken(handler) & KINDS.keys()
)
LISTS = [("GET", path) for path in ("/v1/orders", "/v1/companies", "/v1/receipts", "/v1/sellers", "/orders", "/office/returns")]


class Owner(Struct, frozen=True):
    """Somebody with a thing of their own: what they come by, and the name and id of the thing."""

    headers: Mapping[str, str]
    name: str
    id: str


async def owner(house: House, kind: str) -> Owner:
    """Let somebody be the owner of something."""
    if kind == "guest":
        order, secret = await guests_order(house)
        return Owner({"Entrepot-Order-Secret": secret}, "order_id", order)
    if kind == "customer":
        headers = await bearer(house, f"{uuid4()}@example.com")
        me = (await house.nobody.get("/v1/sessions/current", headers=headers)).json()["person_id"]
        return Owner(headers, "customer_id", me)
    if kind == "buyer":
        company, _ = await company_of(house, f"{uuid4()}@named.example")
        return Owner(
            await bearer(house, f"{uuid4()}@example.com", Membership("buyer", f"company/{company}")), "company_id", company
        )
    code = f"named-{uuid4().hex[:8]}"
    saved = await house.client.put(
        f"/v1/sellers/{code}", json={"name": "Named", "country": "GB"}, headers={"Idempotency-Key": code}
    )
    assert saved.is_success, saved.text
    held = Membership("seller_admin", f"seller/{code}")
    return Owner(await bearer(house, f"{code}@example.com", held), "seller_id", saved.json()["seller"]["id"])


@pytest.mark.parametrize("kind", ["guest", "customer", "buyer", "seller"])
async def test_what_takes_no_name_is_not_opened_by_one(house: House, kind: str) -> None:
    await guests_order(house)  # of somebody else
    one, opened = await owner(house, kind), []
    assert {listed for listed in LISTS if listed in NAMELESS} == set(LISTS)
    for method, path in set(NAMELESS) - SIGNS_OUT:
        given: list[dict[str, str]] = [{}, {one.name: one.id}]
        plain, named = [await house.nobody.request(method, path, params=say, headers=one.headers) for say in given]
        if plain.status_code in REFUSALS and named.status_code not in {plain.status_code, TOO_OFTEN}:
            opened.append((method, path, plain.status_code, named.status_code))
    assert not opened


@pytest.mark.parametrize(("method", "path"), LISTS)
@pytest.mark.parametrize("kind", ["guest", "customer"])
async def test_no_list_of_everybodys_is_read_by_naming_ones_own(house: House, kind: str, method: str, path: str) -> None:
    one = await owner(house, kind)
    for name in {*KINDS, one.name}:
        answer = await house.nobody.request(method, path, params={name: one.id}, headers=one.headers)
        assert answer.status_code in {401, 403}, (name, answer.text)
        assert str(BUYER["email"]) not in answer.text


async def test_a_filter_that_is_said_twice_opens_no_more_than_it_names(house: House) -> None:
    one = await owner(house, "customer")
    for more in ("&customer=", f"&customer={uuid4()}", "&customer=x"):
        answer = await house.nobody.get(f"/v1/subscriptions?customer={one.id}{more}", headers=one.headers)
        assert answer.status_code != 200 or answer.json()["items"] == [], answer.text

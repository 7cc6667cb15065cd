"""Access over HTTP and by page: signing in, being led to it, one's own and others' things, reasons, roles."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from entrepot.base.principal import Membership
from entrepot.cli.people import sign_in_link
from tests.house import House
from tests.people import bearer

PAGE = {"Accept": "text/html"}
BUYER = {
    "email": "guest@example.org",
    "name": "A Guest",
    "address": {"line1": "1 High St", "city": "York", "postcode": "YO1 7HH", "country": "GB"},
}


async def guests_order(house: House) -> tuple[str, str]:
    """Have a guest buy a mug; returns the order and its secret."""
    asked = {
        "market": "uk",
        "lines": [{"sku": "MUG-ALDER-RED", "quantity": 1}],
        "contact": BUYER,
        "payment": {"token": "tok_ok"},
    }
    answer = await house.nobody.post("/v1/checkouts", json=asked, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()["order_id"], answer.json()["order_secret"]


@pytest.fixture
async def visitor(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Return a browser without a script, where nobody has signed in."""
    async with httpx.AsyncClient(transport=house.client._transport, base_url="http://house", headers=PAGE) as client:
        yield client


async def come_in(house: House, visitor: httpx.AsyncClient, email: str, *roles: Membership) -> None:
    """Sign in by a link, as a page does it."""
    link = await sign_in_link(house.app.record, house.app.people, house.app.settings, email, list(roles))
    token = urlsplit(link.link).fragment
    assert (await visitor.post("/link", data={"token": token})).status_code == 303


async def test_a_guest_reads_the_order_whose_secret_they_were_told(house: House) -> None:
    order, secret = await guests_order(house)
    answer = await house.nobody.get(f"/v1/orders/{order}", headers={"Entrepot-Order-Secret": secret})
    assert answer.json()["id"] == order


async def test_without_the_secret_a_guest_is_asked_to_sign_in(house: House) -> None:
    order, _ = await guests_order(house)
    answer = await house.nobody.get(f"/v1/orders/{order}")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")
    assert order not in answer.text


async def test_the_secret_of_one_order_does_not_open_another(house: House) -> None:
    (order, _), (_, secret) = await guests_order(house), await guests_order(house)
    answer = await house.nobody.get(f"/v1/orders/{order}", headers={"Entrepot-Order-Secret": secret})
    assert answer.status_code == 404
    assert order not in answer.text


async def test_a_customer_does_not_learn_of_anothers_order(house: House) -> None:
    order, _ = await guests_order(house)
    theirs = await bearer(house, "curious@example.com")
    answers = [await house.nobody.get(f"/v1/orders/{one}", headers=theirs) for one in (order, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


async def test_support_says_why_and_then_sees_the_order(house: House) -> None:
    order, _ = await guests_order(house)
    support = await bearer(house, "support@example.com", "support")
    refused = await house.nobody.get(f"/v1/orders/{order}", headers=support)
    assert refused.json()["type"] == "/problems/reason-needed"
    seen = await house.nobody.get(f"/v1/orders/{order}", headers={**support, "Entrepot-Why": "ticket/4711"})
    assert seen.json()["id"] == order


async def test_nobody_places_an_order_on_the_hot_lane(house: House) -> None:
    order = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "MUG-ALDER-RED", "quantity": 1}]}
    answer = await house.nobody.post("/v1/orders", json=order, headers={"Idempotency-Key": str(uuid4())})
    assert answer.json()["type"] == "/problems/unauthenticated"


async def test_a_page_leads_who_must_sign_in_there_and_back(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/office/disputes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Foffice%2Fdisputes")
    assert 'value="/office/disputes"' in (await visitor.get(answer.headers["location"])).text


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_never_leads_to_another_site(visitor: httpx.AsyncClient, elsewhere: str) -> None:
    page = await visitor.get("/sign-in", params={"next": elsewhere})
    assert 'name="next" value="/account"' in page.text


async def test_a_customer_is_not_let_into_the_office(house: House, visitor: httpx.AsyncClient) -> None:
    await come_in(house, visitor, "customer@example.com")
    assert (await visitor.get("/office")).status_code == 403


async def test_an_administrator_gives_a_role_by_page(house: House, visitor: httpx.AsyncClient) -> None:
    await bearer(house, "helper@example.com")
    await come_in(house, visitor, "boss@example.com", Membership("admin"))
    given = await visitor.post("/office/people", data={"email": "helper@example.com", "role": "support", "tenant": ""})
    assert given.headers["location"] == "/office/people?done=granted"
    assert "helper@example.com" in (await visitor.get("/office/people?role=support")).text


async def test_a_wrong_password_is_told_beside_the_form(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/sign-in", data={"email": "nobody@example.com", "password": "wrong horse battery"})
    assert answer.status_code == 401
    assert "did not sign anybody in" in answer.text


async def test_who_has_signed_in_sees_their_sessions_and_signs_out(house: House, visitor: httpx.AsyncClient) -> None:
    await come_in(house, visitor, "sessions@example.com")
    assert "this one" in (await visitor.get("/account/security")).text
    await visitor.post("/sign-out")
    assert (await visitor.get("/account/security")).status_code == 303


async def test_a_guests_cookie_that_this_house_did_not_give_is_nobodys(house: House, visitor: httpx.AsyncClient) -> None:
    order, _ = await guests_order(house)
    visitor.cookies.set("entrepot_customer", f"{uuid4()}.{'a' * 32}")
    assert (await visitor.get(f"/thanks/{order}")).status_code == 303


async def test_a_buyer_acts_in_no_other_buyers_name(house: House) -> None:
    company, ids = await company_of(house, "ann@acme.example", "bob@acme.example")
    ann = await bearer(house, "ann@acme.example", Membership("buyer", f"company/{company}"))
    draft = {"market": "uk", "contact": BUYER, "lines": [{"sku": "MUG-ALDER-RED", "quantity": 1}]}
    path, codes = f"/v1/companies/{company}/purchases", []
    for buyer in ids:
        headers = {**ann, "Idempotency-Key": str(uuid4())}
        codes.append((await house.nobody.post(path, json={**draft, "buyer_id": buyer}, headers=headers)).status_code)
    assert codes == [201, 404]


async def company_of(house: House, *buyers: str) -> tuple[str, list[str]]:
    """Make a company with these buyers; returns its id and theirs."""

    async def make(path: str, draft: dict[str, Any]) -> str:
        answer = await house.client.post(path, json=draft, headers={"Idempotency-Key": str(uuid4())})
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    draft = {"name": "Acme", "country": "GB", "currency": "GBP", "address": "1 High St, York", "credit_limit_minor": 1_000_000}
    company = await make("/v1/companies", draft)
    named = [{"name": re.sub("@.*", "", one), "email": one} for one in buyers]
    return company, [await make(f"/v1/companies/{company}/buyers", one) for one in named]

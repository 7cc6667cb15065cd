"""What takes two people, over HTTP and by page: it waits, somebody else decides, the same request then goes through once."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from entrepot.base.principal import Membership
from tests.flows.test_access import come_in
from tests.house import House
from tests.people import bearer

PAGE = {"Accept": "text/html"}
MARKET = "z-twofold"  # after the others: a house shows the first of its markets


@pytest.fixture(scope="module")
async def asked(house: House) -> Mapping[str, Any]:
    """Have a price that changes by more than a tenth asked for, and return the request, who asked, and the answer."""
    client = house.client
    await client.put(f"/v1/markets/{MARKET}", json={"currency": "EUR"})
    made = await client.post(
        "/v1/products", json={"code": "TWICE", "texts": {"en": {"title": "Twice"}}, "variants": [{"sku": "TWICE"}]}
    )
    path = f"/v1/products/{made.json()['id']}/prices"
    await client.put(path, json=priced(1_000))
    limit = await client.put(f"/v1/approval-limits/price/{MARKET}", json={"above": 100})
    assert limit.status_code == 200, limit.text
    return {"path": path, "ann": await bearer(house, "asks@example.com", "catalogue")}


def priced(amount_minor: int) -> dict[str, Any]:
    return {"prices": [{"sku": "TWICE", "market": MARKET, "currency": "EUR", "amount_minor": amount_minor}]}


async def ask(house: House, asked: Mapping[str, Any], amount_minor: int) -> httpx.Response:
    return await house.nobody.put(asked["path"], json=priced(amount_minor), headers=asked["ann"])


async def decide(house: House, headers: dict[str, str], approval_id: str, decision: str, why: str = "") -> httpx.Response:
    sent = {"decision": decision, "why": why}
    return await house.nobody.post(f"/v1/approvals/{approval_id}/decisions", json=sent, headers=headers)


async def test_a_large_change_of_price_waits_and_goes_through_once_somebody_else_has_said_yes(
    house: House, asked: Mapping[str, Any]
) -> None:
    held = await ask(house, asked, 100)
    assert (held.status_code, held.json()["type"]) == (409, "/problems/approval-needed")
    waits = held.json()["approval_id"]
    own = await decide(house, asked["ann"], waits, "approved")
    assert (own.status_code, own.json()["type"]) == (409, "/problems/own-approval")
    ben = await bearer(house, "decides@example.com", "catalogue")
    assert (await decide(house, ben, waits, "approved")).status_code == 201
    done = await ask(house, asked, 100)
    assert (done.status_code, done.json()["changed"]) == (200, True), done.text
    again = (await house.nobody.get(f"/v1/approvals/{waits}", headers=ben)).json()
    assert again["state"] == "applied"
    assert (await ask(house, asked, 1_000)).status_code == 409


async def test_who_may_not_do_it_may_not_approve_it(house: House, asked: Mapping[str, Any]) -> None:
    waits = (await ask(house, asked, 5)).json()["approval_id"]
    finance = await bearer(house, "counts@example.com", "finance")
    assert (await decide(house, finance, waits, "approved")).status_code == 403
    support = await bearer(house, "helps@example.com", "support")
    assert (await decide(house, support, waits, "approved")).status_code == 403


async def test_a_key_approves_nothing(house: House, asked: Mapping[str, Any]) -> None:
    waits = (await ask(house, asked, 4)).json()["approval_id"]
    answer = await house.client.post(f"/v1/approvals/{waits}/decisions", json={"decision": "approved"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/step-up-needed")


async def test_the_office_shows_what_waits_and_a_refusal_says_why(house: House, asked: Mapping[str, Any]) -> None:
    waits = (await ask(house, asked, 3)).json()["approval_id"]
    async with httpx.AsyncClient(transport=house.client._transport, base_url="http://house", headers=PAGE) as visitor:
        await come_in(house, visitor, f"{uuid4()}@example.com", Membership("admin"))
        assert f'id="{waits}"' in (await visitor.get("/office/approvals")).text
        silent = await visitor.post(f"/office/approvals/{waits}", data={"as": "refused"})
        assert (silent.status_code, "A refusal says why" in silent.text) == (400, True)
        said = await visitor.post(f"/office/approvals/{waits}", data={"as": "refused", "why": "A typo?"})
        assert said.headers["location"] == "/office/approvals?done=refused"
        assert "A typo?" in (await visitor.get("/office/approvals")).text


async def test_changes_of_financial_terms_are_kept_with_who_made_them(house: House, asked: Mapping[str, Any]) -> None:
    await house.until_reacted()
    found = (await house.client.get(f"/v1/financial-changes?of=limit/price/{MARKET}")).json()["items"]
    assert [(one["kind"], one["body"]["above"]) for one in found] == [("approval.limit_set.v1", 100)]
    assert found[0]["actor"].startswith("key/")

"""Buying for a company over HTTP: approvals, negotiated prices, an invoice on paper, and the money that settles it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from tests.flows.test_api_carts import CONTACT
from tests.flows.test_api_refusals import refused
from tests.house import READY_SECONDS, House
from tests.told import told_of

MUG = "MUG-CEDAR-WHITE"
COMPANY = {"name": "Kim & Sons", "country": "GB", "currency": "GBP", "credit_limit_minor": 200_000, "terms_days": 14}


async def post(house: House, path: str, body: dict[str, Any], key: str = "") -> Response:
    return await house.client.post(path, json=body, headers={"Idempotency-Key": key or str(uuid4())})


async def made(house: House, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await post(house, path, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def company(house: House) -> tuple[str, str, str]:
    """Return a company, a buyer who may spend 50.00 in an order, and an approver."""
    of = (await made(house, "/v1/companies", COMPANY))["id"]
    limited = {"name": "Ann", "email": "ann@kim.example", "order_limit_minor": 5_000}
    ann = (await made(house, f"/v1/companies/{of}/buyers", limited))["id"]
    approver = {"name": "Bea", "email": "bea@kim.example", "role": "approver"}
    return of, ann, (await made(house, f"/v1/companies/{of}/buyers", approver))["id"]


def wanting(buyer: str, quantity: int, **more: Any) -> dict[str, Any]:
    lines = [{"sku": MUG, "quantity": quantity}]
    return {"buyer_id": buyer, "market": "uk", "contact": CONTACT, "lines": lines, "purchase_order": "PO-1", **more}


async def until_invoiced(house: House, of: str) -> dict[str, Any]:
    """Wait until the company's order has its invoice."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            items = (await house.client.get(f"/v1/invoices?company={of}")).json()["items"]
            if items:
                return dict(items[0])
            await asyncio.sleep(0.05)


async def test_a_purchase_above_the_limit_is_ordered_when_another_approves(house: House) -> None:
    of, ann, bea = await company(house)
    waiting = await made(house, f"/v1/companies/{of}/purchases", wanting(ann, 10))
    assert (waiting["state"], waiting["order_id"]) == ("pending", None)
    listed = (await house.client.get(f"/v1/purchases?company={of}&state=pending")).json()["items"]
    assert [one["id"] for one in listed] == [waiting["id"]]
    approval = f"/v1/purchases/{waiting['id']}/approval"
    refused(await post(house, approval, {"buyer_id": ann}), 409, "cannot approve")
    bought = await made(house, approval, {"buyer_id": bea})
    assert bought["state"] == "ordered"
    assert (await house.client.get(f"/v1/orders/{bought['order_id']}")).json()["total_minor"] == bought["total_minor"]


async def test_the_same_key_buys_once_and_answers_the_same(house: House) -> None:
    of, _, bea = await company(house)
    path, key = f"/v1/companies/{of}/purchases", str(uuid4())
    answers = await asyncio.gather(*[post(house, path, wanting(bea, 2), key) for _ in range(10)])
    assert {answer.text for answer in answers} == {answers[0].text}
    credit = (await house.client.get(f"/v1/companies/{of}")).json()
    assert credit["credit_used_minor"] == answers[0].json()["total_minor"]
    refused(await post(house, path, wanting(bea, 3), key), 422, key)


async def test_an_exhausted_credit_says_what_is_left(house: House) -> None:
    of, _, bea = await company(house)
    answer = await post(house, f"/v1/companies/{of}/purchases", wanting(bea, 500))
    refused(answer, 409, "credit left", "200000")
    assert answer.json()["type"] == "/problems/credit-exhausted"
    assert answer.json()["left_minor"] == COMPANY["credit_limit_minor"]


async def test_an_invoice_can_be_printed_and_is_settled_by_the_transfer_that_names_it(house: House) -> None:
    of, _, bea = await company(house)
    await house.client.put("/v1/invoice-issuer", json={"name": "Entrepôt Ltd", "address": "2 Low St\nYork"})
    bought = await made(house, f"/v1/companies/{of}/purchases", wanting(bea, 3))
    invoice = await until_invoiced(house, of)
    paper = await house.client.get(f"/v1/invoices/{invoice['id']}/page")
    assert paper.headers["content-type"].startswith("text/html")
    assert all(text in paper.text for text in (invoice["number"], "Cedar Mug white", "PO-1", "Kim &amp; Sons", "Entrepôt Ltd"))
    today = datetime.now(UTC).date().isoformat()
    transfer = {"bank_reference": str(uuid4()), "received_on": today, "currency": "GBP", "remittance": invoice["number"]}
    matched = await made(house, "/v1/receipts", {**transfer, "amount_minor": bought["total_minor"] + 100})
    assert [one["state"] for one in matched["invoices"]] == ["paid"]
    assert (await house.client.get(f"/v1/companies/{of}")).json()["credit_used_minor"] == 0
    left = (await house.client.get("/v1/receipts?unused=true")).json()["items"][0]
    assert (left["company_id"], left["amount_minor"] - left["used_minor"]) == (of, 100)


async def until_credited(house: House, of: str) -> str:
    """Wait until the company has a credit note; returns its id."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            if items := (await house.client.get(f"/v1/credit-notes?company={of}")).json()["items"]:
                return str(items[0]["id"])
            await asyncio.sleep(0.05)


async def test_a_credit_note_says_whose_it_told(house: House) -> None:
    of, _, bea = await company(house)
    bought = await made(house, f"/v1/companies/{of}/purchases", wanting(bea, 2))
    await until_invoiced(house, of)
    await post(house, f"/v1/orders/{bought['order_id']}/cancellation", {"reason": "too late"})
    note = await until_credited(house, of)
    for path in (f"/v1/credit-notes/{note}", f"/v1/credit-notes/{note}/page"):
        answer = await house.client.get(path)
        assert (answer.status_code, len(await told_of(house, answer))) == (200, 1), path


async def test_what_a_buyer_sees_of_their_company_says_whose_it_told(house: House) -> None:
    of, _, bea = await company(house)
    await made(house, f"/v1/companies/{of}/purchases", wanting(bea, 2))
    asked = {"buyer_id": bea, "market": "uk", "lines": [{"sku": MUG, "quantity": 40}]}
    quote = (await made(house, f"/v1/companies/{of}/negotiations", asked))["id"]
    entered = await house.client.post("/account/company", data={"company": of, "buyer": bea})
    assert entered.status_code == 303, entered.text
    for path in ("/account/company", f"/account/company/quotes/{quote}"):
        page = await house.client.get(path)
        assert (page.status_code, bool(await told_of(house, page))) == (200, True), path
    house.client.cookies.clear()


async def test_prices_are_negotiated_and_bought_at(house: House) -> None:
    of, _, bea = await company(house)
    asked = {"buyer_id": bea, "market": "uk", "lines": [{"sku": MUG, "quantity": 40}]}
    at = f"/v1/negotiations/{(await made(house, f'/v1/companies/{of}/negotiations', asked))['id']}"
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    await made(house, f"{at}/offer", {"units_minor": {MUG: 400}, "valid_until": until})
    await made(house, f"{at}/counter", {"units_minor": {MUG: 300}, "note": "or not at all"})
    refused(await post(house, f"{at}/acceptance", {"side": "company"}), 409, "other side")
    agreed = await made(house, f"{at}/acceptance", {"side": "merchant"})
    bought = await made(house, f"/v1/companies/{of}/purchases", wanting(bea, 0, lines=[], negotiation_id=agreed["id"]))
    order = (await house.client.get(f"/v1/orders/{bought['order_id']}")).json()
    assert order["goods_minor"] == 40 * 300
    history = (await house.client.get(at)).json()
    assert [one["did"] for one in history["rounds"]] == ["requested", "offered", "countered", "accepted"]


@pytest.mark.parametrize(
    ("changes", "status", "parts"),
    [
        ({"vat_id": "GB123456789"}, 400, ["VAT id"]),
        ({"country": "Britain"}, 400, ["Britain"]),
        ({"currency": "XXQ"}, 400, ["XXQ"]),
        ({"credit_limit_minor": -5}, 400, ["-5"]),
        ({"terms_days": 4_000}, 400, ["4000"]),
    ],
)
async def test_a_company_that_cannot_be_is_refused_by_name(
    house: House, changes: dict[str, Any], status: int, parts: list[str]
) -> None:
    refused(await post(house, "/v1/companies", {**COMPANY, **changes}), status, *parts)


async def test_what_does_not_exist_is_not_found(house: House) -> None:
    nobody = str(uuid4())
    for path in ("companies", "purchases", "negotiations", "invoices", "credit-notes"):
        refused(await house.client.get(f"/v1/{path}/{nobody}"), 404, nobody)
    refused(await post(house, f"/v1/receipts/{nobody}/owner", {"company_id": nobody}), 404, nobody)
    refused(await post(house, f"/v1/invoices/{nobody}/settlements", {}), 400, "give one of the two")

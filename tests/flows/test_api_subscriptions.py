"""Subscriptions over HTTP: subscribed by a kept method, charged at once, paused, changed, given up; refusals by name."""

from typing import Any
from uuid import UUID, uuid4

from tests.flows.test_api_business import made, post
from tests.flows.test_api_carts import CONTACT
from tests.flows.test_api_refusals import refused
from tests.house import House
from tests.people import bearer
from tests.told import told_of

MUG = "MUG-ALDER-WHITE"


async def plan(house: House, amount_minor: int, **more: Any) -> str:
    """Make a monthly plan and return its code."""
    code = f"plan-{uuid4()}"
    prices = [{"market": "uk", "currency": "GBP", "amount_minor": amount_minor}]
    answer = await house.client.put(
        f"/v1/plans/{code}", json={"title": "Mugs", "sku": MUG, "unit": "month", "prices": prices, **more}
    )
    assert answer.status_code == 200, answer.text
    return code


async def kept(house: House, card: str = "tok_ok", customer: str = "") -> tuple[str, str]:
    """Return a customer who has bought something by a card, and the method that was kept."""
    customer = customer or str(house.app.record.ids.fresh())
    payment = {"token": card, "keep": True}
    lines = [{"sku": MUG, "quantity": 1}]
    bought = {"market": "uk", "lines": lines, "contact": CONTACT, "payment": payment, "customer_id": customer}
    await made(house, "/v1/checkouts", bought)
    [method] = (await house.client.get(f"/v1/customers/{customer}/payment-methods")).json()["items"]
    return customer, method["id"]


async def subscribed(house: House, code: str, card: str = "tok_ok", customer: str = "") -> dict[str, Any]:
    customer, method = await kept(house, card, customer)
    asked = {"customer_id": customer, "plan": code, "market": "uk", "contact": CONTACT, "method_id": method}
    return await made(house, "/v1/subscriptions", asked)


async def test_a_subscription_is_charged_at_once_and_has_its_order(house: House) -> None:
    detail = await subscribed(house, await plan(house, 1200))
    [charge] = detail["charges"]
    assert (detail["subscription"]["state"], charge["state"], charge["amount_minor"]) == ("active", "paid", 1200)
    order = (await house.client.get(f"/v1/orders/{charge['order_id']}")).json()
    assert order["goods_minor"] == 1200
    listed = await house.client.get(f"/v1/subscriptions?customer={detail['subscription']['customer_id']}")
    assert [one["id"] for one in listed.json()["items"]] == [detail["subscription"]["id"]]


async def test_the_page_of_a_subscription_says_whose_it_told(house: House) -> None:
    headers = await bearer(house, f"{uuid4()}@example.com")
    who = (await house.nobody.get("/v1/me", headers=headers)).json()["id"]
    detail = await subscribed(house, await plan(house, 1200), customer=who)
    page = await house.nobody.get(f"/account/subscriptions/{detail['subscription']['id']}", headers=headers)
    assert page.status_code == 200, page.text
    assert await told_of(house, page) == {UUID(who)}


async def test_what_cannot_be_charged_once_never_begins(house: House) -> None:
    detail = await subscribed(house, await plan(house, 1200), "tok_stored_declined")
    assert (detail["subscription"]["state"], detail["subscription"]["why"]) == ("ended", "insufficient_funds")


async def test_a_trial_is_not_charged(house: House) -> None:
    detail = await subscribed(house, await plan(house, 1200, trial_days=7))
    assert (detail["subscription"]["state"], detail["charges"]) == ("trialing", [])


async def test_a_subscription_is_paused_resumed_and_given_up(house: House) -> None:
    detail = await subscribed(house, await plan(house, 1200))
    at = f"/v1/subscriptions/{detail['subscription']['id']}"
    assert (await made(house, f"{at}/pause", {}))["state"] == "paused"
    refused(await post(house, f"{at}/pause", {}), 409, "is paused and cannot become paused")
    assert (await made(house, f"{at}/resumption", {}))["state"] == "active"
    assert (await made(house, f"{at}/cancellation", {"why": "moving"}))["state"] == "cancelled"
    assert (await made(house, f"{at}/cancellation", {"at_once": True}))["state"] == "ended"


async def test_a_plan_is_refused_where_it_cannot_be(house: House) -> None:
    code = await plan(house, 1200)
    customer, method = await kept(house)
    asked = {"customer_id": customer, "plan": code, "market": "uk", "contact": CONTACT, "method_id": method}
    for changes, status, parts in (
        ({"market": "mars"}, 400, ["'mars'"]),
        ({"plan": "nothing"}, 404, ["'nothing'"]),
        ({"quantity": 0}, 400, ["0 pieces"]),
        ({"method_id": str(uuid4())}, 404, ["no payment method"]),
        ({"customer_id": str(uuid4())}, 404, ["no payment method"]),
    ):
        refused(await post(house, "/v1/subscriptions", {**asked, **changes}), status, *parts)
    other = {"title": "Mugs", "sku": "TRAY-ALDER-RED", "unit": "month", "prices": []}
    refused(await house.client.put(f"/v1/plans/{code}", json=other), 400, "one price")

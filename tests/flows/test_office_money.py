"""The back office's pages for what somebody must settle or refill: unclear payments, pools of licences that are low."""

from tests.flows.test_api_flow import key
from tests.flows.test_api_payments import move, paid
from tests.house import House

PAGE = {"Accept": "text/html"}


async def test_an_unclear_payment_waits_in_the_office_until_somebody_settles_it(house: House) -> None:
    payment_id = await paid(house, card="tok_lies_on_capture")
    await move(house, payment_id, "captures", {"amount_minor": 500})
    (lied,) = (await house.client.get(f"/v1/payments/{payment_id}")).json()["operations"]
    assert "Payments to settle" in (await house.client.get("/office", headers=PAGE)).text
    assert lied["id"] in (await house.client.get("/office/payments", headers=PAGE)).text
    settle = f"/office/payments/{lied['id']}"
    wrong = await house.client.post(settle, data={"as": "failed", "why": "they said so"}, headers=PAGE)
    assert (wrong.status_code, "499 of the 500" in wrong.text) == (409, True)
    right = await house.client.post(settle, data={"as": "succeeded", "why": "they said so"}, headers=PAGE)
    assert (right.status_code, right.headers["location"]) == (303, "/office/payments?done=settled")
    assert lied["id"] not in (await house.client.get("/office/payments", headers=PAGE)).text


async def test_a_pool_that_is_low_is_shown_in_the_office_and_listed(house: House) -> None:
    made = await house.client.post(
        "/v1/products", json={"code": "FONT", "texts": {"en": {"title": "Font"}}, "variants": [{"sku": "FONT"}]}
    )
    assert made.status_code == 201, made.text
    await house.client.put("/v1/selling-terms/FONT", json={"delivery": "digital"}, headers=key())
    added = await house.client.post("/v1/pools/FONT/licences", json={"codes": ["F-1", "F-2"], "low_at": 2}, headers=key())
    assert added.status_code == 201, added.text
    low = {one["sku"]: one["free"] for one in (await house.client.get("/v1/pools")).json()["items"]}
    assert low["FONT"] == 2
    assert "FONT" in (await house.client.get("/office/licences", headers=PAGE)).text

"""Prices over HTTP: what a cart costs and why, what cannot be priced, and terms that change."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from tests.flows.test_api_checkout import BUYER, OK, call
from tests.flows.test_api_refusals import refused
from tests.house import House

KETTLE = "KETTLE-ALDER-BLACK"
MOMENT = "2026-11-01T00:00:00Z"


def cart(**more: object) -> dict[str, object]:
    base: dict[str, object] = {"market": "uk", "country": "GB", "lines": [{"sku": KETTLE, "quantity": 2}]}
    return base | more


async def put(house: House, path: str, body: Mapping[str, object]) -> Any:
    answer = await house.client.put(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 200, answer.text
    return answer


async def prices(house: House, **more: object) -> Any:
    answer = await house.client.post("/v1/prices", json=cart(**more))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_prices_are_told_with_every_step_that_makes_them(house: House) -> None:
    told = await prices(house, coupons=["WELCOME10"])
    assert told["total_minor"] == sum(step["amount_minor"] for step in told["explained"])
    assert "coupon WELCOME10" in told["explained"][1]["sentence"]
    assert not {"claims", "commission_permille"} & (told.keys() | told["lines"][0].keys())  # not a shopper's business


async def test_a_promotion_counts_from_the_answer_to_its_making_on(house: House) -> None:
    code = f"SALE-{uuid4().hex[:8]}".upper()
    before = await prices(house)
    body = {"title": "Half", "effect": {"kind": "percentage", "basis_points": 5000}, "currency": "GBP", "skus": [KETTLE]}
    answer = await put(house, f"/v1/promotions/{code}", body)
    assert answer.headers["Entrepot-Position"]
    assert (await prices(house))["goods_minor"] * 2 == before["goods_minor"]
    await put(house, f"/v1/promotions/{code}", body | {"active": False})
    assert (await prices(house))["goods_minor"] == before["goods_minor"]


async def test_a_list_for_a_group_and_a_currency_by_its_rate_are_quoted(house: House) -> None:
    code, group = f"list-{uuid4().hex[:8]}", uuid4().hex[:8]
    draft = {"title": "A", "market": "uk", "currency": "GBP", "rank": 5, "valid_from": "2026-01-01T00:00:00Z"}
    await put(house, f"/v1/price-lists/{code}", draft | {"customer_group": group})
    tiers = [{"from_quantity": 2, "amount_minor": 87}]
    await put(house, f"/v1/price-lists/{code}/prices", {"prices": [{"sku": KETTLE, "tiers": tiers}]})
    await put(house, "/v1/markets/uk", {"currency": "GBP", "currencies": ["EUR", "CHF"]})
    rate = {"base": "EUR", "quote": "GBP", "rate": "0.87", "valid_from": MOMENT, "source": "test"}
    await put(house, "/v1/rates", {"rates": [rate]})
    told = await prices(house, customer_groups=[group], currency="EUR")
    assert told["lines"][0]["list_minor"] == 100


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"lines": [{"sku": KETTLE, "quantity": 0}]}, 400, "quantity-refused"),
        ({"lines": [{"sku": KETTLE, "quantity": -3}]}, 400, "quantity-refused"),
        ({"lines": [{"sku": KETTLE, "quantity": 10**12}]}, 400, "quantity-refused"),
        ({"lines": [{"sku": KETTLE, "quantity": 1, "agreed_unit_minor": 1}]}, 400, "bad-input"),
        ({"lines": []}, 400, "bad-input"),
        ({"lines": [{"sku": "NOTHING", "quantity": 1}]}, 404, "not-found"),
        ({"market": "mars"}, 404, "not-found"),
        ({"currency": "JPY"}, 400, "currency-not-sold"),
        ({"country": "Mars"}, 400, "bad-input"),
        ({"coupons": ["NOSUCH"]}, 404, "coupon-unknown"),
        ({"coupons": ["THANKYOU"]}, 409, "coupon-refused"),
        ({"coupons": ["A"] * 11}, 400, "bad-input"),
        ({"shipping_method": "balloon"}, 400, "bad-input"),
        ({"vat_id": "DE123"}, 400, "vat-id-refused"),
        ({"at": "2026-11-20T12:00:00"}, 400, "bad-input"),
    ],
)
async def test_what_cannot_be_priced_is_a_problem_of_its_own_kind(
    house: House, more: dict[str, object], status: int, kind: str
) -> None:
    answer = await house.client.post("/v1/prices", json=cart(**more))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{kind}"), answer.text
    assert problem["detail"].endswith(".")


async def test_a_coupon_that_is_over_says_until_when_it_was_valid(house: House) -> None:
    code = f"OLD{uuid4().hex[:8]}".upper()
    await put(house, f"/v1/coupons/{code}", {"promotion": "WELCOME", "ends_at": "2026-01-01T00:00:00Z"})
    problem = (await house.client.post("/v1/prices", json=cart(coupons=[code]))).json()
    assert (problem["type"], problem["status"]) == ("/problems/coupon-expired", 409)
    assert "2026-01-01" in problem["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/promotions/X", {"title": "X", "effect": {"kind": "percentage", "basis_points": 10_001}, "currency": "GBP"}),
        ("/v1/promotions/X", {"title": "X", "effect": {"kind": "magic"}, "currency": "GBP"}),
        ("/v1/promotions/x", {"title": "X", "effect": {"kind": "free_shipping"}, "currency": "GBP"}),
        ("/v1/coupons/X", {"promotion": "WELCOME", "most": 0}),
        ("/v1/coupons/X", {"promotion": "WELCOME", "starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}),
        (
            "/v1/rates",
            {"rates": [{"base": "EUR", "quote": "GBP", "rate": "0", "valid_from": "2026-01-01T00:00:00Z", "source": ""}]},
        ),
        ("/v1/shipping/zones/moon", {"title": "Moon", "places": []}),
        ("/v1/shipping/methods/m", {"title": "M", "currency": "GBP", "rates": [{"zone": "moon", "brackets": []}]}),
        ("/v1/markets/uk", {"currency": "GBP", "country": "Britain"}),
    ],
)
async def test_terms_that_cannot_be_are_refused_and_nothing_is_kept(house: House, path: str, body: dict[str, object]) -> None:
    before = await prices(house)
    answer = await house.client.put(path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-input"), answer.text
    assert (await prices(house))["total_minor"] == before["total_minor"]


async def test_a_customer_of_a_group_buys_at_its_prices_and_nobody_else_may_look_them_up(house: House) -> None:
    code, group, kim = f"list-{uuid4().hex[:8]}", uuid4().hex[:8], str(uuid4())
    draft = {"title": "A", "market": "uk", "currency": "GBP", "rank": 6, "valid_from": "2026-01-01T00:00:00Z"}
    await put(house, f"/v1/price-lists/{code}", draft | {"customer_group": group})
    prices_of_it = [{"sku": KETTLE, "tiers": [{"from_quantity": 1, "amount_minor": 123}]}]
    await put(house, f"/v1/price-lists/{code}/prices", {"prices": prices_of_it})
    await put(house, f"/v1/customers/{kim}/groups", {"groups": [group]})
    assert (await house.client.get(f"/v1/customers/{kim}/groups")).json() == {"groups": [group]}
    bought = {"market": "uk", "lines": [{"sku": KETTLE, "quantity": 2}], "contact": BUYER, "payment": OK, "customer_id": kim}
    status, placed = await call(house, "POST", "/v1/checkouts", bought)
    assert status == 201, placed
    assert (await house.client.get(f"/v1/orders/{placed['order_id']}")).json()["goods_minor"] == 246
    refused(await house.nobody.post("/v1/prices", json=cart(customer_groups=[group])), 403, "pricing.read")
    for groups, part in ((["vip"] * 21, "21 groups"), ([""], "''"), (["a\nb"], "letters")):
        refused(await house.client.put(f"/v1/customers/{kim}/groups", json={"groups": groups}), 400, part)

"""Checkout over HTTP: from a cart to an order in the calls that a storefront makes, and what a buyer is told on the way."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.house import House
from tests.shop_front import products

BUYER = {
    "email": "kim@example.org",
    "name": "Kim",
    "address": {"line1": "1 High St", "city": "York", "postcode": "YO1 7HH", "country": "GB"},
}
TEAPOT = products()[9].code
OK = {"token": "tok_ok"}


async def call(house: House, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
    """Make a call and return status and body."""
    answer = await house.client.request(method, path, json=body, headers={"Idempotency-Key": key or str(uuid4())})
    return answer.status_code, answer.json()


async def filled_cart(house: House, quantity: int = 1) -> str:
    """Open a cart, put a teapot in, and say where it goes and how; returns its path."""
    opened = {"market": "uk", "country": "GB", "lines": [{"sku": TEAPOT, "quantity": quantity}]}
    _, cart = await call(house, "POST", "/v1/carts", opened)
    path = f"/v1/carts/{cart['id']}"
    assert (await call(house, "PUT", f"{path}/delivery", BUYER))[0] == 200
    assert (await call(house, "PUT", f"{path}/shipping-method", {"method": "standard"}))[0] == 200
    return path


async def test_a_cart_becomes_an_order_and_is_closed(house: House) -> None:
    path = await filled_cart(house, 2)
    _, shown = await call(house, "GET", path)
    status, told = await call(house, "POST", f"{path}/complete", {"payment": OK, "expected_total_minor": shown["total_minor"]})
    assert (status, told["state"], told["total_minor"]) == (201, "placed", shown["total_minor"])
    status, order = await call(house, "GET", f"/v1/orders/{told['order_id']}")
    assert (status, order["total_minor"], order["state"]) == (200, shown["total_minor"], "placed")
    assert (await call(house, "GET", path))[1]["standing"] == "ordered"
    status, payment = await call(house, "GET", f"/v1/payments/{told['order_id']}")
    assert (status, payment["authorized_minor"]) == (200, shown["total_minor"])


async def test_how_it_is_sent_is_chosen_by_the_call_that_pays_or_refused_with_what_is_possible(house: House) -> None:
    opened = {"market": "uk", "country": "GB", "lines": [{"sku": TEAPOT, "quantity": 1}]}
    path = f"/v1/carts/{(await call(house, 'POST', '/v1/carts', opened))[1]['id']}"
    dearest = (await call(house, "PUT", f"{path}/delivery", BUYER))[1]["shipping_methods"][-1]
    paid, key = {"payment": OK, "shipping_method": dearest["method"]}, str(uuid4())
    status, told = await call(house, "POST", f"{path}/complete", paid | {"shipping_method": "balloon"})
    assert (status, told["field"], told["value"]) == (400, "shipping_method", "balloon")
    assert dearest["method"] in told["detail"]
    status, told = await call(house, "POST", f"{path}/complete", paid, key)
    assert (status, told["state"]) == (201, "placed")
    assert (await call(house, "POST", f"{path}/complete", {"payment": OK}, key))[0] == 422  # the same key for another choice
    charges = (await call(house, "GET", f"/v1/orders/{told['order_id']}"))[1]["charges"]
    assert [(one["note"], one["amount_minor"]) for one in charges] == [(dearest["method"], dearest["amount_minor"])]


async def test_one_cart_becomes_one_order_whatever_keys_it_is_completed_by(house: House) -> None:
    path = await filled_cart(house)
    answers = await asyncio.gather(*[call(house, "POST", f"{path}/complete", {"payment": OK}) for _ in range(10)])
    assert sorted(status for status, _ in answers) == [201] + [409] * 9
    assert {body["type"].rpartition("/")[2] for status, body in answers if status == 409} <= {"cart-ordered", "conflict"}


async def test_fifty_requests_with_one_key_get_fifty_equal_answers(house: House) -> None:
    path, key = await filled_cart(house), str(uuid4())
    answers = await asyncio.gather(*[call(house, "POST", f"{path}/complete", {"payment": OK}, key) for _ in range(50)])
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 201
    assert await call(house, "POST", f"{path}/complete", {"payment": OK}, key) == answers[0]
    assert (await call(house, "POST", f"{path}/complete", {"payment": {"token": "tok_other"}}, key))[0] == 422


async def test_a_declined_cart_can_be_paid_by_another_card(house: House) -> None:
    path = await filled_cart(house)
    status, told = await call(house, "POST", f"{path}/complete", {"payment": {"token": "tok_stolen"}})
    assert (status, told["type"].rpartition("/")[2], told["reason"]) == (402, "payment-declined", "stolen_card")
    assert (await call(house, "POST", f"{path}/complete", {"payment": OK}))[0] == 201


async def test_a_challenge_is_answered_and_gone_on_with(house: House) -> None:
    path, key = await filled_cart(house), str(uuid4())
    body = {"payment": {"token": "tok_challenge", "return_url": "https://shop.example/thanks"}}
    status, asked = await call(house, "POST", f"{path}/complete", body, key)
    assert (status, asked["state"]) == (202, "challenged")
    payment = await house.app.gateway.find(asked["checkout_id"])
    assert payment is not None
    await house.app.gateway.answer_challenge(payment.id, approved=True)  # type: ignore[attr-defined]  # only the sandbox has buyers
    status, told = await call(house, "POST", f"/v1/checkouts/{asked['checkout_id']}/resume")
    assert (status, told["state"], told["order_id"]) == (201, "placed", asked["checkout_id"])
    assert await call(house, "POST", f"{path}/complete", body, key) == (status, told)
    assert (await call(house, "GET", path))[1]["standing"] == "ordered"


async def test_a_changed_price_is_told_with_the_quote_of_now(house: House) -> None:
    path = await filled_cart(house)
    status, told = await call(house, "POST", f"{path}/complete", {"payment": OK, "expected_total_minor": 1})
    assert (status, told["type"].rpartition("/")[2]) == (409, "price-changed")
    assert told["quote"]["total_minor"] == told["total_minor"]
    assert (await call(house, "GET", path))[1]["standing"] == "open"


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"lines": [{"sku": TEAPOT, "quantity": 0}]}, 400, "quantity-refused"),
        ({"lines": [{"sku": TEAPOT, "quantity": 9_999}]}, 409, "stock-exhausted"),
        ({"lines": [{"sku": "nothing", "quantity": 1}]}, 404, "not-found"),
        ({"currency": "JPY"}, 400, "currency-not-sold"),
        ({"coupons": ["NOPE"]}, 404, "coupon-unknown"),
        ({"payment": {"token": ""}}, 400, "bad-input"),
        ({"payment": {"kind": "none"}}, 400, "bad-input"),
        ({"payment": {"token": "tok_ok", "return_url": "javascript:alert(1)"}}, 400, "bad-input"),
        ({"payment": {"kind": "terms"}}, 400, "bad-input"),
        ({"payment": {"token": "tok_timeout_before_charge"}}, 503, "gateway-away"),
    ],
)
async def test_what_cannot_be_bought_says_why(house: House, change: dict[str, object], status: int, slug: str) -> None:
    asked = {"market": "uk", "lines": [{"sku": TEAPOT, "quantity": 1}], "contact": BUYER, "payment": OK}
    given, told = await call(house, "POST", "/v1/checkouts", asked | change)
    assert (given, told["type"].rpartition("/")[2]) == (status, slug), told

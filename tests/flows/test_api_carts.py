"""Carts over HTTP: filled, looked at, changed from two tabs, merged on sign-in; what cannot be is refused by name."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from tests.flows.test_api_refusals import refused
from tests.house import House

MUG, TRAY = "MUG-BIRCH-BLACK", "TRAY-BIRCH-BLACK"
CART = {"market": "uk", "country": "GB", "lines": [{"sku": MUG, "quantity": 2, "note": "as a gift"}]}
CONTACT = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "address": {"line1": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB"},
}


async def opened(house: House, **other: Any) -> dict[str, Any]:
    answer = await house.client.post("/v1/carts", json={**CART, **other})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/carts/{answer.json()['id']}"
    return dict(answer.json())


async def look(house: House, cart: dict[str, Any]) -> dict[str, Any]:
    answer = await house.client.get(f"/v1/carts/{cart['id']}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    return dict(answer.json())


async def put_in(house: House, cart: dict[str, Any], sku: str, quantity: int, **headers: str) -> Response:
    body = {"lines": [{"sku": sku, "quantity": quantity}]}
    return await house.client.post(f"/v1/carts/{cart['id']}/lines", json=body, headers=headers)


def pieces(cart: dict[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in cart["lines"]}


async def test_a_cart_shows_what_it_holds_at_the_price_of_the_moment(house: House) -> None:
    cart = await opened(house)
    assert (await put_in(house, cart, TRAY, 1)).json()["pieces"] == 3
    seen = await look(house, cart)
    assert [(line["sku"], line["quantity"], line["note"], line["changed"]) for line in seen["lines"]] == [
        (MUG, 2, "as a gift", []),
        (TRAY, 1, "", []),
    ]
    assert seen["goods_minor"] == sum(line["unit_minor"] * line["quantity"] for line in seen["lines"]) > 0
    assert seen["total_minor"] == seen["goods_minor"] + sum(charge["amount_minor"] for charge in seen["charges"])
    assert seen["total_minor"] == sum(step["amount_minor"] for step in seen["explained"])
    assert seen["taxes"][0]["jurisdiction"] == "GB"
    assert (seen["currency"], seen["country"], seen["standing"]) == ("GBP", "GB", "open")


async def test_a_line_is_changed_noted_and_taken_out(house: House) -> None:
    cart = await opened(house)
    line = f"/v1/carts/{cart['id']}/lines/{MUG}"
    changed = await house.client.patch(line, json={"quantity": 5})
    assert changed.json()["lines"] == [{"sku": MUG, "quantity": 5, "note": "as a gift"}]
    noted = await house.client.patch(line, json={"note": "no gift"})
    assert noted.json()["lines"] == [{"sku": MUG, "quantity": 5, "note": "no gift"}]
    assert (await house.client.patch(line, json={"quantity": 0})).json()["lines"] == []
    assert (await house.client.delete(line)).json()["lines"] == []


async def test_two_tabs_do_not_overwrite_each_other(house: House) -> None:
    cart = await opened(house)
    await put_in(house, cart, MUG, 3)
    seen = {"Entrepot-Seen": cart["version"]}
    line = f"/v1/carts/{cart['id']}/lines/{MUG}"
    stale = await house.client.patch(line, json={"quantity": 1}, headers=seen)
    assert pieces(stale.json()) == {MUG: 4}
    again = await house.client.patch(line, json={"quantity": 1}, headers=seen)
    assert pieces(again.json()) == {MUG: 4}
    out = await house.client.delete(line, headers={"Entrepot-Seen": again.json()["version"]})
    assert pieces(out.json()) == {}


async def test_changes_at_the_same_moment_are_all_kept(house: House) -> None:
    cart = await opened(house)
    answers = await asyncio.gather(*(put_in(house, cart, MUG if n % 2 else TRAY, 1) for n in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert pieces(await look(house, cart)) == {MUG: 12, TRAY: 10}


async def test_a_key_opens_one_cart_and_means_one_thing(house: House) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*(house.client.post("/v1/carts", json=CART, headers=key) for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await house.client.post("/v1/carts", json={**CART, "country": "FR"}, headers=key)
    refused(other, 422, "different request")


async def test_a_key_puts_in_once_and_means_one_thing(house: House) -> None:
    cart, key = await opened(house), {"Idempotency-Key": str(uuid4())}
    await asyncio.gather(*(put_in(house, cart, MUG, 1, **key) for _ in range(10)))
    assert pieces(await look(house, cart)) == {MUG: 3}
    refused(await put_in(house, cart, MUG, 2, **key), 422, "different request")


async def test_a_changed_price_and_a_shortage_are_told_and_not_applied_in_silence(house: House) -> None:
    cart = await opened(house, lines=[{"sku": "MUG-BIRCH-RED", "quantity": 1_001}])
    product_id, before = (await look(house, cart))["lines"][0]["product_id"], (await look(house, cart))["lines"][0]
    assert before["changed"] == ["Only 1000 are left, 1001 wanted."]
    price = {"sku": "MUG-BIRCH-RED", "market": "uk", "currency": "GBP", "amount_minor": before["unit_minor"] + 1}
    await house.client.put(f"/v1/products/{product_id}/prices", json={"prices": [price]})
    after = (await look(house, cart))["lines"][0]
    assert after["unit_minor"] == before["unit_minor"] + 1
    assert after["changed"][0].startswith("The price was ")
    await house.client.patch(f"/v1/carts/{cart['id']}/lines/MUG-BIRCH-RED", json={"quantity": 1})
    assert (await look(house, cart))["lines"][0]["changed"] == []


async def test_a_note_that_goes_there_and_back_is_kept_each_time(house: House) -> None:
    cart = await opened(house)
    path, seen = f"/v1/carts/{cart['id']}/lines/{MUG}", {"Entrepot-Seen": cart["version"]}
    for note in ("red", "blue", "red"):
        answer = await house.client.patch(path, json={"note": note}, headers=seen)
        assert answer.status_code == 200, answer.text
    assert (await look(house, cart))["lines"][0]["note"] == "red"


async def test_a_guest_s_cart_is_merged_once_when_its_buyer_signs_in(house: House) -> None:
    guest, own = await opened(house), await opened(house, customer_id=str(uuid4()), lines=[{"sku": TRAY, "quantity": 1}])
    await put_in(house, own, MUG, 1)
    merge = f"/v1/carts/{guest['id']}/merge"
    answers = await asyncio.gather(*(house.client.post(merge, json={"into": own["id"]}) for _ in range(5)))
    assert [pieces(answer.json()) for answer in answers] == [{TRAY: 1, MUG: 3}] * 5
    assert (await look(house, own))["customer_id"] is not None
    assert (await look(house, guest))["standing"] == "merged"
    refused(await put_in(house, guest, MUG, 1), 409, "was merged")
    refused(await house.client.post(merge, json={"into": guest["id"]}), 400, "into itself")


async def test_a_coupon_is_taken_if_it_is_one_and_takes_something_off(house: House) -> None:
    cart = await opened(house)
    path = f"/v1/carts/{cart['id']}"
    assert (await house.client.put(f"{path}/coupons/welcome10")).json()["coupons"] == ["WELCOME10"]
    (line,) = (await look(house, cart))["lines"]
    assert line["discount_minor"] == line["unit_minor"] * 2 // 10
    refused(await house.client.put(f"{path}/coupons/NEVER"), 404, "NEVER")
    assert (await house.client.delete(f"{path}/coupons/WELCOME10")).json()["coupons"] == []
    assert (await look(house, cart))["lines"][0]["discount_minor"] == 0


async def test_a_shipping_method_is_one_of_those_that_go_there(house: House) -> None:
    cart = await opened(house)
    path = f"/v1/carts/{cart['id']}"
    offered = (await house.client.get(f"{path}/shipping-methods")).json()["items"]
    assert [one["method"] for one in offered] == ["standard", "express"]
    delivered = (await house.client.put(f"{path}/delivery", json=CONTACT)).json()
    assert delivered["shipping_methods"] == offered  # so that a storefront need not ask
    assert (await house.client.put(f"{path}/shipping-method", json={"method": "express"})).status_code == 200
    seen = await look(house, cart)
    assert (seen["shipping_method"], seen["charges"][0]["amount_minor"]) == ("express", offered[1]["amount_minor"])
    refused(await house.client.put(f"{path}/shipping-method", json={"method": "pigeon"}), 400, "'pigeon'", "standard, express")


async def test_what_stands_between_a_cart_and_its_order_is_told_by_looking_at_it(house: House) -> None:
    cart = await opened(house)
    path = f"/v1/carts/{cart['id']}"
    await house.client.put(f"{path}/shipping-method", json={"method": "express"})
    abroad = {**CONTACT, "address": {"line1": "1 Road", "city": "Oslo", "country": "NO"}}
    assert (await house.client.put(f"{path}/delivery", json=abroad)).status_code == 200
    seen = await look(house, cart)
    assert (seen["obstacle"]["slug"], seen["total_minor"]) == ("bad-input", None)
    assert "'express' does not go there: choose one of standard" in seen["obstacle"]["detail"]


async def test_the_delivery_is_kept_with_the_cart(house: House) -> None:
    cart = await opened(house)
    path = f"/v1/carts/{cart['id']}"
    french = {**CONTACT, "address": {**CONTACT["address"], "country": "FR"}}  # type: ignore[dict-item]  # it is one
    assert (await house.client.put(f"{path}/delivery", json=french)).status_code == 200
    seen = await look(house, cart)
    assert (seen["contact"]["name"], seen["country"]) == ("Ada Lovelace", "FR")


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ({**CART, "market": "moon"}, 400, "'moon'"),
        ({**CART, "currency": "JPY"}, 400, "not in JPY"),
        ({**CART, "country": "Britain"}, 400, "'Britain'"),
        ({**CART, "lines": [{"sku": "NOPE", "quantity": 1}]}, 404, "'NOPE'"),
        ({**CART, "lines": [{"sku": MUG, "quantity": 0}]}, 400, "0 pieces"),
        ({**CART, "lines": [{"sku": MUG, "quantity": -1}]}, 400, "-1 pieces"),
        ({**CART, "lines": [{"sku": MUG, "quantity": 10**9}]}, 400, "100000"),
        ({**CART, "lines": [{"sku": MUG, "quantity": 1, "note": "x" * 501}]}, 400, "501 characters"),
    ],
)
async def test_a_cart_that_cannot_be_is_refused_by_name(house: House, body: object, status: int, part: str) -> None:
    refused(await house.client.post("/v1/carts", json=body), status, part)


async def test_a_change_that_cannot_be_is_refused_by_name(house: House) -> None:
    cart = await opened(house)
    path = f"/v1/carts/{cart['id']}"
    refused(await put_in(house, cart, MUG, 0), 400, "1 to 100000")
    refused(await put_in(house, cart, "NOPE", 1), 404, "'NOPE'")
    refused(await house.client.post(f"{path}/lines", json={"lines": []}), 400, "0 lines", "1 to 200")
    refused(await house.client.patch(f"{path}/lines/{TRAY}", json={"quantity": 1}), 404, "in this cart")
    refused(await house.client.patch(f"{path}/lines/{MUG}", json={"quantity": -1}), 400, "0 to 100000")
    refused(await house.client.patch(f"{path}/lines/{MUG}", json={}, headers={"Entrepot-Seen": "x"}), 400, "no version")
    refused(await house.client.put(f"{path}/coupons/not%20one"), 404, "'NOT ONE'")
    for contact, part in (({"email": "ada"}, "e-mail"), ({"name": " "}, "name"), ({"phone": "1" * 201}, "phone")):
        refused(await house.client.put(f"{path}/delivery", json={**CONTACT, **contact}), 400, part)


async def test_a_cart_that_is_not_there_is_told_as_such(house: House) -> None:
    unknown = {"id": str(uuid4())}
    refused(await house.client.get(f"/v1/carts/{unknown['id']}"), 404, "expired")
    refused(await put_in(house, unknown, MUG, 1), 404, "expired")
    refused(await house.client.get("/v1/carts/mine"), 404, "/v1/carts/mine")

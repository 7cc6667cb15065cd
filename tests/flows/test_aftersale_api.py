"""What follows an order, over HTTP: shipments, cancellations, returns, and what each refusal says."""

import asyncio
from typing import Any
from uuid import uuid4

from entrepot.base.time import SystemClock
from entrepot.commerce.aftersale.carrying import follow_parcels
from entrepot.partners.carrier.own import OwnCarrier
from entrepot.projections.sales_facts.project import SalesFacts
from entrepot.verify.verify import Verifier
from tests.flows.test_api_checkout import BUYER
from tests.house import READY_SECONDS, House

NOBODY = "01a20461-e57f-751a-8980-e82f16d498f2"


async def ask(house: House, path: str, body: object = None, key: str = "") -> Any:
    """Ask for something; returns status and answer."""
    headers = {"Idempotency-Key": key or str(uuid4())}
    answer = await house.client.post(path, json=body, headers=headers)
    return answer.status_code, answer.json()


async def ordered(house: House, pieces: int = 3) -> str:
    """Place an order of our own and plan its shipments."""
    line = {"sku": "KETTLE-ALDER-RED", "quantity": pieces}
    body = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [line]}
    _, placed = await ask(house, "/v1/orders", body)
    status, _ = await ask(house, f"/v1/orders/{placed['order_id']}/shipments")
    assert status == 201
    return str(placed["order_id"])


async def shipped(house: House, pieces: int = 3) -> str:
    """Place an order and send it."""
    order_id = await ordered(house, pieces)
    [shipment] = (await house.client.get(f"/v1/orders/{order_id}/shipments")).json()["items"]
    steps: list[tuple[str, object]] = [("picked", None), ("packed", None), ("shipped", {"carrier": "own"}), ("delivered", None)]
    for step, body in steps:
        status, answer = await ask(house, f"/v1/shipments/{shipment['id']}/{step}", body)
        assert (status, answer["state"]) == (201, step)
    return order_id


async def test_an_orders_timeline_tells_all_that_happened_in_order(house: House) -> None:
    order_id = await shipped(house)
    _, case = await ask(house, f"/v1/orders/{order_id}/returns", {"reason": "damaged", "lines": [{"line": 1, "quantity": 1}]})
    await ask(house, f"/v1/returns/{case['id']}/received", {"lines": [{"line": 1, "quantity": 1}]})
    await ask(house, f"/v1/returns/{case['id']}/inspected", {"lines": [{"line": 1, "write_off": 1}]})
    await ask(house, f"/v1/returns/{case['id']}/refunded")
    told = (await house.client.get(f"/v1/orders/{order_id}/timeline")).json()["moments"]
    assert [f"{one['about']} {one['what']}" for one in told] == [
        "order placed", "shipment planned", "shipment picked", "shipment packed", "shipment shipped", "shipment delivered",
        "return requested", "return received", "return inspected", "return refunded",
    ]  # fmt: skip


async def test_the_same_key_ships_once_and_another_body_is_refused(house: House) -> None:
    order_id = await ordered(house)
    [shipment] = (await house.client.get(f"/v1/orders/{order_id}/shipments")).json()["items"]
    path, key = f"/v1/shipments/{shipment['id']}/shipped", str(uuid4())
    first = await ask(house, path, {"carrier": "own"}, key)
    assert await ask(house, path, {"carrier": "own"}, key) == first
    assert (await ask(house, path, {"carrier": "other"}, key))[0] == 422


async def test_what_cannot_be_is_told_by_a_stable_type(house: House) -> None:
    order_id = await shipped(house, 2)
    line = {"line": 1, "quantity": 3}
    asked = [
        (f"/v1/orders/{order_id}/cancellations", {"reason": "late"}, 409, "conflict"),
        (f"/v1/orders/{order_id}/cancellations", {"reason": "late", "lines": [line]}, 409, "pieces-refused"),
        (f"/v1/orders/{order_id}/returns", {"reason": "late", "lines": [line]}, 409, "pieces-refused"),
        (f"/v1/orders/{order_id}/returns", {"reason": "late", "lines": [{"line": 9, "quantity": 1}]}, 404, "not-found"),
        (f"/v1/orders/{order_id}/returns", {"reason": "late", "lines": [{"line": 1, "quantity": 0}]}, 400, "bad-input"),
        (f"/v1/orders/{order_id}/returns", {"reason": "a whim", "lines": [line]}, 400, "bad-input"),
        (f"/v1/orders/{order_id}/refunds", {"amount_minor": 1, "reason": "sorry"}, 409, "conflict"),
        (f"/v1/orders/{NOBODY}/cancellations", {"reason": "late"}, 404, "not-found"),
        (f"/v1/orders/{NOBODY}/shipments", None, 404, "not-found"),
        (f"/v1/shipments/{NOBODY}/shipped", {"carrier": "own"}, 404, "not-found"),
        (f"/v1/returns/{NOBODY}/refunded", None, 404, "not-found"),
    ]
    for path, body, status, slug in asked:
        answer = await ask(house, path, body)
        assert (answer[0], answer[1]["type"]) == (status, f"/problems/{slug}"), (path, answer)


async def test_cancelled_lines_count_as_cancelled_and_the_rest_goes_on(house: House) -> None:
    order_id = await ordered(house)
    wish = {"reason": "late", "lines": [{"line": 1, "quantity": 1}]}
    status, answer = await ask(house, f"/v1/orders/{order_id}/cancellations", wish)
    assert (status, answer["state"], answer["money"]) == (201, "placed", "none")
    order = (await house.client.get(f"/v1/orders/{order_id}")).json()
    assert [(line["quantity"], line["cancelled"], line["shipped"]) for line in order["lines"]] == [(3, 1, 0)]


async def test_sales_and_truth_agree_after_all_of_it(house: House) -> None:
    order_id = await ordered(house)
    await ask(house, f"/v1/orders/{order_id}/cancellations", {"reason": "late", "lines": [{"line": 1, "quantity": 2}]})
    await ask(house, f"/v1/orders/{order_id}/cancellations", {"reason": "late"})
    await shipped(house)
    await house.seen_by_all()
    app = house.app
    report = await Verifier(app.record, app.live).verify(SalesFacts(), app.stores.columns)
    assert (report.differs, report.differences) == (0, [])


async def test_a_booked_carrier_says_the_number_once_and_its_parcel_arrives_by_itself(house: House) -> None:
    line = [{"sku": "KETTLE-ALDER-RED", "quantity": 1}]
    bought = {"market": "uk", "lines": line, "contact": BUYER, "payment": {"token": "tok_ok"}}
    _, placed = await ask(house, "/v1/checkouts", bought)
    await ask(house, f"/v1/orders/{placed['order_id']}/shipments")
    [shipment] = (await house.client.get(f"/v1/orders/{placed['order_id']}/shipments")).json()["items"]
    path, key = f"/v1/shipments/{shipment['id']}/shipped", str(uuid4())
    first = await ask(house, path, {"carrier": "own", "book": True}, key)
    assert first[0] == 201, first
    assert await ask(house, path, {"carrier": "own", "book": True}, key) == first
    assert (await ask(house, path, {"carrier": "own", "book": True}))[0] == 409
    sent = (await house.client.get(f"/v1/shipments/{shipment['id']}")).json()
    own = house.app.carriers["own"]
    assert isinstance(own, OwnCarrier)
    await own.note(sent["tracking"], "delivered")
    async with asyncio.timeout(READY_SECONDS):
        while (await house.client.get(f"/v1/shipments/{shipment['id']}")).json()["state"] != "delivered":
            await follow_parcels(house.app.record, house.app.carriers, house.app.settings.cell, SystemClock())


async def test_the_page_that_a_buyer_keeps_shows_the_parcel_with_its_carrier_and_number(house: House) -> None:
    order_id = await ordered(house)
    [shipment] = (await house.client.get(f"/v1/orders/{order_id}/shipments")).json()["items"]
    before = (await house.client.get(f"/thanks/{order_id}")).text
    await ask(house, f"/v1/shipments/{shipment['id']}/shipped", {"carrier": "Royal Mail", "tracking": "RM 1 & 2"})
    after = (await house.client.get(f"/thanks/{order_id}")).text
    assert "Being prepared" in before
    for part in ("Your parcel", "Given to the carrier", "by Royal Mail", '<span class="code">RM 1 &amp; 2</span>'):
        assert part in after

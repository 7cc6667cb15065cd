"""Carriers over HTTP: who is booked, what they tell by webhook, and the labels of what they have taken."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from httpx import Response

from entrepot.base.errors import BadInputError
from entrepot.base.time import SystemClock
from entrepot.commerce.fulfilment.parcels import chosen
from entrepot.partners.carrier.own import SIGNED, OwnCarrier
from entrepot.partners.carrier.port import Tidings
from entrepot.partners.signed import signature
from tests.flows.test_aftersale_api import NOBODY, ask
from tests.flows.test_api_checkout import BUYER
from tests.flows.test_api_refusals import refused
from tests.house import House
from tests.told import told_of

WEBHOOK = "/v1/webhooks/carriers/own"


def vans(house: House) -> OwnCarrier:
    own = house.app.carriers["own"]
    assert isinstance(own, OwnCarrier)
    return own


async def planned(house: House) -> str:
    """Buy something that is sent, and return its shipment."""
    line = [{"sku": "KETTLE-ALDER-RED", "quantity": 1}]
    bought = {"market": "uk", "lines": line, "contact": BUYER, "payment": {"token": "tok_ok"}}
    _, placed = await ask(house, "/v1/checkouts", bought)
    await ask(house, f"/v1/orders/{placed['order_id']}/shipments")
    [shipment] = (await house.client.get(f"/v1/orders/{placed['order_id']}/shipments")).json()["items"]
    return str(shipment["id"])


async def booked(house: House) -> dict[str, Any]:
    """Buy something, have whoever the order goes by take it, and return its shipment."""
    shipment_id = await planned(house)
    status, answer = await ask(house, f"/v1/shipments/{shipment_id}/shipped", {"book": True})
    assert status == 201, answer
    return dict((await house.client.get(f"/v1/shipments/{shipment_id}")).json())


async def tell(house: House, told: Tidings | bytes, *, late_seconds: int = 0) -> Response:
    """Send what our own vans would send."""
    body = told if isinstance(told, bytes) else msgspec.json.encode(told)
    signed = signature(vans(house)._secret(), SystemClock().millis() // 1000 - late_seconds, body)
    return await house.nobody.post(WEBHOOK, content=body, headers={SIGNED: signed})


async def test_the_carrier_of_the_shipping_method_is_booked_where_none_is_named(house: House) -> None:
    sent = await booked(house)
    assert (sent["state"], sent["carrier"]) == ("shipped", "own")
    assert sent["tracking"].startswith("EO")


async def test_a_webhook_has_the_parcel_read_at_once_and_is_taken_in_once(house: House) -> None:
    sent = await booked(house)
    await vans(house).note(sent["tracking"], "delivered")
    told = Tidings(str(uuid4()), "parcel.delivered", sent["tracking"])
    answers = [(await tell(house, told)).json() for _ in range(2)]
    assert [one["repeated"] for one in answers] == [False, True]
    assert (await house.client.get(f"/v1/shipments/{sent['id']}")).json()["state"] == "delivered"


async def test_a_webhook_is_never_believed(house: House) -> None:
    sent = await booked(house)
    assert (await tell(house, Tidings(str(uuid4()), "parcel.delivered", sent["tracking"]))).status_code == 200
    assert (await house.client.get(f"/v1/shipments/{sent['id']}")).json()["state"] == "shipped"


async def test_a_webhook_that_is_forged_late_or_of_nobody_is_refused(house: House) -> None:
    told = Tidings(str(uuid4()), "parcel.delivered", "EO1")
    refused(await house.nobody.post(WEBHOOK, content=msgspec.json.encode(told)), 401, "was not sent by the carrier")
    refused(await tell(house, told, late_seconds=301), 401, "it is late, or replayed")
    refused(await tell(house, told), 404, "'EO1'")
    refused(await tell(house, b"{}"), 400, "cannot be read")
    refused(await house.nobody.post("/v1/webhooks/carriers/moon", content=b"{}"), 404, "'moon'")


@pytest.mark.parametrize(
    ("kind", "media", "begins"), [("pdf", "application/pdf", b"%PDF-1.4"), ("zpl", "application/zpl", b"^XA")]
)
async def test_a_label_is_made_and_fetched_by_its_address(house: House, kind: str, media: str, begins: bytes) -> None:
    sent = await booked(house)
    for _ in range(2):
        status, made = await ask(house, f"/v1/shipments/{sent['id']}/label", {"kind": kind})
        assert (status, made["tracking"]) == (201, sent["tracking"])
    assert (await house.nobody.get(made["download"])).status_code == 401  # an address proves nothing alone
    label = await house.client.get(made["download"])
    assert (label.status_code, label.headers["content-type"], label.content[: len(begins)]) == (200, media, begins)
    assert b"Kim" in label.content
    assert len(await told_of(house, label)) == 1


async def test_a_label_is_kept_sealed(house: House, tmp_path: Path) -> None:
    await ask(house, f"/v1/shipments/{(await booked(house))['id']}/label", {"kind": "zpl"})
    objects = house.app.stores.objects
    key = (await objects.list(f"labels/{house.app.settings.cell}/"))[-1]
    await objects.get(key, tmp_path / "label")
    assert b"Kim" not in (tmp_path / "label").read_bytes()


async def test_a_label_is_for_who_sends_parcels_alone(house: House) -> None:
    sent = await booked(house)
    path = f"/v1/shipments/{sent['id']}/label"
    refused(await house.nobody.post(path, json={}), 401)
    made = (await house.client.post(path, json={})).json()
    refused(await house.client.get(f"{made['download'][:-4]}AAAA"), 403)
    refused(await house.client.post(path, json={"kind": "gif"}), 400, "gif")


async def test_what_no_carrier_has_taken_has_no_label(house: House) -> None:
    shipment_id = await planned(house)
    refused(await house.client.post(f"/v1/shipments/{shipment_id}/label", json={}), 409, "No carrier was booked")
    refused(await house.client.post(f"/v1/shipments/{NOBODY}/label", json={}), 404, NOBODY)


async def test_the_order_s_page_has_the_label_and_says_why_where_there_is_none(house: House) -> None:
    sent = await booked(house)
    page = f"/orders/{sent['order_id']}"
    assert f'action="{page}/shipments/{sent["id"]}/label"' in (await house.client.get(page)).text
    shown = await house.client.post(f"{page}/shipments/{sent['id']}/label", data={"kind": "pdf"})
    assert (shown.status_code, "/labels/" in shown.headers["location"]) == (303, True)
    other = await planned(house)
    refusal = await house.client.post(f"{page}/shipments/{other}/label", data={"kind": "pdf"})
    assert (refusal.status_code, "No carrier was booked" in refusal.text) == (409, True)


def test_an_order_that_leaves_its_carrier_open_takes_one_by_name() -> None:
    with pytest.raises(BadInputError, match=r"possible: dhl, own\): name one"):
        chosen(UUID(NOBODY), ["own", "dhl"])

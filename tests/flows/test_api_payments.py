"""Payments over HTTP: captured and refunded within what there is, refused in sentences, told by webhook."""

import json
from collections.abc import Mapping
from uuid import UUID

import httpx
import pytest

from entrepot.base.ids import IdSource
from entrepot.commerce.payment import commands
from entrepot.commerce.payment.commands import NewPayment
from entrepot.local.gateway.webhooks import secret_of, signature
from entrepot.partners.payment.port import Authorize, Authorized
from entrepot.partners.payment.sandbox import SandboxGateway
from tests.conftest import SECRET
from tests.house import House

IDS = IdSource()


async def paid(house: House, *, card: str = "tok_ok", capture: bool = False) -> UUID:
    """Authorize 1,000 at the gateway and write it here, as the checkout does."""
    payment_id = IDS.fresh()
    request = Authorize(reference=payment_id, token=card, amount_minor=1_000, currency="GBP", capture=capture)
    answer = await house.app.gateway.authorize(request)
    assert isinstance(answer, Authorized)
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        await commands.put_payments(tx, [NewPayment(payment_id, "sandbox", answer)])
    return payment_id


async def move(house: House, payment_id: UUID, what: str, body: object, key: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": key or str(IDS.fresh())}
    return await house.client.post(f"/v1/payments/{payment_id}/{what}", json=body, headers=headers)


async def test_a_payment_is_captured_refunded_and_read(house: House) -> None:
    payment_id = await paid(house)
    captured = await move(house, payment_id, "captures", {"amount_minor": 600}, "the-key")
    again = await move(house, payment_id, "captures", {"amount_minor": 600}, "the-key")
    await move(house, payment_id, "refunds", {"amount_minor": 100})
    voided = await move(house, payment_id, "void", {})
    now = (await house.client.get(f"/v1/payments/{payment_id}")).json()
    assert [captured.status_code, again.status_code, voided.status_code] == [201, 201, 201]
    assert "entrepot-position" in captured.headers
    assert captured.json()["id"] == again.json()["id"]
    assert (now["state"], now["captured_minor"], now["refunded_minor"], now["voided_minor"]) == ("part_refunded", 600, 100, 400)
    assert [(one["kind"], one["state"]) for one in now["operations"]] == [
        *[("capture", "done"), ("refund", "done"), ("void", "done")]
    ]


@pytest.mark.parametrize(
    ("what", "body", "status", "slug"),
    [
        ("captures", {"amount_minor": 1_001}, 409, "capture-exceeds-authorized"),
        ("refunds", {"amount_minor": 1}, 409, "refund-exceeds-captured"),
        ("captures", {"amount_minor": 0}, 400, "bad-input"),
        ("captures", {"amount_minor": -5}, 400, "bad-input"),
        ("captures", {"amount_minor": 1.5}, 400, "bad-input"),
        ("captures", {"amount": 5}, 400, "bad-input"),
        ("captures", {"amount_minor": 10**30}, 409, "capture-exceeds-authorized"),
    ],
)
async def test_an_amount_that_cannot_be_is_refused_and_nothing_moves(
    house: House, what: str, body: object, status: int, slug: str
) -> None:
    payment_id = await paid(house)
    answer = await move(house, payment_id, what, body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert (await house.client.get(f"/v1/payments/{payment_id}")).json()["operations"] == []


async def test_what_the_gateway_refuses_is_told_with_its_reason(house: House) -> None:
    answer = await move(house, await paid(house, card="tok_capture_refused"), "captures", {})
    assert answer.status_code == 409
    assert (answer.json()["type"], answer.json()["reason"]) == ("/problems/gateway-refused", "authorization_expired")


async def test_a_gateway_that_lies_is_told_as_such(house: House) -> None:
    answer = await move(house, await paid(house, card="tok_lies_on_capture"), "captures", {})
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/gateway-lied")


async def test_the_same_key_with_another_amount_is_refused(house: House) -> None:
    payment_id = await paid(house)
    await move(house, payment_id, "captures", {"amount_minor": 1}, f"k{payment_id}")
    answer = await move(house, payment_id, "captures", {"amount_minor": 2}, f"k{payment_id}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_payment_that_is_not_there_is_not_found(house: House) -> None:
    assert (await house.client.get(f"/v1/payments/{IDS.fresh()}")).status_code == 404
    assert (await move(house, IDS.fresh(), "captures", {})).status_code == 404


def signed(event: Mapping[str, str], seconds: int) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event).encode()
    return body, {"Sandbox-Signature": signature(secret_of(SECRET), seconds, body), "Content-Type": "application/json"}


async def test_a_dispute_comes_by_webhook_and_is_answered(house: House) -> None:
    payment_id = await paid(house, capture=True)
    gateway = house.app.gateway
    assert isinstance(gateway, SandboxGateway)
    reference = (await house.client.get(f"/v1/payments/{payment_id}")).json()["reference"]
    opened = await gateway.open_dispute(reference, 1_000)
    event = {"id": f"evt_{IDS.fresh()}", "kind": "dispute.opened", "payment_id": reference, "dispute_id": opened.id}
    body, headers = signed(event, house.app.record.clock.tick() // 65_536_000)
    answers = [await house.client.post("/v1/webhooks/payments/sandbox", content=body, headers=headers) for _ in range(2)]
    assert [(one.status_code, one.json()["repeated"]) for one in answers] == [(200, False), (200, True)]
    dispute = (await house.client.get("/v1/disputes?state=opened")).json()["items"][0]
    sent = await house.client.post(
        f"/v1/disputes/{dispute['id']}/evidence", json={"evidence": "winning_evidence"}, headers={"Idempotency-Key": opened.id}
    )
    assert (dispute["payment_id"], sent.status_code, sent.json()["state"]) == (str(payment_id), 201, "won")


@pytest.mark.parametrize(("shift", "spoil"), [(0, b" "), (-3_600, b""), (3_600, b"")])
async def test_a_forged_or_replayed_webhook_is_refused(house: House, shift: int, spoil: bytes) -> None:
    event = {"id": "evt_x", "kind": "dispute.opened", "payment_id": "pay_x", "dispute_id": "dsp_x"}
    body, headers = signed(event, house.app.record.clock.tick() // 65_536_000 + shift)
    answer = await house.client.post("/v1/webhooks/payments/sandbox", content=body + spoil, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/webhook-refused")


async def test_a_webhook_of_an_unknown_gateway_is_not_found(house: House) -> None:
    assert (await house.client.post("/v1/webhooks/payments/nobody", content=b"{}")).status_code == 404

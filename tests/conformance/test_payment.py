"""The sandbox gateway keeps what every gateway keeps, and does the harm that its test tokens promise."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec import structs

from entrepot.base.time import SystemClock
from entrepot.local.gateway.tokens import TOKENS
from entrepot.local.gateway.webhooks import secret_of, signature
from entrepot.partners.payment.port import (
    Authorized,
    Challenged,
    Declined,
    GatewayAwayError,
    GatewayLiedError,
    GatewayRefusedError,
)
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.signed import WebhookRefusedError
from tests.conformance.payment_suite import IDS, Bench, PaymentSuite, asked, movements_of
from tests.conftest import SECRET
from tests.tidy.finding import ROOT

HASTY_SECONDS = 0.3
CLOCK = SystemClock()


@pytest.fixture(scope="module")
async def sandbox(gateway_url: str) -> AsyncIterator[SandboxGateway]:
    gateway = SandboxGateway(gateway_url)
    yield gateway
    await gateway.close()


@pytest.fixture(scope="module")
async def bench(sandbox: SandboxGateway, gateway_url: str) -> AsyncIterator[Bench]:
    hasty = SandboxGateway(gateway_url, seconds=HASTY_SECONDS)

    async def answer(payment_id: str, approved: bool) -> None:
        await sandbox.answer_challenge(payment_id, approved=approved)

    yield Bench(
        gateway=sandbox,
        hasty=hasty,
        ok="tok_ok",
        declined="tok_declined_insufficient_funds",
        declined_reason="insufficient_funds",
        challenge="tok_challenge",
        hangs_after_charge="tok_timeout_after_charge",
        answer_challenge=answer,
    )
    await hasty.close()


class TestSandbox(PaymentSuite):
    """The gateway of ours."""


async def test_every_test_token_is_in_the_docs(sandbox: SandboxGateway) -> None:
    page = (ROOT / "docs" / "reference" / "sandbox-gateway.md").read_text()
    assert [token for token, one in TOKENS.items() if f"| `{token}` | {one.says} |" not in page] == []


async def test_an_amount_that_was_not_asked_for_is_not_believed(sandbox: SandboxGateway) -> None:
    request = asked("tok_lies")
    with pytest.raises(GatewayLiedError, match="999, asked was 1000"):
        await sandbox.authorize(request)
    found = await sandbox.find(request.reference)
    assert found
    with pytest.raises(GatewayLiedError):
        found.answer("sandbox", request)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"currency": "JPY"}, "answers in JPY, asked in EUR"),
        ({"reference": IDS.fresh()}, "answers with a payment of"),
        ({"captured_minor": 1_000}, "capture of 1000, asked was 0"),
        ({"captured_minor": -1}, "capture of -1, asked was 0"),
        ({"authorized_minor": 10**12}, "authorization of 1000000000000, asked was 1000"),
    ],
)
async def test_whatever_else_was_not_asked_for_is_not_believed(sandbox: SandboxGateway, lie: dict[str, Any], said: str) -> None:
    request = asked("tok_ok")
    await sandbox.authorize(request)
    found = await sandbox.find(request.reference)
    assert found
    with pytest.raises(GatewayLiedError, match=said):
        structs.replace(found, **lie).answer("sandbox", request)


async def test_a_state_that_there_is_not_is_no_answer() -> None:
    body = (
        b'{"id": "p", "reference": "%s", "state": "perhaps", "currency": "EUR", "authorized_minor": 1}'
        % str(IDS.fresh()).encode()
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        odd = SandboxGateway(f"sandbox://key@127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(GatewayAwayError, match="cannot be read: Invalid enum value 'perhaps'"):
            await odd.authorize(asked("tok_ok"))
        await odd.close()


async def test_a_capture_of_another_amount_is_not_believed(sandbox: SandboxGateway) -> None:
    answer = await sandbox.authorize(asked("tok_lies_on_capture"))
    assert isinstance(answer, Authorized)
    with pytest.raises(GatewayLiedError):
        await sandbox.capture(answer.payment_id, 500, str(IDS.fresh()))


async def test_a_gateway_that_is_down_for_a_moment_is_asked_again(sandbox: SandboxGateway) -> None:
    assert isinstance(await sandbox.authorize(asked("tok_unavailable")), Authorized)


async def test_a_gateway_that_is_not_there_is_away() -> None:
    nowhere = SandboxGateway("sandbox://key@127.0.0.1:1")
    with pytest.raises(GatewayAwayError, match="sandbox does not answer"):
        await nowhere.find(IDS.fresh())
    await nowhere.close()


async def test_a_wrong_key_is_refused(gateway_url: str) -> None:
    stranger = SandboxGateway(gateway_url.replace(SECRET, "wrong"))
    with pytest.raises(GatewayRefusedError, match="bearer token"):
        await stranger.find(IDS.fresh())
    await stranger.close()


async def test_a_kept_method_is_charged_without_the_buyer_and_never_challenged(sandbox: SandboxGateway) -> None:
    first = await sandbox.authorize(structs.replace(asked("tok_ok"), keep=True))
    assert isinstance(first, Authorized)
    assert first.method.startswith("pm_")
    later = await sandbox.authorize(structs.replace(asked(first.method), stored=True, capture=True))
    assert isinstance(later, Authorized)
    assert later.captured_minor == 1_000


async def test_a_kept_method_can_be_declined_twice_and_then_be_good(sandbox: SandboxGateway) -> None:
    first = await sandbox.authorize(structs.replace(asked("tok_stored_declined_twice"), keep=True))
    assert isinstance(first, Authorized)
    later = [await sandbox.authorize(structs.replace(asked(first.method), stored=True)) for _ in range(3)]
    assert [type(one) for one in later] == [Declined, Declined, Authorized]


async def test_a_method_kept_from_a_challenged_card_is_not_challenged_again(sandbox: SandboxGateway) -> None:
    request = structs.replace(asked("tok_challenge"), keep=True)
    challenged = await sandbox.authorize(request)
    assert isinstance(challenged, Challenged)
    await sandbox.answer_challenge(challenged.payment_id, approved=True)
    found = await sandbox.find(request.reference)
    assert found
    assert isinstance(await sandbox.authorize(structs.replace(asked(found.method), stored=True)), Authorized)


async def test_a_lost_dispute_is_a_movement_and_holds_money_back_before(sandbox: SandboxGateway) -> None:
    request = asked("tok_ok", capture=True)
    answer = await sandbox.authorize(request)
    assert isinstance(answer, Authorized)
    dispute = await sandbox.open_dispute(answer.payment_id, 1_000)
    with pytest.raises(GatewayRefusedError):
        await sandbox.refund(answer.payment_id, 1, str(IDS.fresh()))
    sent = await sandbox.submit_evidence(dispute.id, "It was delivered: losing_evidence", str(IDS.fresh()))
    assert (dispute.state, sent.state) == ("opened", "lost")
    assert [one.kind for one in await movements_of(sandbox, request.reference)] == ["capture", "dispute"]


async def test_a_payout_is_what_moved_less_the_fees(sandbox: SandboxGateway) -> None:
    request = structs.replace(asked("tok_ok", 10_000, capture=True), currency="CHF")
    await sandbox.authorize(request)
    payouts = await sandbox.pay_out()
    lines = [one for one in (await sandbox.report()).movements if one.currency == "CHF"]
    capture, payout = lines
    assert payout.id != payout.payout
    assert payout.payout in payouts
    assert (payout.amount_minor, payout.fee_minor) == (10_000 - capture.fee_minor, capture.fee_minor)
    assert capture.payout == payout.payout


async def test_the_page_of_a_challenge_asks_and_sends_the_buyer_back(sandbox: SandboxGateway) -> None:
    request = structs.replace(asked("tok_challenge"), return_url="https://shop.example/thanks?x=1")
    challenged = await sandbox.authorize(request)
    assert isinstance(challenged, Challenged)
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(challenged.url)
        answer = await browser.post(challenged.url, data={"answer": "approve"})
        after = await browser.get(challenged.url)
    assert "Approve" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, request.return_url)
    assert "This payment is authorized." in after.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"token": "4242"}, "unknown_token"),
        ({"token": "pm_nobody", "stored": True}, "unknown_token"),
        ({"amount_minor": 0}, "bad_amount"),
        ({"amount_minor": 10**16}, "bad_amount"),
        ({"currency": "euro"}, "bad_currency"),
        ({"return_url": "javascript:alert(1)"}, "bad_return_url"),
    ],
)
async def test_what_cannot_be_charged_is_refused(sandbox: SandboxGateway, change: dict[str, Any], reason: str) -> None:
    request = structs.replace(asked("tok_ok"), **change)
    with pytest.raises(GatewayRefusedError) as refused:
        await sandbox.authorize(request)
    assert refused.value.reason == reason
    assert await sandbox.find(request.reference) is None


def signed(body: bytes, seconds: int) -> dict[str, str]:
    return {"sandbox-signature": signature(secret_of(SECRET), seconds, body)}


async def test_a_genuine_webhook_is_read(sandbox: SandboxGateway) -> None:
    body = json.dumps({"id": "evt_1", "kind": "dispute.opened", "payment_id": "pay_1", "dispute_id": "dsp_1"}).encode()
    notice = sandbox.read_webhook(signed(body, CLOCK.millis() // 1000), body, CLOCK.millis())
    assert (notice.event_id, notice.kind, notice.dispute_id) == ("evt_1", "dispute.opened", "dsp_1")


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=x,v1=00", "nonsense", "t=1,v1=é", "t=99999999999999999999,v1=0"])
async def test_a_forged_webhook_is_refused(sandbox: SandboxGateway, header: str) -> None:
    with pytest.raises(WebhookRefusedError, match="signature"):
        sandbox.read_webhook({"sandbox-signature": header}, b"{}", CLOCK.millis())


async def test_a_changed_or_replayed_webhook_is_refused(sandbox: SandboxGateway) -> None:
    body, seconds = b'{"id":"evt_2","kind":"x"}', CLOCK.millis() // 1000
    with pytest.raises(WebhookRefusedError, match="signature"):
        sandbox.read_webhook(signed(body, seconds), body + b" ", CLOCK.millis())
    with pytest.raises(WebhookRefusedError, match="replayed"):
        sandbox.read_webhook(signed(body, seconds - 600), body, CLOCK.millis())

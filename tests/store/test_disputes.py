"""Webhooks, disputes, payouts and reconciliation, with a real gateway; webhooks come twice and out of order."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import structs

from entrepot.base.errors import ConflictError
from entrepot.base.ids import IdSource
from entrepot.commerce.payment import commands, store
from entrepot.commerce.payment.operations import capture, finish_operations, refund, submit_evidence, void
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.commerce.payment.rules import Dispute, RefundExceedsCapturedError
from entrepot.commerce.payment.settling import book_payouts
from entrepot.commerce.payment.webhooks import handle_webhook
from entrepot.local.gateway.webhooks import secret_of, signature
from entrepot.partners.payment.port import Authorize, GatewayAwayError, GatewayDispute
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.signed import WebhookRefusedError
from entrepot.record.transaction import Record
from tests.conftest import SECRET
from tests.store.test_payments import paid, stands, told
from tests.trade import CELL, ledger

IDS = IdSource()


async def deliver(record: Record, gateway: SandboxGateway, kind: str, payment_id: str, dispute_id: str = "") -> bool:
    """Bring a signed webhook, as the gateway would; say whether it had come before."""
    event = {"id": f"evt_{kind}_{dispute_id or payment_id}", "kind": kind, "payment_id": payment_id, "dispute_id": dispute_id}
    body, seconds = json.dumps(event).encode(), record.clock.tick() // 65_536_000
    header = {"sandbox-signature": signature(secret_of(SECRET), seconds, body)}
    return (await handle_webhook(record, gateway, CELL, header, body)).repeated


async def disputed(record: Record, gateway: SandboxGateway) -> tuple[UUID, Dispute]:
    """Return a captured payment of 1,000 and the dispute of all of it, as a webhook told of it."""
    payment_id = await paid(record, gateway, capture=True)
    payment = await stands(record, payment_id)
    opened = await gateway.open_dispute(payment.reference, 1_000)
    await deliver(record, gateway, "dispute.opened", payment.reference, opened.id)
    async with record.reading() as connection:
        (found,) = await store.disputes_of_payment(connection, CELL, payment_id)
    assert found.reference == opened.id
    return payment_id, found


async def test_a_dispute_holds_its_amount_back_and_a_second_webhook_changes_nothing(
    record: Record, gateway: SandboxGateway
) -> None:
    payment_id, dispute = await disputed(record, gateway)
    reference = (await stands(record, payment_id)).reference
    assert await deliver(record, gateway, "dispute.opened", reference, dispute.reference)
    assert (await stands(record, payment_id)).disputed_minor == 1_000
    with pytest.raises(RefundExceedsCapturedError, match="Nothing of payment"):
        await refund(record, gateway, CELL, "r", payment_id, 1)


@pytest.mark.parametrize(("evidence", "state", "held"), [("winning_evidence", "won", 0), ("losing_evidence", "lost", 1_000)])
async def test_evidence_decides_a_dispute_and_a_lost_one_is_booked(
    record: Record, gateway: SandboxGateway, evidence: str, state: str, held: int
) -> None:
    payment_id, dispute = await disputed(record, gateway)
    decided = await submit_evidence(record, gateway, CELL, "e", dispute.id, f"Signed for at the door: {evidence}")
    again = await submit_evidence(record, gateway, CELL, "e", dispute.id, f"Signed for at the door: {evidence}")
    books = await ledger(record)
    assert (decided.state, again.state) == (state, state)
    assert (await stands(record, payment_id)).disputed_minor == held
    assert (books.get("disputes", 0), books["gateway"]) == (held, 1_000 - held)
    assert (await told(record, payment_id))[-1][0] == f"payment.dispute_{state}.v1"


async def test_a_dispute_of_what_was_given_back_already_is_noted_and_what_it_costs_is_booked(
    record: Record, gateway: SandboxGateway
) -> None:
    payment_id = await paid(record, gateway, capture=True)
    await refund(record, gateway, CELL, "r", payment_id, 700)
    opened = GatewayDispute(
        id="dsp_late", payment_id="p", state="opened", amount_minor=800, currency="EUR", reason="",
        evidence_due=datetime.now(UTC),
    )  # fmt: skip
    for one, held in ((opened, 300), (structs.replace(opened, state="lost"), 300)):
        async with record.transaction(CELL) as tx:
            assert await commands.put_dispute(tx, payment_id, one)
        assert (await stands(record, payment_id)).disputed_minor == held
    books = await ledger(record)
    assert (books["disputes"], books["gateway"]) == (800, 1_000 - 700 - 800)


async def test_webhooks_out_of_order_end_where_the_gateway_is(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, capture=True)
    reference = (await stands(record, payment_id)).reference
    opened = await gateway.open_dispute(reference, 400)
    await gateway.decide_dispute(opened.id, won=False)
    kinds = ["dispute.lost", "dispute.opened", "dispute.opened", "dispute.lost"]
    repeated = [await deliver(record, gateway, kind, reference, opened.id) for kind in kinds]
    assert repeated == [False, False, True, True]
    assert (await stands(record, payment_id)).disputed_minor == 400
    assert [kind for kind, _, _ in await told(record, payment_id)][2:] == ["payment.dispute_lost.v1"]


async def test_the_same_webhook_many_times_at_once_does_its_work_once(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, capture=True)
    reference = (await stands(record, payment_id)).reference
    opened = await gateway.open_dispute(reference, 400)
    await asyncio.gather(*(deliver(record, gateway, "dispute.opened", reference, opened.id) for _ in range(10)))
    assert (await stands(record, payment_id)).disputed_minor == 400
    assert len(await told(record, payment_id)) == 3


async def test_a_forged_webhook_leaves_no_trace(record: Record, gateway: SandboxGateway) -> None:
    body = b'{"id":"evt_forged","kind":"dispute.opened","payment_id":"pay_x","dispute_id":"dsp_x"}'
    with pytest.raises(WebhookRefusedError):
        await handle_webhook(record, gateway, CELL, {"sandbox-signature": signature(b"guess", 1, body)}, body)
    async with record.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM payment.inbox") == 0


async def test_a_webhook_while_the_gateway_is_away_is_worked_when_it_comes_again(
    record: Record, gateway: SandboxGateway
) -> None:
    payment_id = await paid(record, gateway, capture=True)
    reference = (await stands(record, payment_id)).reference
    opened = await gateway.open_dispute(reference, 400)
    away = SandboxGateway(f"sandbox://{SECRET}@127.0.0.1:1")
    with pytest.raises(GatewayAwayError):
        await deliver(record, away, "dispute.opened", reference, opened.id)
    assert not await deliver(record, gateway, "dispute.opened", reference, opened.id)
    assert (await stands(record, payment_id)).disputed_minor == 400
    await away.close()


async def test_a_challenge_that_was_answered_resumes_its_checkout(record: Record, gateway: SandboxGateway) -> None:
    request = Authorize(reference=IDS.fresh(), token="tok_challenge", amount_minor=500, currency="EUR")  # noqa: S106  # a test token
    challenged = await gateway.authorize(request)
    resumed: list[UUID] = []

    async def resume(checkout_id: UUID) -> None:
        resumed.append(checkout_id)

    body = json.dumps({"id": "evt_c", "kind": "challenge.approved", "payment_id": challenged.payment_id}).encode()
    header = {"sandbox-signature": signature(secret_of(SECRET), record.clock.tick() // 65_536_000, body)}
    await handle_webhook(record, gateway, CELL, header, body, resume)
    await handle_webhook(record, gateway, CELL, header, body, resume)
    assert resumed == [request.reference]


async def test_evidence_that_could_not_be_sent_is_sent_by_the_job(record: Record, gateway: SandboxGateway) -> None:
    _, dispute = await disputed(record, gateway)
    away = SandboxGateway(f"sandbox://{SECRET}@127.0.0.1:1")
    kept = await submit_evidence(record, away, CELL, "e", dispute.id, "It was delivered.")
    assert kept.state == "opened"
    assert await finish_operations(record, gateway, CELL) == 1
    async with record.reading() as connection:
        sent = await store.dispute(connection, CELL, dispute.id)
    assert sent
    assert sent.state == "evidence_sent"
    with pytest.raises(ConflictError, match="cannot become evidence_sent"):
        await submit_evidence(record, gateway, CELL, "f", dispute.id, "Once more.")
    await away.close()


async def test_a_payout_is_booked_once(record: Record, gateway: SandboxGateway) -> None:
    await paid(record, gateway, 10_000, capture=True)
    await gateway.pay_out()
    assert [await book_payouts(record, gateway, CELL) for _ in range(2)] == [1, 0]
    books = await ledger(record)
    assert books == {"bank": 9_835, "gateway_fees": 165, "gateway": 0, "receivable": -10_000}


async def test_books_that_agree_have_no_differences(record: Record, gateway: SandboxGateway) -> None:
    ids = [await paid(record, gateway, 2_000) for _ in range(4)]
    await capture(record, gateway, CELL, "a", ids[0], 700)
    await void(record, gateway, CELL, "b", ids[0])
    await capture(record, gateway, CELL, "c", ids[1])
    await refund(record, gateway, CELL, "d", ids[1], 300)
    await void(record, gateway, CELL, "e", ids[2])
    gone = Authorize(reference=IDS.fresh(), token="tok_ok", amount_minor=500, currency="EUR", capture=True)  # noqa: S106  # a test token
    await gateway.authorize(gone)
    await gateway.close_reference(gone.reference)
    await gateway.pay_out()
    await book_payouts(record, gateway, CELL)
    found = await reconcile(record, gateway, CELL)
    assert (found.payments, found.movements, found.differences) == (5, 6, [])


async def test_each_movement_that_differs_is_named(record: Record, gateway: SandboxGateway) -> None:
    there_only = Authorize(reference=IDS.fresh(), token="tok_ok", amount_minor=500, currency="EUR", capture=True)  # noqa: S106  # a test token
    await gateway.authorize(there_only)
    both, other, here_only = [await paid(record, gateway) for _ in range(3)]
    await capture(record, gateway, CELL, "a", both)
    async with record.transaction(CELL) as tx:  # the gateway is never asked
        await commands.end(tx, (await commands.ask(tx, here_only, "capture", 400)).id, "done")
    async with record.committing() as connection:
        await connection.execute("UPDATE payment.payment SET authorized_minor = 900 WHERE id = $1", other)
    found = {(one.about, one.id, one.why) for one in (await reconcile(record, gateway, CELL)).differences}
    async with record.reading() as connection:
        asked = await connection.fetchval("SELECT id FROM payment.operation WHERE payment_id = $1", here_only)
    assert found == {
        ("payment", str(there_only.reference), "missing_here"),
        ("capture", str(there_only.reference), "missing_here"),
        ("payment", str(other), "other_amount"),
        ("payment", str(here_only), "other_amount"),
        ("capture", str(asked), "missing_there"),
        ("ledger", "EUR", "other_amount"),
    }

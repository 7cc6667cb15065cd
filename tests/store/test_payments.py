"""Payments on PostgreSQL and a real gateway: what moves there moves here, once, within what there is."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from entrepot.base.errors import BadInputError, KeyReusedError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.base.time import FixedClock, HybridClock, SystemClock
from entrepot.commerce.payment import commands, store
from entrepot.commerce.payment.commands import NewPayment
from entrepot.commerce.payment.operations import capture, finish, finish_operations, refund, void
from entrepot.commerce.payment.rules import CaptureExceedsAuthorizedError, Payment, RefundExceedsCapturedError
from entrepot.partners.payment.port import Authorize, Authorized
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.trade import CELL, ledger

IDS = IdSource()


@pytest.fixture(scope="module")
async def gateway(gateway_url: str) -> AsyncIterator[SandboxGateway]:
    gateway = SandboxGateway(gateway_url)
    yield gateway
    await gateway.close()


async def paid(
    record: Record, gateway: SandboxGateway, amount_minor: int = 1_000, *, card: str = "tok_ok", capture: bool = False
) -> UUID:
    """Authorize a payment at the gateway and write it here, as the checkout does."""
    payment_id = IDS.fresh()
    request = Authorize(reference=payment_id, token=card, amount_minor=amount_minor, currency="EUR", capture=capture)
    answer = await gateway.authorize(request)
    assert isinstance(answer, Authorized)
    async with record.transaction(CELL) as tx:
        await commands.put_payments(tx, [NewPayment(payment_id, gateway.name, answer)])
    return payment_id


async def stands(record: Record, payment_id: UUID) -> Payment:
    async with record.reading() as connection:
        found = await store.payment(connection, CELL, payment_id)
    assert found
    return found


async def told(record: Record, payment_id: UUID) -> list[tuple[str, int, str]]:
    """Return kind, version and state of every event of a payment."""
    async with record.reading() as connection:
        rows = await connection.fetch(
            "SELECT kind, version, body->>'state' FROM log.event WHERE key = $1 ORDER BY version", f"payment/{payment_id}"
        )
    return [tuple(row) for row in rows]


async def test_what_is_captured_and_refunded_is_told_and_booked(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway)
    await capture(record, gateway, CELL, "c1", payment_id, 700)
    await capture(record, gateway, CELL, "c2", payment_id)
    await refund(record, gateway, CELL, "r1", payment_id, 400)
    now = await stands(record, payment_id)
    assert (now.state, now.captured_minor, now.refunded_minor, now.taking_minor, now.returning_minor) == (
        *("part_refunded", 1_000, 400), 0, 0,
    )  # fmt: skip
    assert await told(record, payment_id) == [
        ("payment.authorized.v1", 1, "authorized"),
        ("payment.captured.v1", 2, "part_captured"),
        ("payment.captured.v1", 3, "captured"),
        ("payment.refunded.v1", 4, "part_refunded"),
    ]
    assert await ledger(record) == {"gateway": 600, "receivable": -600}


async def test_what_was_captured_at_once_is_told_and_booked(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, capture=True)
    now = await stands(record, payment_id)
    assert (now.state, now.captured_minor, now.version) == ("captured", 1_000, 2)
    assert [kind for kind, _, _ in await told(record, payment_id)] == ["payment.authorized.v1", "payment.captured.v1"]
    assert await ledger(record) == {"gateway": 1_000, "receivable": -1_000}


async def test_the_database_computes_the_state_that_the_rules_say(record: Record, gateway: SandboxGateway) -> None:
    ids = [await paid(record, gateway) for _ in range(4)]
    await capture(record, gateway, CELL, "a", ids[0], 300)
    await void(record, gateway, CELL, "b", ids[0])
    await void(record, gateway, CELL, "c", ids[1])
    await capture(record, gateway, CELL, "d", ids[2])
    await refund(record, gateway, CELL, "e", ids[2])
    async with record.reading() as connection:
        rows = await connection.fetch("SELECT id, state FROM payment.payment")
    assert {row["id"]: row["state"] for row in rows} == {one: (await stands(record, one)).state for one in ids}
    assert [(await stands(record, one)).state for one in ids] == ["captured", "voided", "refunded", "authorized"]


async def test_captures_at_the_same_time_never_take_more_than_was_promised(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway)
    ends = await asyncio.gather(
        *(capture(record, gateway, CELL, f"k{n}", payment_id, 300) for n in range(8)), return_exceptions=True
    )
    refused = [one for one in ends if isinstance(one, CaptureExceedsAuthorizedError)]
    there = await gateway.find(payment_id)
    assert there
    assert len(refused) == 5
    assert ((await stands(record, payment_id)).captured_minor, there.captured_minor) == (900, 900)


async def test_refunds_at_the_same_time_never_give_back_more_than_was_taken(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, capture=True)
    ends = await asyncio.gather(
        *(refund(record, gateway, CELL, f"k{n}", payment_id, 400) for n in range(6)), return_exceptions=True
    )
    assert len([one for one in ends if isinstance(one, RefundExceedsCapturedError)]) == 4
    assert (await stands(record, payment_id)).refunded_minor == 800


async def test_one_key_moves_money_once_and_another_request_under_it_is_refused(
    record: Record, gateway: SandboxGateway
) -> None:
    payment_id = await paid(record, gateway)
    ends = await asyncio.gather(*(capture(record, gateway, CELL, "once", payment_id, 300) for _ in range(5)))
    assert len({one.id for one in ends}) == 1
    assert (await stands(record, payment_id)).captured_minor == 300
    with pytest.raises(KeyReusedError):
        await capture(record, gateway, CELL, "once", payment_id, 301)


async def test_a_refused_capture_gives_its_amount_back_and_says_why(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, card="tok_capture_refused")
    operation = await capture(record, gateway, CELL, "c", payment_id)
    now = await stands(record, payment_id)
    assert (operation.state, operation.reason) == ("failed", "authorization_expired")
    assert (now.taking_minor, now.captured_minor, now.state) == (0, 0, "authorized")


async def test_a_gateway_that_lies_leaves_the_amount_set_aside_for_a_person(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, card="tok_lies_on_capture")
    operation = await capture(record, gateway, CELL, "c", payment_id, 500)
    now = await stands(record, payment_id)
    assert operation.state == "unclear"
    assert "499, asked was 500" in operation.reason
    assert (now.taking_minor, now.captured_minor) == (500, 0)


async def test_what_a_crash_left_open_is_finished_once(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway)
    async with record.transaction(CELL) as tx:  # and then the process dies, before or after the gateway heard of it
        operation = await commands.ask(tx, payment_id, "capture", 600)
    there = await gateway.find(payment_id)
    assert there
    await gateway.capture(there.id, 600, str(operation.id))
    assert await finish_operations(record, gateway, CELL) == 0  # it may still be under way
    assert await finish_operations(record, gateway, CELL, patience_seconds=0) == 1
    assert await finish_operations(record, gateway, CELL, patience_seconds=0) == 0
    await finish(record, gateway, CELL, operation.id)
    assert (await stands(record, payment_id)).captured_minor == 600
    assert await ledger(record) == {"gateway": 600, "receivable": -600}


async def test_what_was_asked_in_this_very_millisecond_is_finished_too(record: Record, gateway: SandboxGateway) -> None:
    """A clock that is set back a little stands still until it has caught up (the hybrid clock never goes back)."""
    standing = Record(record.pool, clock=HybridClock(FixedClock(SystemClock().millis())))
    payment_id = await paid(standing, gateway)
    async with standing.transaction(CELL) as tx:
        await commands.ask(tx, payment_id, "capture", 600)
    assert await finish_operations(standing, gateway, CELL, patience_seconds=0) == 1


async def test_a_void_waits_until_a_capture_is_answered(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway)
    async with record.transaction(CELL) as tx:
        await commands.ask(tx, payment_id, "capture", 600)
    with pytest.raises(Exception, match="are being captured"):
        await void(record, gateway, CELL, "v", payment_id)


@pytest.mark.parametrize("amount_minor", [0, -1, -(10**15)])
async def test_an_amount_of_nothing_or_less_is_refused(record: Record, gateway: SandboxGateway, amount_minor: int) -> None:
    payment_id = await paid(record, gateway)
    with pytest.raises(BadInputError, match="1 or more"):
        await capture(record, gateway, CELL, "c", payment_id, amount_minor)


async def test_a_payment_that_is_not_there_is_told(record: Record, gateway: SandboxGateway) -> None:
    with pytest.raises(NotFoundError):
        await refund(record, gateway, CELL, "r", IDS.fresh(), 1)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("captured_minor = 1001", "captured_within_authorized"),
        ("voided_minor = 600, taking_minor = 401", "captured_within_authorized"),
        ("captured_minor = 500, refunded_minor = 501", "refunded_within_captured"),
        ("captured_minor = 500, disputed_minor = 400, returning_minor = 101", "refunded_within_captured"),
    ],
)
async def test_the_database_refuses_what_must_never_be(
    record: Record, gateway: SandboxGateway, change: str, constraint: str
) -> None:
    payment_id = await paid(record, gateway)
    async with record.committing() as connection:
        with pytest.raises(asyncpg.CheckViolationError, match=constraint):
            await connection.execute(f"UPDATE payment.payment SET {change} WHERE id = $1", payment_id)


async def test_kept_methods_are_their_customers_until_forgotten(record: Record) -> None:
    customer = IDS.fresh()
    async with record.transaction(CELL) as tx:
        kept = await commands.keep_method(tx, customer, "sandbox", "pm_1", "Sandbox ok")
        assert await store.methods(tx.connection, CELL, customer) == [kept]
        await commands.forget_method(tx, kept.id)
        assert await store.methods(tx.connection, CELL, customer) == []

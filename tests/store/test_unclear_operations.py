"""What a gateway did otherwise than was asked waits for a person, and ends as the person says and the gateway confirms."""

import json
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.commerce.payment import query
from entrepot.commerce.payment.operations import capture, settle
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.commerce.payment.rules import GatewayContradictsError
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.command_line import entrepot
from tests.store.test_payments import paid, stands, told
from tests.trade import CELL, ledger

WHY = "they captured 1 less, agreed by mail"


async def test_what_moved_is_booked_the_rest_is_free_and_the_books_agree(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, card="tok_lies_on_capture")
    lied = await capture(record, gateway, CELL, "c", payment_id, 500)
    settled = await settle(record, gateway, CELL, lied.id, "succeeded", WHY)
    assert (settled.state, settled.amount_minor, settled.reason) == ("done", 499, WHY)
    now = await stands(record, payment_id)
    assert (now.captured_minor, now.taking_minor, now.open_minor) == (499, 0, 501)
    assert (await told(record, payment_id))[-1] == ("payment.captured.v1", 2, "part_captured")
    assert await ledger(record) == {"gateway": 499, "receivable": -499}
    assert not (await reconcile(record, gateway, CELL)).differences


async def test_a_verdict_that_the_gateway_contradicts_or_that_says_no_reason_changes_nothing(
    record: Record, gateway: SandboxGateway
) -> None:
    payment_id = await paid(record, gateway, card="tok_lies_on_capture")
    lied = await capture(record, gateway, CELL, "c", payment_id, 500)
    with pytest.raises(GatewayContradictsError, match="499 of the 500"):
        await settle(record, gateway, CELL, lied.id, "failed", WHY)
    with pytest.raises(BadInputError):
        await settle(record, gateway, CELL, lied.id, "succeeded", "  ")
    assert (await stands(record, payment_id)).taking_minor == 500


async def test_one_that_ended_is_not_settled_again(record: Record, gateway: SandboxGateway) -> None:
    done = await capture(record, gateway, CELL, "c", await paid(record, gateway), 500)
    with pytest.raises(ConflictError):
        await settle(record, gateway, CELL, done.id, "succeeded", WHY)


async def test_two_of_a_kind_are_told_apart_by_the_gateways_report(record: Record, gateway: SandboxGateway) -> None:
    payment_id = await paid(record, gateway, card="tok_lies_on_capture")
    lies = [await capture(record, gateway, CELL, f"c{n}", payment_id, asked) for n, asked in enumerate((500, 300))]
    for lied in reversed(lies):
        await settle(record, gateway, CELL, lied.id, "succeeded", WHY)
    assert (await stands(record, payment_id)).captured_minor == 798
    assert not (await reconcile(record, gateway, CELL)).differences


async def test_an_operator_lists_and_settles_them_on_the_command_line(
    record: Record, migrated_url: str, own_gateway_url: str, gateway: SandboxGateway, tmp_path: Path
) -> None:
    lied = await capture(record, gateway, CELL, "c", await paid(record, gateway, card="tok_lies_on_capture"), 500)
    given = {"RECORD_URL": migrated_url, "GATEWAY_URL": own_gateway_url}
    code, said = await entrepot(tmp_path, "payments", "unclear", "--json", **given)
    assert (code, [one["id"] for one in json.loads(said)]) == (0, [str(lied.id)])
    code, said = await entrepot(tmp_path, "payments", "settle", str(lied.id), "--as", "failed", "--why", WHY, **given)
    assert (code, said.startswith("The gateway says that 499")) == (4, True)
    code, said = await entrepot(tmp_path, "payments", "settle", str(lied.id), "--as", "succeeded", "--why", WHY, **given)
    assert (code, "capture of 499 EUR" in said) == (0, True)
    async with record.reading() as connection:
        assert await query.unclear_operations(connection, CELL, 10) == []


async def test_nobody_settles_what_is_not_there(record: Record, gateway: SandboxGateway) -> None:
    with pytest.raises(NotFoundError, match="There is no operation"):
        await settle(record, gateway, CELL, IdSource().fresh(), "failed", WHY)

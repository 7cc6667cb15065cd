"""What a gateway did otherwise than was asked waits for a person, and ends as the person says and the gateway confirms."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.commerce.payment import query
from entrepot.commerce.payment.operations import capture, settle
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.commerce.payment.rules import GatewayContradictsError
from entrepot.local.process import running
from entrepot.local.sandbox import SandboxGateway as Engine
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.command_line import entrepot
from tests.conftest import SECRET
from tests.store.test_payments import paid, stands, told
from tests.trade import CELL, ledger

WHY = "they captured 1 less, agreed by mail"


@pytest.fixture
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, SandboxGateway]]:
    """Return the address and a client of a gateway that knows only what a test does."""
    async with running(Engine(), tmp_path_factory.mktemp("gateway"), SECRET) as urls:
        client = SandboxGateway(urls["gateway"])
        yield urls["gateway"], client
        await client.close()


async def test_what_moved_is_booked_the_rest_is_free_and_the_books_agree(
    record: Record, gateway: tuple[str, SandboxGateway]
) -> None:
    _, client = gateway
    payment_id = await paid(record, client, card="tok_lies_on_capture")
    lied = await capture(record, client, CELL, "c", payment_id, 500)
    settled = await settle(record, client, CELL, lied.id, "succeeded", WHY)
    assert (settled.state, settled.amount_minor, settled.reason) == ("done", 499, WHY)
    now = await stands(record, payment_id)
    assert (now.captured_minor, now.taking_minor, now.open_minor) == (499, 0, 501)
    assert (await told(record, payment_id))[-1] == ("payment.captured.v1", 2, "part_captured")
    assert await ledger(record) == {"gateway": 499, "receivable": -499}
    assert not (await reconcile(record, client, CELL)).differences


async def test_a_verdict_that_the_gateway_contradicts_or_that_says_no_reason_changes_nothing(
    record: Record, gateway: tuple[str, SandboxGateway]
) -> None:
    _, client = gateway
    payment_id = await paid(record, client, card="tok_lies_on_capture")
    lied = await capture(record, client, CELL, "c", payment_id, 500)
    with pytest.raises(GatewayContradictsError, match="499 of the 500"):
        await settle(record, client, CELL, lied.id, "failed", WHY)
    with pytest.raises(BadInputError):
        await settle(record, client, CELL, lied.id, "succeeded", "  ")
    assert (await stands(record, payment_id)).taking_minor == 500


async def test_one_that_ended_is_not_settled_again(record: Record, gateway: tuple[str, SandboxGateway]) -> None:
    _, client = gateway
    done = await capture(record, client, CELL, "c", await paid(record, client), 500)
    with pytest.raises(ConflictError):
        await settle(record, client, CELL, done.id, "succeeded", WHY)


async def test_two_of_a_kind_are_told_apart_by_the_gateways_report(record: Record, gateway: tuple[str, SandboxGateway]) -> None:
    _, client = gateway
    payment_id = await paid(record, client, card="tok_lies_on_capture")
    lies = [await capture(record, client, CELL, f"c{n}", payment_id, asked) for n, asked in enumerate((500, 300))]
    for lied in reversed(lies):
        await settle(record, client, CELL, lied.id, "succeeded", WHY)
    assert (await stands(record, payment_id)).captured_minor == 798
    assert not (await reconcile(record, client, CELL)).differences


async def test_an_operator_lists_and_settles_them_on_the_command_line(
    record: Record, migrated_url: str, gateway: tuple[str, SandboxGateway], tmp_path: Path
) -> None:
    url, client = gateway
    lied = await capture(record, client, CELL, "c", await paid(record, client, card="tok_lies_on_capture"), 500)
    given = {"RECORD_URL": migrated_url, "GATEWAY_URL": url}
    code, said = await entrepot(tmp_path, "payments", "unclear", "--json", **given)
    assert (code, [one["id"] for one in json.loads(said)]) == (0, [str(lied.id)])
    code, said = await entrepot(tmp_path, "payments", "settle", str(lied.id), "--as", "failed", "--why", WHY, **given)
    assert (code, said.startswith("The gateway says that 499")) == (4, True)
    code, said = await entrepot(tmp_path, "payments", "settle", str(lied.id), "--as", "succeeded", "--why", WHY, **given)
    assert (code, "capture of 499 EUR" in said) == (0, True)
    async with record.reading() as connection:
        assert await query.unclear_operations(connection, CELL, 10) == []


async def test_nobody_settles_what_is_not_there(record: Record, gateway: tuple[str, SandboxGateway]) -> None:
    with pytest.raises(NotFoundError, match="There is no operation"):
        await settle(record, gateway[1], CELL, IdSource().fresh(), "failed", WHY)

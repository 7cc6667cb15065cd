"""`entrepot reconcile`, as an operator runs it: it says what agrees, names what differs, and exits accordingly."""

import json
from pathlib import Path

from entrepot.base.ids import IdSource
from entrepot.partners.payment.port import Authorize
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.command_line import entrepot
from tests.store.test_payments import paid

IDS = IdSource()
EXIT_DIFFERS = 7


async def test_books_that_agree_are_said_to(
    record: Record, migrated_url: str, own_gateway_url: str, gateway: SandboxGateway, tmp_path: Path
) -> None:
    await paid(record, gateway, capture=True)
    code, said = await entrepot(tmp_path, "reconcile", RECORD_URL=migrated_url, GATEWAY_URL=own_gateway_url)
    assert (code, said) == (0, "sandbox: 1 payments and 1 movements, all as in our books.")


async def test_money_without_an_order_is_named(
    migrated_url: str, own_gateway_url: str, gateway: SandboxGateway, tmp_path: Path
) -> None:
    request = Authorize(reference=IDS.fresh(), token="tok_ok", amount_minor=500, currency="EUR")  # noqa: S106  # a test token
    await gateway.authorize(request)
    code, said = await entrepot(tmp_path, "reconcile", "--json", RECORD_URL=migrated_url, GATEWAY_URL=own_gateway_url)
    (found,) = json.loads(said)["differences"]
    assert (code, found["about"], found["id"], found["why"]) == (
        EXIT_DIFFERS,
        "payment",
        str(request.reference),
        "missing_here",
    )


async def test_a_gateway_that_is_away_is_one_sentence(migrated_url: str, tmp_path: Path) -> None:
    code, said = await entrepot(tmp_path, "reconcile", RECORD_URL=migrated_url, GATEWAY_URL="sandbox://k@127.0.0.1:1")
    assert code == 5
    assert said.startswith("The payment gateway sandbox does not answer")
    assert len(said.splitlines()) == 1

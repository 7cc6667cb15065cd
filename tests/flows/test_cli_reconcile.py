"""`entrepot reconcile`, as an operator runs it: it says what agrees, names what differs, and exits accordingly."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.ids import IdSource
from entrepot.local.process import running
from entrepot.local.sandbox import SandboxGateway as Engine
from entrepot.partners.payment.port import Authorize
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.command_line import entrepot
from tests.conftest import SECRET
from tests.store.test_payments import paid

IDS = IdSource()
EXIT_DIFFERS = 7


@pytest.fixture
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, SandboxGateway]]:
    """Return the address and a client of a gateway that knows only what a test does."""
    async with running(Engine(), tmp_path_factory.mktemp("gateway"), SECRET) as urls:
        client = SandboxGateway(urls["gateway"])
        yield urls["gateway"], client
        await client.close()


async def test_books_that_agree_are_said_to(
    record: Record, migrated_url: str, gateway: tuple[str, SandboxGateway], tmp_path: Path
) -> None:
    url, client = gateway
    await paid(record, client, capture=True)
    code, said = await entrepot(tmp_path, "reconcile", RECORD_URL=migrated_url, GATEWAY_URL=url)
    assert (code, said) == (0, "sandbox: 1 payments and 1 movements, all as in our books.")


async def test_money_without_an_order_is_named(migrated_url: str, gateway: tuple[str, SandboxGateway], tmp_path: Path) -> None:
    url, client = gateway
    request = Authorize(reference=IDS.fresh(), token="tok_ok", amount_minor=500, currency="EUR")  # noqa: S106  # a test token
    await client.authorize(request)
    code, said = await entrepot(tmp_path, "reconcile", "--json", RECORD_URL=migrated_url, GATEWAY_URL=url)
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

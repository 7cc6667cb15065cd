"""The gateway is killed (-9) between charge and answer: what it had promised is found, what it had not done is done once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from entrepot.base.ids import IdSource
from entrepot.commerce.payment import commands
from entrepot.commerce.payment.commands import NewPayment
from entrepot.commerce.payment.operations import capture, finish_operations
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.local.place import Place
from entrepot.local.process import free_ports, launch, stop, until_ready
from entrepot.local.sandbox import SandboxGateway as Engine
from entrepot.partners.payment.port import Authorize, Authorized, GatewayAwayError, GatewayRefusedError
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.record.transaction import Record
from tests.conftest import SECRET
from tests.trade import CELL, ledger

IDS = IdSource()
CHARGED_SECONDS = 10.0


class Server:
    """A gateway that can be killed and started again on the same books."""

    def __init__(self, home: Path) -> None:
        self._place = Place(home, Engine.role, free_ports(home, 1, ()), SECRET)
        self._process: psutil.Process | None = None
        self.client = SandboxGateway(Engine().urls(self._place)["gateway"])

    async def start(self) -> None:
        self._process = await asyncio.to_thread(launch, Engine(), self._place)
        await until_ready(Engine(), self._place, self._process)

    async def second(self) -> tuple[int | None, str]:
        """Start another gateway on the same books; return its exit code and what it said."""
        child = await asyncio.create_subprocess_exec(*Engine().command(self._place), stderr=asyncio.subprocess.PIPE)
        _, said = await child.communicate()
        return child.returncode, said.decode()

    async def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        await stop(Engine(), self._process)


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    server = Server(tmp_path_factory.mktemp("gateway"))
    await server.start()
    yield server
    await server.client.close()
    await server.kill()


def asked(card: str = "tok_ok") -> Authorize:
    return Authorize(reference=IDS.fresh(), token=card, amount_minor=1_000, currency="EUR")


async def until_charged(gateway: SandboxGateway, request: Authorize) -> None:
    async with asyncio.timeout(CHARGED_SECONDS):
        while await gateway.find(request.reference) is None:  # noqa: ASYNC110  # another process sets no Event
            await asyncio.sleep(0.01)


async def test_what_was_charged_before_the_gateway_died_is_found_when_it_is_back(server: Server) -> None:
    request = asked("tok_timeout_after_charge")
    charging = asyncio.create_task(server.client.authorize(request))
    await until_charged(server.client, request)
    await server.kill()
    with pytest.raises(GatewayAwayError):
        await charging
    await server.start()
    found = await server.client.find(request.reference)
    assert found
    assert isinstance(found.answer("sandbox", request), Authorized)
    assert await server.client.authorize(request) == found.answer("sandbox", request)


async def test_a_tombstone_outlives_the_gateway_that_was_given_it(server: Server) -> None:
    request = asked()
    assert await server.client.close_reference(request.reference) is None
    await server.kill()
    await server.start()
    with pytest.raises(GatewayRefusedError, match="closed"):
        await server.client.authorize(request)


async def test_a_second_gateway_on_the_same_books_does_not_start(server: Server) -> None:
    code, said = await server.second()
    assert code == 1
    assert "another one serves" in said


async def test_captures_under_kill_are_finished_once_and_both_books_agree(record: Record, server: Server) -> None:
    payments = [asked() for _ in range(20)]
    async with record.transaction(CELL) as tx:
        for request in payments:
            answer = await server.client.authorize(request)
            assert isinstance(answer, Authorized)
            await commands.put_payments(tx, [NewPayment(request.reference, "sandbox", answer)])
    moving = [
        asyncio.create_task(capture(record, server.client, CELL, f"c{n}", one.reference)) for n, one in enumerate(payments)
    ]
    await asyncio.wait(moving, return_when=asyncio.FIRST_COMPLETED)
    await server.kill()
    ended = await asyncio.gather(*moving)
    await server.start()
    left = await finish_operations(record, server.client, CELL, patience_seconds=0)
    assert left == sum(one.state == "asked" for one in ended)
    assert await ledger(record) == {"gateway": 20_000, "receivable": -20_000}
    assert (await reconcile(record, server.client, CELL)).differences == []

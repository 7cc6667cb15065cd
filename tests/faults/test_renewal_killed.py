"""The renewal job is killed after the gateway has charged and before the order is placed: the next run charges nothing more."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.partners.payment.port import GatewayPayment
from entrepot.record.transaction import Record
from tests.subscribers import Subscribers, open_subscribers
from tests.till import check_whole
from tests.trade import ledger

SECONDS_MAX = 30.0


@pytest.fixture
async def shop(record: Record, gateway_url: str) -> AsyncIterator[Subscribers]:
    async with open_subscribers(record, gateway_url) as opened:
        yield opened


async def payments(shop: Subscribers) -> list[GatewayPayment]:
    """Return every payment that the gateway knows."""
    found: list[GatewayPayment] = []
    cursor, more = "", True
    while more:
        page = await shop.gateway.payments(cursor)
        found, cursor, more = [*found, *page.payments], page.cursor, page.more
    return found


async def kill_when_charged(migrated_url: str, keyring: Path, gateway_url: str, days: int) -> None:
    """Start the job, and kill it when the gateway has charged."""
    command = [sys.executable, "-m", "tests.faults.renewal_process", migrated_url, keyring.as_uri(), gateway_url, str(days)]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            assert (await child.stdout.readline()).strip() == b"charged"
    finally:
        child.kill()
        await child.wait()


async def test_a_job_killed_between_charge_and_order_charges_once(
    shop: Subscribers, migrated_url: str, tmp_path: Path, gateway_url: str
) -> None:
    begun = await shop.subscribe("tried")
    before = len(await payments(shop))
    for _ in range(2):  # and killed once more by the one who takes over
        await kill_when_charged(migrated_url, tmp_path / "keyring.json", gateway_url, 15)
    assert (await shop.read(begun.id)).charging
    assert await shop.charged(begun) == []
    assert await shop.renew(15) == 1
    assert [payment.authorized_minor for payment in (await payments(shop))[before:]] == [1000]
    detail = await shop.read(begun.id)
    assert (detail.subscription.state, detail.subscription.period, detail.charging) == ("active", 1, False)
    assert await shop.charged(begun) == [1000]
    assert sum((await ledger(shop.record)).values()) == 0
    await check_whole(shop.record)

"""The inbox of gateways' webhooks forgets what no gateway sends again, so much at a time."""

from datetime import timedelta

from entrepot.base import limits
from entrepot.base.time import SystemClock, utc
from entrepot.commerce.payment import store
from entrepot.commerce.payment.webhooks import prune_inbox
from entrepot.record.transaction import Record
from tests.trade import CELL


async def test_webhooks_of_long_ago_are_forgotten_and_those_of_now_are_not(record: Record) -> None:
    clock = SystemClock()
    now = utc(clock.millis())
    async with record.committing() as connection:
        for name, age in (("old", limits.INBOX_DAYS + 1), ("new", limits.INBOX_DAYS - 1)):
            await store.take_in(connection, CELL, "sandbox", name, "payment.captured", now - timedelta(days=age))
    assert [await prune_inbox(record, CELL, clock) for _ in range(2)] == [1, 0]
    async with record.reading() as connection:
        assert [row[0] for row in await connection.fetch("SELECT event_id FROM payment.inbox")] == ["new"]

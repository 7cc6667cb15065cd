"""Payouts: the gateway's own report, read from where we left off, and what reached the bank booked."""

from entrepot.base.limits import GATEWAY_PAGES_MAX
from entrepot.commerce.payment import commands, store
from entrepot.partners.payment.port import PaymentGateway
from entrepot.record.transaction import Record

ACTOR = "payment"


async def book_payouts(record: Record, gateway: PaymentGateway, cell: int) -> int:
    """Book every payout that the report tells of and we do not know; returns how many the pages held."""
    async with record.reading() as connection:
        cursor = await store.settled(connection, cell, gateway.name)
    found = 0
    for _ in range(GATEWAY_PAGES_MAX):
        page = await gateway.report(cursor)
        payouts = [movement for movement in page.movements if movement.kind == "payout"]
        if page.cursor != cursor:
            async with record.transaction(cell, ACTOR) as tx:
                await commands.book_payouts(tx, gateway.name, payouts, page.cursor)
        found, cursor = found + len(payouts), page.cursor
        if not page.more:
            break
    return found

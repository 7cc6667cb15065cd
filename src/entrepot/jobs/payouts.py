"""Pays sellers: what is due is written down, then asked of the bank under its own id, then booked. Never twice.

What is beyond the limit of its currency waits until somebody has approved it; what is refused has failed, and stays owed.

It may be cut between any two of these steps: what was written down is asked again in the next run, under the same id.
"""

import structlog

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.time import Clock, utc
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.marketplace import commands, paying, store
from entrepot.commerce.marketplace.paying import Payout
from entrepot.partners.payout.port import Paid, PayingBank, PayOrder
from entrepot.record.transaction import Record

log = structlog.get_logger()

ACTOR = "job/seller_payouts"


async def pay_sellers(record: Record, bank: PayingBank, cell: int, clock: Clock) -> int:
    """Ask for what is due to sellers, and end what was asked; returns how many payouts ended."""
    now = utc(clock.millis())
    async with record.committing() as connection:
        turn = await store.to_pay(connection, cell, now, limits.PAYOUTS_PER_RUN_MAX)
    for seller_id in turn:
        async with record.transaction(cell, ACTOR) as tx:
            await commands.ask_payouts(tx, seller_id, now)
    async with record.committing() as connection:
        asked = await store.asked_payouts(connection, cell, limits.PAYOUTS_PER_RUN_MAX)
    return sum([await _pay(record, bank, cell, payout, clock) for payout in asked])


async def _pay(record: Record, bank: PayingBank, cell: int, payout: Payout, clock: Clock) -> bool:
    if not await _is_let_through(record, cell, payout, clock):
        return False
    order = PayOrder(
        reference=str(payout.id), payee=str(payout.seller_id), amount_minor=payout.amount_minor, currency=payout.currency
    )
    try:
        answer = await bank.pay(order)
    except EngineAwayError as error:  # it stays asked; the others go on
        log.warning("payout.waits", payout_id=str(payout.id), why=str(error))
        return False
    async with record.transaction(cell, ACTOR) as tx:
        now = utc(clock.millis())
        await approvals.use(tx, paying.deed(payout))
        if isinstance(answer, Paid):
            await commands.end_payout(tx, payout.id, "done", now, reference=answer.reference)
        else:
            await commands.end_payout(tx, payout.id, "failed", now, reason=answer.reason)
    return True


async def _is_let_through(record: Record, cell: int, payout: Payout, clock: Clock) -> bool:
    """Say whether a payout may be asked of the bank; one beyond its limit is asked for, and ended where it was refused."""
    async with record.transaction(cell, ACTOR) as tx:
        word = await approvals.word(tx, paying.deed(payout))
        if word == "refused":
            await commands.end_payout(tx, payout.id, "failed", utc(clock.millis()), reason="refused by who decides payouts")
    return word == "approved"

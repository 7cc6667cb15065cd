"""The commands of closing: a month is shut for booking, then its balance is drawn; it is reopened by somebody's word.

Two transactions, so that orders wait for the first only, which is short; who dies between them closes it again.
"""

from datetime import datetime

from entrepot.base.errors import NotFoundError
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.closing import rules, store
from entrepot.commerce.closing.events import PERIOD_CLOSED, PERIOD_REOPENED, PeriodMoved
from entrepot.commerce.closing.rules import Period
from entrepot.record.transaction import Fact, Transaction


async def shut(tx: Transaction, name: str, now: datetime) -> Period:
    """Let nothing be booked into a month any more, once what is being booked now is committed."""
    month = rules.month(name)
    await store.stop_booking(tx.connection)
    known = await store.period(tx.connection, tx.cell, name, for_update=True)
    before = await store.period_until(tx.connection, tx.cell, month.since)
    booked = await store.booked_before(tx.connection, tx.cell, month.since)
    shutting = rules.begin(month, known, before, now, booked_before=booked)
    await store.put_period(tx.connection, tx.cell, shutting)
    return shutting


async def draw(tx: Transaction, name: str) -> Period:
    """Draw the trial balance of a month that is shut, and sign it by its digest and that of the month before."""
    month = rules.month(name)
    known = await _locked(tx, name)
    before = await store.period_until(tx.connection, tx.cell, month.since)
    drawn = await store.trial_balance(tx.connection, tx.cell, month)
    closed = rules.close(known, drawn, before.digest if before else None, _now(tx))
    await _save(tx, PERIOD_CLOSED, closed)
    return closed


async def reopen(tx: Transaction, name: str) -> Period:
    """Open the last closed month again, once somebody has approved it."""
    known = await _locked(tx, name)
    opened = rules.reopen(known, await store.last_closed(tx.connection, tx.cell))
    await approvals.need(tx, rules.reopening(known), of_all=True)
    await _save(tx, PERIOD_REOPENED, opened)
    return opened


async def _locked(tx: Transaction, name: str) -> Period:
    found = await store.period(tx.connection, tx.cell, rules.month(name).period, for_update=True)
    if found is None:
        raise NotFoundError(f"The books of {name} were never closed: 'entrepot ledger close {name}' closes them.", period=name)
    return found


async def _save(tx: Transaction, kind: str, one: Period) -> None:
    await store.put_period(tx.connection, tx.cell, one)
    body = PeriodMoved(period=one.period, transfers=one.transfers, digest=(one.digest or b"").hex(), at=_now(tx))
    await tx.append([Fact(kind, f"period/{one.period}", one.version, body)])


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))

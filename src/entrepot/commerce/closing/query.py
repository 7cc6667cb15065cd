"""What others may read of the books: the trial balance as it is, beside what was signed."""

from msgspec import Struct, json

from entrepot.commerce.closing import rules, store
from entrepot.commerce.closing.rules import Line, Period, TrialBalance
from entrepot.commerce.closing.store import periods
from entrepot.record.transaction import Connection

__all__ = ["Books", "Line", "Period", "TrialBalance", "books", "periods"]


class Books(Struct, frozen=True, kw_only=True):
    """A month: its trial balance drawn now; whether it is closed, and then where it is no longer what was signed."""

    balance: TrialBalance
    state: str
    digest: str
    differs: list[str]


async def books(connection: Connection, cell: int, name: str) -> Books:
    """Draw the trial balance of a month, and compare it with what was signed when it was closed."""
    month = rules.month(name)
    drawn = await store.trial_balance(connection, cell, month)
    known = await store.period(connection, cell, month.period)
    if known is None or known.state != "closed":
        return Books(balance=drawn, state=known.state if known else "open", digest="", differs=[])
    before = await store.period_until(connection, cell, month.since)
    kept = json.decode(known.balance, type=TrialBalance)
    differs = rules.differences(kept, drawn)
    if kept.digest(before.digest if before else None) != known.digest:
        differs.append("what was signed is not what its digest says: it was changed since")
    return Books(balance=drawn, state=known.state, digest=(known.digest or b"").hex(), differs=differs)

"""The queries of closed months, typed; nothing else."""

from datetime import datetime

from entrepot.commerce.closing.rules import Line, Month, Period, TrialBalance
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def period(connection: Connection, cell: int, name: str, *, for_update: bool = False) -> Period | None:
    """Return a month's books, locked if wanted."""
    row = await connection.fetchrow(SQL["period_for_update" if for_update else "period"], cell, name)
    return Period(**dict(row)) if row else None


async def period_until(connection: Connection, cell: int, moment: datetime) -> Period | None:
    """Return the month that ends where another begins."""
    row = await connection.fetchrow(SQL["period_until"], cell, moment)
    return Period(**dict(row)) if row else None


async def periods(connection: Connection, cell: int) -> list[Period]:
    """Return every month that was ever closed, the last first."""
    return [Period(**dict(row)) for row in await connection.fetch(SQL["periods"], cell)]


async def last_closed(connection: Connection, cell: int) -> str:
    """Return the last month that is closed; empty where none is."""
    return await connection.fetchval(SQL["last_closed"], cell) or ""


async def stop_booking(connection: Connection) -> None:
    """Let nothing be booked until this transaction ends."""
    await connection.execute(SQL["stop_booking"])


async def booked_before(connection: Connection, cell: int, moment: datetime) -> bool:
    """Say whether anything was booked before a moment."""
    return bool(await connection.fetchval(SQL["booked_before"], cell, moment))


async def put_period(connection: Connection, cell: int, one: Period) -> None:
    """Write how a month's books stand."""
    await connection.execute(
        SQL["put_period"], cell, one.period, one.since, one.until, one.state, one.transfers, one.balance, one.digest,
        one.closed_at, one.version,
    )  # fmt: skip


async def trial_balance(connection: Connection, cell: int, of: Month) -> TrialBalance:
    """Draw the trial balance of a month from the ledger."""
    rows = await connection.fetch(SQL["trial_balance"], cell, of.since, of.until)
    transfers = await connection.fetchval(SQL["transfers"], cell, of.since, of.until)
    return TrialBalance(period=of.period, transfers=transfers, lines=[Line(**dict(row)) for row in rows])

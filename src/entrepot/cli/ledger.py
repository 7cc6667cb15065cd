"""`entrepot ledger`: the trial balance of a month, closing it for ever, and reopening it by somebody's word."""

from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from entrepot.audit.commands import Entry, note_in
from entrepot.base.money import Currency, spoken
from entrepot.base.time import SystemClock, utc
from entrepot.cli import EXIT_DIFFERS
from entrepot.cli.opening import opened_record
from entrepot.commerce.approval.asking import asking
from entrepot.commerce.closing import commands, query
from entrepot.commerce.closing.rules import Period
from entrepot.record.transaction import Transaction

ACTOR = "system"

Json = Annotated[bool, Parameter(name="json", negative="")]

ledger = App(name="ledger", help="Draw the ledger's trial balance, close a month, reopen it.")


@ledger.command
async def balance(*, period: str, json: Json = False) -> int:
    """Draw the trial balance of a month; of one that is closed, exits with 7 when it is no longer what was signed.

    Parameters
    ----------
    period
        The month, such as 2026-10.
    json
        Print JSON.
    """
    async with opened_record() as (settings, record), record.reading() as connection:
        found = await query.books(connection, settings.cell, period)
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found)
    return EXIT_DIFFERS if found.differs else 0


@ledger.command
async def close(period: str, *, json: Json = False) -> None:
    """Close the books of a month that is over: nothing is booked into it any more, and its trial balance is signed.

    Parameters
    ----------
    period
        The month, such as 2026-10.
    json
        Print JSON.
    """
    async with opened_record() as (settings, record):
        async with record.transaction(settings.cell, ACTOR) as tx:
            await commands.shut(tx, period, utc(SystemClock().millis()))
        async with record.transaction(settings.cell, ACTOR) as tx:
            closed = await commands.draw(tx, period)
            await _note(tx, "ledger.close", closed)
    _tell(closed, as_json=json, sentence=f"The books of {period} are closed: {closed.transfers:,} transfers, ")


@ledger.command
async def reopen(period: str, *, json: Json = False) -> None:
    """Open the last closed month again. Asks for somebody's word first, who gives it in the office; then do it again.

    Parameters
    ----------
    period
        The month, such as 2026-10.
    json
        Print JSON.
    """
    async with (
        opened_record() as (settings, record),
        asking(record, settings.cell, ACTOR, None),
        record.transaction(settings.cell, ACTOR) as tx,
    ):
        again = await commands.reopen(tx, period)
        await _note(tx, "ledger.reopen", again)
    _tell(again, as_json=json, sentence=f"The books of {period} are open again; they were signed by ")


def show(found: query.Books) -> None:
    """Print a trial balance."""
    console = Console()
    table = Table("account", "opening", "debit", "credit", "closing")
    for one in found.balance.lines:
        amounts = (one.opening_minor, one.debit_minor, one.credit_minor, one.closing_minor)
        table.add_row(one.account, *(spoken(amount, Currency(one.currency)) for amount in amounts))
    console.print(table)
    signed = f", signed {found.digest[:16]}" if found.digest else ""
    console.print(f"{found.balance.period} is {found.state}: {found.balance.transfers:,} transfers{signed}.", highlight=False)
    for difference in found.differs:
        console.print(difference, highlight=False, markup=False, soft_wrap=True)


def _tell(one: Period, *, as_json: bool, sentence: str) -> None:
    told = {"period": one.period, "state": one.state, "transfers": one.transfers, "digest": (one.digest or b"").hex()}
    print(msgspec.json.encode(told).decode() if as_json else f"{sentence}digest {told['digest']}.")


async def _note(tx: Transaction, action: str, one: Period) -> None:
    digest = (one.digest or b"").hex()
    await note_in(
        tx,
        Entry(id=tx.ids.fresh(), at=tx.clock.tick(), kind="command", actor=ACTOR, action=action, object=one.period, why=digest),
    )

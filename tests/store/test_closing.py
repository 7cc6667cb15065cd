"""Closing the books, on PostgreSQL: what is closed takes nothing any more, whoever writes, and says when it was changed."""

import asyncio
from datetime import UTC, datetime

import pytest

from entrepot.base.errors import ConflictError
from entrepot.base.ids import IdSource
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.approval.rules import ApprovalNeededError
from entrepot.commerce.closing import commands, query, rules
from entrepot.commerce.marketplace.query import SQL as SELLERS
from entrepot.commerce.ordering.rules import Transfer
from entrepot.commerce.ordering.store import book
from entrepot.record.transaction import Record
from tests.conftest import superuser
from tests.trade import CELL, ledger

IDS = IdSource()
OCTOBER, NOVEMBER = "2026-10", "2026-11"
NOW = datetime(2026, 12, 2, tzinfo=UTC)
SELLER = str(IDS.fresh())


async def sell(record: Record, day: str, amount_minor: int = 1_000) -> None:
    """Book a sale for a seller, less our commission."""
    transfers = [
        Transfer("receivable", "seller", amount_minor, "", SELLER),
        Transfer("seller", "commission", amount_minor // 10, SELLER, ""),
    ]
    async with record.transaction(CELL) as tx:
        await book(tx.connection, CELL, IDS.fresh(), "EUR", datetime.fromisoformat(f"{day}T12:00Z"), "sale", transfers)


@pytest.fixture
async def books(record: Record) -> Record:
    """Return a record with sales in October and November."""
    async with superuser(record) as connection:
        await connection.execute("SELECT ordering.ensure_room('2026-09-01', '2026-12-31')")
    for day in ("2026-10-03", "2026-10-31", "2026-11-04"):
        await sell(record, day)
    return record


async def close(record: Record, name: str) -> rules.Period:
    async with record.transaction(CELL) as tx:
        await commands.shut(tx, name, NOW)
    async with record.transaction(CELL) as tx:
        return await commands.draw(tx, name)


async def drawn(record: Record, name: str) -> query.Books:
    async with record.reading() as connection:
        return await query.books(connection, CELL, name)


async def test_the_trial_balance_is_what_was_booked_in_the_month_and_carries_over(books: Record) -> None:
    await close(books, OCTOBER)
    await close(books, NOVEMBER)
    october, november = await drawn(books, OCTOBER), await drawn(books, NOVEMBER)
    told = {one.account: (one.opening_minor, one.debit_minor, one.credit_minor) for one in november.balance.lines}
    assert told == {"commission": (-200, 0, 100), "receivable": (2_000, 1_000, 0), "seller": (-1_800, 100, 1_000)}
    assert (october.state, october.differs, november.differs) == ("closed", [], [])
    assert {one.account: one.closing_minor for one in november.balance.lines} == await ledger(books)


async def test_it_agrees_with_the_statement_of_a_seller(books: Record) -> None:
    month = rules.month(OCTOBER)
    async with books.reading() as connection:
        entries = await connection.fetch(SELLERS["booked"], CELL, SELLER, "EUR", month.since, month.until, 9)
    [line] = [one for one in (await drawn(books, OCTOBER)).balance.lines if one.account == "seller"]
    assert sum(row["amount_minor"] for row in entries) == -(line.closing_minor - line.opening_minor) == 1_800


async def test_nothing_is_booked_into_a_closed_month_and_the_next_takes_it(books: Record) -> None:
    await close(books, OCTOBER)
    with pytest.raises(ConflictError, match="books of 2026-10 are closed"):
        await sell(books, "2026-10-31")
    await sell(books, "2026-11-01")


@pytest.mark.parametrize("change", ["UPDATE ordering.transfer SET amount_minor = 1", "DELETE FROM ordering.transfer"])
async def test_nothing_of_a_closed_month_is_changed_or_taken_out(books: Record, change: str) -> None:
    await close(books, OCTOBER)
    with pytest.raises(ConflictError, match="books of 2026-10 are closed"):
        async with books.transaction(CELL) as tx:
            await tx.connection.execute(change)


async def test_who_goes_behind_the_trigger_is_found_out(books: Record) -> None:
    await close(books, OCTOBER)
    async with books.transaction(CELL) as tx:
        await tx.connection.execute("UPDATE closing.period SET balance = replace(balance, '2000', '2001')")
    assert any("its digest" in one for one in (await drawn(books, OCTOBER)).differs)


async def test_what_is_being_booked_while_a_month_closes_is_in_it_or_refused(books: Record) -> None:
    answers = await asyncio.gather(
        close(books, OCTOBER), *(sell(books, "2026-10-15", 10) for _ in range(20)), return_exceptions=True
    )
    booked = sum(one is None for one in answers[1:])
    assert all(one is None or isinstance(one, ConflictError) for one in answers[1:]), answers
    found = await drawn(books, OCTOBER)
    assert (found.balance.transfers, found.differs) == (4 + 2 * booked, [])


async def test_months_are_closed_when_they_are_over_and_in_their_order(books: Record) -> None:
    with pytest.raises(ConflictError, match="close the months in their order"):
        await close(books, NOVEMBER)
    with pytest.raises(ConflictError, match="is not over"):
        await close(books, "2026-12")


async def test_a_month_is_reopened_by_somebody_s_word_alone(books: Record) -> None:
    closed = await close(books, OCTOBER)
    with pytest.raises(ApprovalNeededError):
        async with books.transaction(CELL) as tx:
            await commands.reopen(tx, OCTOBER)
    async with books.transaction(CELL) as tx:
        asked = await approvals.ask(tx, rules.reopening(closed), None)
        await approvals.decide(tx, asked.id, "approved", IDS.fresh())
    async with books.transaction(CELL) as tx:
        await commands.reopen(tx, OCTOBER)
    await sell(books, "2026-10-31")
    assert (await close(books, OCTOBER)).digest != closed.digest


async def test_who_dies_between_shutting_and_drawing_closes_it_again(books: Record) -> None:
    async with books.transaction(CELL) as tx:
        await commands.shut(tx, OCTOBER, NOW)
    with pytest.raises(ConflictError, match="closed"):
        await sell(books, "2026-10-20")
    assert (await close(books, OCTOBER)).state == "closed"

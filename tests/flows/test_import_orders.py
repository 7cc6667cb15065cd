"""Orders come in from a sheet with every quirk of the real one: each row in one class, to the penny, and never twice."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from entrepot.importing.mapping import load_mapping
from entrepot.importing.orders import import_orders
from entrepot.importing.pace import Pace
from entrepot.record.transaction import Record, open_record
from tests.conftest import copied
from tests.imports import QUIRKS, SETTINGS, CutError, CutRecord, bring_in, contents, sheet, unseen
from tests.trade import ledger, left


@pytest.fixture
async def record(migrated_url: str) -> AsyncIterator[Record]:
    """Return the record as who owns its tables: orders of the past need room, which `entrepot import` makes as the owner."""
    async with await open_record(migrated_url) as opened:
        yield opened


async def test_every_row_is_in_exactly_one_class(record: Record, tmp_path: Path) -> None:
    report = await bring_in(record, sheet(tmp_path))
    assert {name: account.rows for name, account in report.classes.items()} == {
        "ordered": 5,
        "duplicate": 1,
        "sample": 1,
        "charge": 6,
        "adjustment": 2,
        "return": 3,
        "cancellation": 1,
        "rejected": 4,
    }
    assert report.rows == len(QUIRKS)


async def test_the_sums_of_the_classes_are_the_sum_of_the_file(record: Record, tmp_path: Path) -> None:
    report = await bring_in(record, sheet(tmp_path))
    readable = [Decimal(str(line[5])) * line[3] for line in QUIRKS if isinstance(line[3], int)]
    assert report.sum == sum(readable)
    assert report.rounding == Decimal("0.001")
    assert sum(account.exact for account in report.classes.values()) == report.sum


async def test_what_is_booked_is_what_the_ledger_owes(record: Record, tmp_path: Path) -> None:
    report = await bring_in(record, sheet(tmp_path))
    booked = sum(account.booked for account in report.classes.values())
    assert (await ledger(record))["receivable"] == booked * 100


async def test_rows_that_become_nothing_are_kept_with_line_and_reason(record: Record, tmp_path: Path) -> None:
    await bring_in(record, sheet(tmp_path), rejects=tmp_path / "rejects.jsonl")
    kept = {line["line"]: line for line in map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())}
    assert sorted(kept) == [12, 21, 22, 23]
    assert kept[21]["reason"] == "column Quantity: 'six' is no whole"
    assert "'Atlantis' is not known" in kept[22]["reason"]
    assert kept[23]["row"]["StockCode"] == "XYZ"


async def test_what_comes_back_finds_the_order_it_was_sold_by(record: Record, tmp_path: Path) -> None:
    await bring_in(record, sheet(tmp_path))
    async with record.reading() as connection:
        found = await connection.fetch(
            "SELECT l.sku, l.quantity, r.order_id IS NOT NULL AS known FROM ordering.return_line l "
            "JOIN ordering.returns r ON r.id = l.return_id ORDER BY r.returned_at, l.quantity"
        )
    assert [tuple(row) for row in found] == [
        ("85123A", 4, True),
        ("71053", 6, True),
        ("71053", 6, True),
        ("71053", 8, False),
        ("22139", 5, False),
    ]


async def test_a_credit_note_over_a_whole_order_cancels_it(record: Record, tmp_path: Path) -> None:
    await bring_in(record, sheet(tmp_path))
    async with record.reading() as connection:
        cancelled = await connection.fetch("SELECT country, cancelled_for FROM ordering.orders WHERE state = 'cancelled'")
    assert [tuple(row) for row in cancelled] == [("ZA", "credit note C536391")]


async def test_write_offs_and_finds_change_the_stock(record: Record, tmp_path: Path) -> None:
    await bring_in(record, sheet(tmp_path))
    # Begins with 12 and what the history needs (given away 1, lost 3 before 2 are found), then 5 and 2 come back, 2 are sold.
    assert await left(record, "22139") == 12 + 4 - 1 - 3 + 2 + 5 - 2 + 2


async def test_a_second_run_changes_nothing_and_says_the_same(record: Record, tmp_path: Path) -> None:
    first = await bring_in(record, sheet(tmp_path), rejects=tmp_path / "rejects.jsonl")
    before, rejected = await contents(record), (tmp_path / "rejects.jsonl").read_text()
    second = await bring_in(record, sheet(tmp_path), rejects=tmp_path / "rejects.jsonl")
    assert await contents(record) == before
    assert (second.classes, second.rejects) == (first.classes, first.rejects)
    assert (tmp_path / "rejects.jsonl").read_text() == rejected


async def test_a_run_at_another_speed_doubles_nothing(record: Record, tmp_path: Path) -> None:
    file = sheet(tmp_path)
    await bring_in(record, file)
    before = await contents(record)
    async with record.transaction(1) as tx:
        await tx.connection.execute("DELETE FROM log.idempotency WHERE key LIKE 'import:online-retail:step:%'")
    await import_orders(record, SETTINGS, file, load_mapping("online-retail"), unseen, pace=Pace(per_second=500))
    assert await contents(record) == before


async def test_orders_refused_for_want_of_an_article_are_taken_once_it_is_there(record: Record, tmp_path: Path) -> None:
    file = sheet(tmp_path)
    early = await import_orders(record, SETTINGS, file, load_mapping("online-retail"), unseen)
    late = await bring_in(record, file)
    assert any("There is no article '85123A' on offer" in reason for reason in early.rejects)
    assert late.classes["ordered"].rows == 5


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_run_cut_at_any_transaction_goes_on_to_the_same_end(
    record: Record, other_record: Record, tmp_path: Path, moment: str
) -> None:
    file = sheet(tmp_path)
    await bring_in(other_record, file)
    for cut_at in range(1, 200):
        try:
            await bring_in(CutRecord(record, cut_at, moment), file)
        except CutError:
            continue
        break
    assert cut_at > 5
    assert await contents(record) == await contents(other_record)


async def test_a_run_that_is_cancelled_goes_on_to_the_same_end(record: Record, other_record: Record, tmp_path: Path) -> None:
    file = sheet(tmp_path)
    await bring_in(other_record, file)
    for wait_seconds in (0.01, 0.03, 0.06, 0.1, 0.15):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bring_in(record, file), wait_seconds)
    await bring_in(record, file)
    assert await contents(record) == await contents(other_record)


async def test_a_database_that_drops_its_connections_is_waited_for(
    record: Record, other_record: Record, migrated_url: str, tmp_path: Path
) -> None:
    file = sheet(tmp_path)
    await bring_in(other_record, file)
    importing = asyncio.create_task(bring_in(record, file))
    axe = await asyncio.wait_for(asyncpg.connect(migrated_url), 10)
    for _ in range(8):
        await asyncio.wait({importing}, timeout=0.04)
        await axe.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await importing
    await axe.close()
    assert await contents(record) == await contents(other_record)


@pytest.fixture
async def other_record(record_url: str, migrated: str) -> AsyncIterator[Record]:
    """Return a second system of record, to compare with."""
    async with copied(record_url, migrated) as url, await open_record(url) as opened:
        yield opened

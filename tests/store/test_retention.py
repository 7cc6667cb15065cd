"""What was kept long enough ends, class by class, and what is held stays; each run that ends something is in the audit."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from entrepot.base.errors import NotFoundError
from entrepot.base.time import FixedClock
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.people import commands
from entrepot.privacy import store
from entrepot.privacy.retention import SQL, Ended, Retention, statements, terms
from entrepot.record.transaction import Record
from entrepot.sealing.datamap import PERSONAL
from entrepot.sealing.sealing import Sealing
from entrepot.sealing.terms import ORDER
from tests.trade import CELL, open_shop, order

NOW = datetime.now(UTC)
CONTACT = "ordering.contact.sealed"


def retention(record: Record, sealing: Sealing, *, years: int) -> Retention:
    """Return the retention as it will be after so many years."""
    at = NOW + timedelta(days=366 * years)
    return Retention(record, CELL, sealing, FixedClock(int(at.timestamp() * 1_000)))


def of(rule: str, done: list[Ended]) -> Ended:
    return next(one for one in done if one.rule == rule)


async def guest_order(record: Record, sealing: Sealing) -> tuple[UUID, UUID]:
    """Place an order that goes to a guest; returns it, and the subject."""
    if not await _is_open(record):
        await open_shop(record, {"mug": 10})
    gatherer = Gatherer(record, CELL)
    order_id, subject = (await gatherer.place(str(uuid4()), order({"mug": 1}))).order_id, uuid4()
    await gatherer.close()
    sealed = (await sealing.seal(subject, {CONTACT: json.dumps({"email": "gwen@example.com"})}))[CONTACT]
    async with record.committing() as connection:
        await connection.execute(
            "INSERT INTO ordering.contact (cell, order_id, subject, sealed) VALUES ($1, $2, $3, $4)",
            CELL,
            order_id,
            subject,
            sealed,
        )
        await store.add_found_by(connection, CELL, [(subject, order_id, b"blind")])
    return order_id, subject


async def _is_open(record: Record) -> bool:
    async with record.reading() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pricing.market)"))


async def contacts(record: Record) -> set[UUID]:
    async with record.reading() as connection:
        return {row["order_id"] for row in await connection.fetch("SELECT order_id FROM ordering.contact")}


async def entries(record: Record, action: str) -> list[str]:
    async with record.reading() as connection:
        rows = await connection.fetch("SELECT object FROM audit.entry WHERE action = $1", action)
        return [row["object"] for row in rows]


def test_every_term_of_the_data_map_is_ended_by_a_rule_or_says_who_ends_it() -> None:
    for one in PERSONAL:
        assert bool(one.retention.rule) != bool(one.retention.by), one.place
    assert all(list(statements(rule)) for rule in terms())


def test_every_place_that_a_rule_ends_is_in_a_statement_of_it() -> None:
    for one in PERSONAL:
        table, _, _ = one.place.rpartition(".")
        if one.retention.rule and one.retention.rule != "accounts":
            assert any(f" {table} " in SQL[name] for name in statements(one.retention.rule)), one.place


async def test_every_table_of_an_account_is_emptied_by_the_erasure_that_retention_asks_for() -> None:
    for one in PERSONAL:
        if one.retention.rule == "accounts":
            table = one.place.rpartition(".")[0]
            assert any(f" {table} " in store.SQL[name] for name in store.ERASE), one.place


async def test_a_contact_ends_with_the_tax_law_s_term_and_a_guest_s_key_with_it(record: Record, sealing: Sealing) -> None:
    order_id, subject = await guest_order(record, sealing)
    assert of("orders", await retention(record, sealing, years=9).run()).rows["orders_contacts"] == 0
    done = of("orders", await retention(record, sealing, years=12).run())
    assert (done.rows["orders_contacts"], done.keys) == (1, 1)
    assert order_id not in await contacts(record)
    async with record.reading() as connection:
        assert await store.forgotten(connection, [subject]) == {subject}
    assert await entries(record, "retention.orders_contacts") == ["1.rows"]


async def test_what_is_held_for_a_case_stays_until_that_is_lifted(record: Record, sealing: Sealing) -> None:
    held, free = (await guest_order(record, sealing))[0], (await guest_order(record, sealing))[0]
    late = retention(record, sealing, years=12)
    assert await late.hold(held, "2026/117", "test")
    done = of("orders", await late.run())
    assert (await contacts(record), done.held) == ({held}, 1)
    assert free not in await contacts(record)
    assert await late.hold(held, "2026/117", "test", lift=True)
    await late.run()
    assert await contacts(record) == set()
    with pytest.raises(NotFoundError, match="2026/117"):
        await late.hold(held, "2026/117", "test", lift=True)


async def test_a_dry_run_says_what_is_due_and_ends_nothing(record: Record, sealing: Sealing) -> None:
    order_id, subject = await guest_order(record, sealing)
    done = of("orders", await retention(record, sealing, years=12).run(dry=True))
    assert (done.rows["orders_contacts"], done.keys, done.before.year) == (1, 1, done.before.year)
    assert await contacts(record) == {order_id}
    async with record.reading() as connection:
        assert await store.forgotten(connection, [subject]) == set()
    assert await entries(record, "retention.orders_contacts") == []


async def test_an_account_that_nobody_used_is_to_be_forgotten_and_is_told_so(record: Record, sealing: Sealing) -> None:
    async with record.transaction(CELL) as tx:
        unused = await commands.add_person(tx, sealing, "una@example.com", [], NOW)
    late = retention(record, sealing, years=4)
    await retention(record, sealing, years=2).run()
    assert of("accounts", await late.run()).rows == {"accounts_unused": 1}
    assert of("accounts", await late.run()).rows == {"accounts_unused": 0}
    async with record.reading() as connection:
        erasure = await store.erasure_of(connection, CELL, unused)
        letter = await connection.fetchval("SELECT about FROM identity.letter WHERE person_id = $1", unused)
    assert erasure is not None
    assert (erasure.state, letter, erasure.due_at - erasure.asked_at) == ("asked", "unused", timedelta(days=14))
    assert await entries(record, "retention.accounts_unused") == [str(erasure.id)]


def test_the_tax_law_s_term_begins_with_the_end_of_the_year() -> None:
    assert ORDER.before(datetime(2036, 12, 31, tzinfo=UTC)) == datetime(2026, 1, 1, tzinfo=UTC)

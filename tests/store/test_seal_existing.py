"""What an older version wrote plain is sealed by command, once, and read the same before and after."""

from uuid import UUID, uuid4

import pytest

from entrepot.commerce.business import query, store
from entrepot.commerce.digital import store as digital
from entrepot.commerce.webhook.store import due_endpoints
from entrepot.jobs.sealing import seal_existing
from entrepot.record.transaction import Record
from tests.trade import CELL


@pytest.fixture
async def plain(record: Record) -> UUID:
    """Write a company, a buyer, an order's contact and secrets as they were written before; returns the company."""
    company, buyer, order = uuid4(), uuid4(), uuid4()
    async with record.transaction(CELL) as tx:
        run = tx.connection.execute
        await run(
            "INSERT INTO business.company (cell, id, name, country, currency, credit_limit_minor, terms_days, vat_id, address, "
            "state, version) VALUES ($1, $2, 'Acme', 'GB', 'GBP', 0, 30, '', 'York', 'active', 1)", CELL, company,
        )  # fmt: skip
        await run(
            "INSERT INTO business.buyer (cell, id, company_id, name, email, role, state, version) "
            "VALUES ($1, $2, $3, 'Ada', 'Ada@example.org', 'buyer', 'active', 1)", CELL, buyer, company,
        )  # fmt: skip
        await run("INSERT INTO digital.secret (cell, secret) VALUES ($1, $2)", CELL, b"planted")
        await run(
            "INSERT INTO webhook.endpoint (cell, id, url, secret, kinds, txid, seq, version) "
            "VALUES ($1, $2, 'https://a.example', 'whsec_planted', '{*}', 0, 0, 1)", CELL, order,
        )  # fmt: skip
    return company


async def read(record: Record, company: UUID) -> object:
    """Return what is read of all that was plain."""
    seals = record.sealing
    async with record.reading() as connection:
        now = await connection.fetchval("SELECT now()")
        buyers = await query.buyers(connection, CELL, company, now, seals)
        holder = await store.email_holder(connection, CELL, company, "Ada@example.org", seals)
        secrets = [one.secret for one in await due_endpoints(connection, CELL, now, seals)]
        return [(one.name, one.email) for one in buyers], holder, secrets, await digital.secret(connection, CELL, seals)


async def test_what_was_plain_reads_the_same_once_it_is_sealed(record: Record, plain: UUID) -> None:
    before = await read(record, plain)
    assert sum([step.rows async for step in seal_existing(record, CELL)]) == 3
    assert await read(record, plain) == before
    async with record.reading() as connection:
        left = await connection.fetchval(
            "SELECT count(*) FROM business.buyer, webhook.endpoint, digital.secret AS s "
            "WHERE num_nonnulls(buyer.name, buyer.email, endpoint.secret, s.secret) > 0"
        )
    assert left == 0


async def test_sealing_again_finds_nothing_to_do(record: Record, plain: UUID) -> None:
    assert [step async for step in seal_existing(record, CELL)]
    assert sum([step.rows async for step in seal_existing(record, CELL)]) == 0

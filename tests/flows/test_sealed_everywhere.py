"""After an order nothing of its buyer can be read in any table of PostgreSQL, the log among them; and they can be forgotten."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from entrepot.base.time import SystemClock
from entrepot.commerce.checkout import contact
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from entrepot.sealing.errors import SubjectForgottenError
from entrepot.sealing.sealing import Sealing
from tests.till import BUYER, TOKEN
from tests.trade import CELL, open_shop

SECONDS_MAX = 1.0  # every process forgets within a second
PLANTED = (BUYER.email, BUYER.address.line1)


@pytest.fixture
async def checkouts(record: Record, gateway_url: str) -> AsyncIterator[Checkouts]:
    await open_shop(record, {"tea": 10})
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
    gateway = SandboxGateway(gateway_url, seconds=5.0)
    opened = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    yield opened
    await opened.close()
    await gateway.close()


async def buy(checkouts: Checkouts, key: str, customer_id: UUID | None = None) -> UUID:
    """Buy a piece and return the order."""
    quote = QuoteRequest(market="uk", country="GB", lines=[WantedLine(sku="tea", quantity=1)], customer_id=customer_id)
    request = CheckoutRequest(quote=quote, payment=PaymentChoice(kind="card", token=TOKEN), contact=BUYER)
    order_id = (await checkouts.begin(key, request)).order_id
    assert order_id is not None
    return order_id


async def lies_in(record: Record, *planted: str) -> list[str]:
    """Return the tables in which one of these texts can be read."""
    found = []
    async with record.reading() as connection:
        for row in await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information_)'"
        ):
            rows = await connection.fetchval(
                f"SELECT count(*) FROM {row['name']} AS t WHERE t::text ~* $1", "|".join(planted).replace(".", r"\.")
            )
            found += [row["name"]] if rows else []
    return found


async def contact_row(record: Record, order_id: UUID) -> object:
    """Return whom an order goes to, as it is read."""
    async with record.reading() as connection:
        row = await connection.fetchrow("SELECT * FROM ordering.contact WHERE cell = $1 AND order_id = $2", CELL, order_id)
        assert row is not None
        return await contact.opened(row, record.sealing)


async def until_forgotten(record: Record, order_id: UUID) -> None:
    """Wait until nobody reads any more whom an order goes to."""
    while await contact_row(record, order_id) is not None:  # noqa: ASYNC110  # no event tells of it: a deadline
        await asyncio.sleep(0.01)


async def test_nothing_of_a_buyer_can_be_read_in_any_table(record: Record, checkouts: Checkouts) -> None:
    order_id = await buy(checkouts, "one")
    assert await contact_row(record, order_id) == BUYER
    assert await lies_in(record, *PLANTED) == []


async def test_a_guest_is_forgotten_by_the_order_they_placed(record: Record, checkouts: Checkouts, sealing: Sealing) -> None:
    order_id = await buy(checkouts, "guest")
    async with record.transaction(CELL) as tx:
        assert await sealing.destroy(tx.connection, order_id)
    async with asyncio.timeout(SECONDS_MAX):
        await until_forgotten(record, order_id)


async def test_who_was_forgotten_is_refused_and_their_neighbours_are_not(
    record: Record, checkouts: Checkouts, sealing: Sealing
) -> None:
    customer = record.ids.fresh()
    async with record.transaction(CELL) as tx:
        await sealing.destroy(tx.connection, customer)
    with pytest.raises(SubjectForgottenError):
        await buy(checkouts, "forgotten", customer)
    assert await buy(checkouts, "neighbour")

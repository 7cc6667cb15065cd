"""The queries of returns under way, typed; nothing else. A case is changed under its order's lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from entrepot.base.seals import Seals
from entrepot.commerce.aftersale.cases import ReturnCase
from entrepot.commerce.aftersale.events import CaseLine
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout import contact
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put_case(connection: Connection, cell: int, case: ReturnCase, at: datetime) -> None:
    """Write a return as it now is."""
    await connection.execute(
        SQL["put_case"], cell, case.id, case.order_id, case.customer_id, case.state, case.reason, case.note, at,
        case.refunded_minor, case.exchange_order_id, case.version,
    )  # fmt: skip
    lines = case.lines
    await connection.execute(
        SQL["put_case_lines"], cell, case.id, [x.line for x in lines], [x.requested for x in lines],
        [x.received for x in lines], [x.restocked for x in lines], [x.written_off for x in lines], [x.refused for x in lines],
    )  # fmt: skip


async def order_of(connection: Connection, cell: int, case_id: UUID) -> UUID | None:
    """Return the order that a return is of."""
    found: UUID | None = await connection.fetchval(SQL["order_of"], cell, case_id)
    return found


async def cases_of(connection: Connection, cell: int, order_id: UUID) -> list[ReturnCase]:
    """Return the returns of an order, in the order they were asked for."""
    rows = [dict(row) for row in await connection.fetch(SQL["cases_of"], cell, order_id)]
    lines: dict[UUID, list[CaseLine]] = {row["id"]: [] for row in rows}
    for line in await connection.fetch(SQL["case_lines_of"], cell, order_id):
        fields = dict(line)
        lines[fields.pop("case_id")].append(CaseLine(**fields))
    return [ReturnCase(**row, lines=lines[row["id"]]) for row in rows]


async def release_claims(connection: Connection, cell: int, order_id: UUID) -> None:
    """Give back what an order used of coupons and promotions."""
    await connection.execute(SQL["release_claims"], cell, order_id)


async def exchanged_for(connection: Connection, cell: int, order_id: UUID) -> UUID | None:
    """Return the order for whose pieces this one was sent in exchange; None when it was not."""
    found: UUID | None = await connection.fetchval(SQL["exchanged_for"], cell, order_id)
    return found


async def contact_of(connection: Connection, cell: int, order_id: UUID, seals: Seals) -> Contact | None:
    """Return whom an order goes to; None when nobody wrote that down, or they were forgotten."""
    row = await connection.fetchrow(SQL["contact_of"], cell, order_id)
    return None if row is None else await contact.opened(row, seals)


async def subject_of(connection: Connection, cell: int, order_id: UUID) -> UUID | None:
    """Return under whose key it lies to whom an order goes; None when nobody wrote that down."""
    found: UUID | None = await connection.fetchval(SQL["subject_of"], cell, order_id)
    return found


async def vat_id_of(connection: Connection, cell: int, company_id: UUID | None) -> str | None:
    """Return the VAT id of a company; None for a person, and for a company that has none."""
    found: str | None = await connection.fetchval(SQL["vat_id_of"], cell, company_id)
    return found or None


async def grams_of(connection: Connection, cell: int, shipment_id: UUID) -> int:
    """Return what a shipment weighs, packing left out."""
    grams: int = await connection.fetchval(SQL["grams_of"], cell, shipment_id)
    return grams


async def cases_claimed(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Return those of these orders that were placed for returns which are not settled yet, and the returns."""
    return [(row[0], row[1]) for row in await connection.fetch(SQL["cases_claimed"], cell, order_ids)]


async def use_claim(connection: Connection, cell: int, name: str, amount: int, most: int) -> bool:
    """Use so much of an allowance, and say whether there was enough of it."""
    return await connection.fetchval(SQL["use_claim"], cell, name, amount, most) is not None

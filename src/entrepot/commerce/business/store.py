"""The queries of companies, buyers, purchases and negotiations, typed; nothing else (invoices: ``billing_store``)."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct, structs

from entrepot.base.errors import NotFoundError
from entrepot.base.seals import Seals
from entrepot.commerce.business.events import BuyerSaved, CompanySaved, PurchaseChanged
from entrepot.commerce.business.negotiation import Negotiation, Round
from entrepot.commerce.business.rules import Purchase
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.held import CheckoutRequest
from entrepot.record.named import queries
from entrepot.record.transaction import Connection
from entrepot.sealing.blind import email_normal

SQL = queries(__package__)

# What is sealed is bound to these names.
BUYER_NAME = "business.buyer.name_sealed"
BUYER_EMAIL = "business.buyer.email_sealed"
PURCHASE_CONTACT = "business.purchase.contact_sealed"

Found = TypeVar("Found", bound=Struct)


async def company(connection: Connection, cell: int, company_id: UUID, *, for_update: bool = False) -> CompanySaved | None:
    """Return a company, locked if what it owes is to change, or None."""
    row = await connection.fetchrow(SQL["company_for_update" if for_update else "company"], cell, company_id)
    return None if row is None else _as(row, CompanySaved)


async def known_company(connection: Connection, cell: int, company_id: UUID, *, for_update: bool = False) -> CompanySaved:
    """Return a company, or say that there is none."""
    found = await company(connection, cell, company_id, for_update=for_update)
    if found is None:
        raise NotFoundError(f"There is no company {company_id}.", company_id=str(company_id))
    return found


async def company_version(connection: Connection, cell: int, company_id: UUID) -> int:
    """Return how often a company was saved; 0: never."""
    row = await connection.fetchrow(SQL["company_for_update"], cell, company_id)
    return row["version"] if row else 0


async def put_company(connection: Connection, cell: int, saved: CompanySaved, version: int) -> None:
    """Write a company as it now is."""
    await connection.execute(
        SQL["put_company"], cell, saved.id, saved.name, saved.country, saved.currency, saved.credit_limit_minor,
        saved.terms_days, saved.vat_id, saved.address, saved.state, version,
    )  # fmt: skip


async def vat_id_holder(connection: Connection, cell: int, vat_id: str) -> UUID | None:
    """Return the company that has this VAT id."""
    found: UUID | None = await connection.fetchval(SQL["vat_id_holder"], cell, vat_id) if vat_id else None
    return found


async def set_credit(connection: Connection, cell: int, company_id: UUID, limit_minor: int) -> None:
    """Make a company's allowance, or change its limit."""
    await connection.execute(SQL["set_credit"], cell, _allowance(company_id), limit_minor)


async def give_credit_back(connection: Connection, cell: int, of: CompanySaved, amount_minor: int) -> None:
    """Free so much of a company's credit."""
    await connection.execute(SQL["give_credit_back"], cell, _allowance(of.id), amount_minor, of.credit_limit_minor)


async def credit_used(connection: Connection, cell: int, company_id: UUID) -> int:
    """Return how much of a company's credit is used."""
    used: int | None = await connection.fetchval(SQL["credit_used"], cell, _allowance(company_id))
    return used or 0


async def buyer(
    connection: Connection, cell: int, buyer_id: UUID, *, for_update: bool = False
) -> tuple[BuyerSaved, int] | None:
    """Return a buyer and the version, locked if they are to spend, or None."""
    row = await connection.fetchrow(SQL["buyer_for_update" if for_update else "buyer"], cell, buyer_id)
    return None if row is None else (_as(row, BuyerSaved), row["version"])


async def known_buyer(connection: Connection, cell: int, buyer_id: UUID, *, for_update: bool = False) -> BuyerSaved:
    """Return a buyer, or say that there is none."""
    found = await buyer(connection, cell, buyer_id, for_update=for_update)
    if found is None:
        raise NotFoundError(f"There is no buyer {buyer_id}.", buyer_id=str(buyer_id))
    return found[0]


async def put_buyer(
    connection: Connection, cell: int, saved: BuyerSaved, version: int, name: str, email: str, seals: Seals
) -> None:
    """Write a buyer as they now are; name and email stay in this row, sealed."""
    sealed = await seals.seal(saved.id, {BUYER_NAME: name, BUYER_EMAIL: email})
    await connection.execute(
        SQL["put_buyer"], cell, saved.id, saved.company_id, saved.role, saved.order_limit_minor, saved.month_limit_minor,
        saved.state, version, sealed[BUYER_NAME], sealed[BUYER_EMAIL], seals.blind(BUYER_EMAIL, email_normal(email)),
    )  # fmt: skip


async def email_holder(connection: Connection, cell: int, company_id: UUID, email: str, seals: Seals) -> UUID | None:
    """Return the buyer of a company who has this email."""
    blind = seals.blind(BUYER_EMAIL, email_normal(email))
    found: UUID | None = await connection.fetchval(SQL["email_holder"], cell, company_id, blind, email)
    return found


async def spent(connection: Connection, cell: int, buyer_id: UUID, since: datetime) -> int:
    """Return what a buyer has spent since a moment."""
    total: int = await connection.fetchval(SQL["spent"], cell, buyer_id, since)
    return total


async def locked_purchase(connection: Connection, cell: int, purchase_id: UUID) -> Purchase:
    """Lock a purchase and return it, or say that there is none."""
    row = await connection.fetchrow(SQL["purchase_for_update"], cell, purchase_id)
    if row is None:
        raise NotFoundError(f"There is no purchase {purchase_id}.", purchase_id=str(purchase_id))
    return Purchase(**dict(row))


async def purchase(connection: Connection, cell: int, purchase_id: UUID) -> PurchaseChanged:
    """Return a purchase as it stands, or say that there is none."""
    row = await connection.fetchrow(SQL["purchase"], cell, purchase_id)
    if row is None:
        raise NotFoundError(f"There is no purchase {purchase_id}.", purchase_id=str(purchase_id))
    return PurchaseChanged(**dict(row))


async def put_purchase(connection: Connection, cell: int, asked: Purchase, request: CheckoutRequest, seals: Seals) -> None:
    """Write a purchase that is asked for, with what it will ask of the checkout; whom it goes to lies sealed beside it."""
    contact = msgspec.json.encode(request.contact).decode()
    sealed = (await seals.seal(asked.buyer_id, {PURCHASE_CONTACT: contact}))[PURCHASE_CONTACT]
    kept = structs.replace(request, contact=None)
    columns = (getattr(asked, name) for name in (
        "id", "company_id", "buyer_id", "state", "purchase_order", "negotiation_id", "currency", "total_minor", "why",
        "asked_at", "decided_by", "decided_at", "order_id", "version",
    ))  # fmt: skip
    await connection.execute(SQL["put_purchase"], cell, *columns, msgspec.json.encode(kept).decode(), sealed)


async def change_purchase(connection: Connection, cell: int, changed: Purchase) -> None:
    """Write what became of a purchase."""
    await connection.execute(
        SQL["change_purchase"], cell, changed.id, changed.state, changed.why, changed.decided_by, changed.decided_at,
        changed.order_id, changed.version,
    )  # fmt: skip


async def purchase_request(connection: Connection, cell: int, purchase_id: UUID, seals: Seals) -> tuple[str, CheckoutRequest]:
    """Return how a purchase stands and what it asks of the checkout; without a contact when the buyer was forgotten."""
    row = await connection.fetchrow(SQL["purchase_request"], cell, purchase_id)
    if row is None:
        raise NotFoundError(f"There is no purchase {purchase_id}.", purchase_id=str(purchase_id))
    request = msgspec.json.decode(row["request"], type=CheckoutRequest)
    if row["contact_sealed"] is not None:
        text = (await seals.unseal(row["buyer_id"], {PURCHASE_CONTACT: row["contact_sealed"]}))[PURCHASE_CONTACT]
        request = structs.replace(request, contact=msgspec.json.decode(text, type=Contact) if text else None)
    return row["state"], request


async def purchases_to_order(connection: Connection, cell: int, limit: int) -> list[UUID]:
    """Return purchases that are approved and have no order yet."""
    return [row["id"] for row in await connection.fetch(SQL["purchases_to_order"], cell, limit)]


async def purchase_of_negotiation(connection: Connection, cell: int, negotiation_id: UUID) -> UUID | None:
    """Return the purchase that an agreement is, or is about to be, ordered by."""
    found: UUID | None = await connection.fetchval(SQL["purchase_of_negotiation"], cell, negotiation_id)
    return found


async def locked_negotiation(connection: Connection, cell: int, negotiation_id: UUID) -> Negotiation:
    """Lock a negotiation and return it, or say that there is none."""
    row = await connection.fetchrow(SQL["negotiation_for_update"], cell, negotiation_id)
    if row is None:
        raise NotFoundError(f"There is no negotiation {negotiation_id}.", negotiation_id=str(negotiation_id))
    return Negotiation(**dict(row))


async def put_negotiation(connection: Connection, cell: int, one: Negotiation) -> None:
    """Write a negotiation as it now is."""
    await connection.execute(SQL["put_negotiation"], cell, *(getattr(one, name) for name in Negotiation.__struct_fields__))


async def put_round(connection: Connection, cell: int, negotiation_id: UUID, move: Round) -> None:
    """Remember a move of a negotiation."""
    await connection.execute(
        SQL["put_round"], cell, negotiation_id, move.round, move.by_whom, move.did, move.units_minor, move.valid_until,
        move.note, move.at,
    )  # fmt: skip


async def negotiations_to_expire(connection: Connection, cell: int, now: datetime, limit: int) -> list[UUID]:
    """Return negotiations that are no longer valid."""
    return [row["id"] for row in await connection.fetch(SQL["negotiations_to_expire"], cell, now, limit)]


async def market_currency(connection: Connection, market: str) -> str:
    """Return what a market sells in, or say that there is none."""
    found: str | None = await connection.fetchval(SQL["market_currency"], market)
    if found is None:
        raise NotFoundError(f"There is no market {market!r}.", market=market)
    return found


async def check_skus(connection: Connection, skus: list[str]) -> None:
    """Refuse articles that are not there."""
    unknown = [row["sku"] for row in await connection.fetch(SQL["unknown_skus"], skus)]
    if unknown:
        raise NotFoundError(f"There is no SKU {unknown[0]!r}: check how it is written.", sku=unknown[0])


def _allowance(company_id: UUID) -> str:
    return f"credit/{company_id}"


def _as(row: asyncpg.Record, of: type[Found]) -> Found:
    """Return the columns of a row that a struct has."""
    return of(**{name: row[name] for name in of.__struct_fields__})

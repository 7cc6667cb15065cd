"""Buying for a company: companies and their credit, buyers and their limits, purchases and their approval.

There are no logins yet: who acts is named in the body (``buyer_id``), and believed.
"""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import AtLeast, OptionalKey, RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.time import utc
from entrepot.commerce.business import commands, query
from entrepot.commerce.business.commands import Bought, PurchaseDraft
from entrepot.commerce.business.events import PurchaseChanged
from entrepot.commerce.business.purchasing import Purchasing
from entrepot.commerce.business.query import BuyerView, CompanyView
from entrepot.commerce.business.rules import BuyerDraft, CompanyDraft
from entrepot.record.transaction import Transaction

NO_STORE = {"Cache-Control": "no-store"}

OfCompany: TypeAlias = Annotated[str, QueryParameter(name="company", description="Only those of this company (its id).")]
# Named otherwise in the code: a parameter called ``state`` is the framework's own.
OnlyState: TypeAlias = Annotated[
    Literal["", "pending", "approved", "ordered", "refused", "rejected", "withdrawn"],
    QueryParameter(name="state", description="Only those that stand so."),
]


class Made(Struct, frozen=True, kw_only=True):
    """What was made: its id for ever."""

    id: UUID
    position: str


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who decides about a purchase; a rejection says why."""

    buyer_id: UUID
    why: str = ""


class Companies(Struct, frozen=True, kw_only=True):
    """Companies, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[CompanyView]
    cursor: str


class Buyers(Struct, frozen=True, kw_only=True):
    """Everybody who may buy, or could, for a company."""

    items: list[BuyerView]


class Purchases(Struct, frozen=True, kw_only=True):
    """Purchases, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[PurchaseChanged]
    cursor: str


@post("/v1/companies", tags=["Companies"], summary="Make a company", opt={"permission": "companies.write"})
async def create_company(
    parts: NamedDependency[Parts], data: JSONBody[CompanyDraft], idempotency_key: RequiredKey = ""
) -> Response[Made]:
    """Make a company that buys on net terms, up to its credit limit."""

    async def act(tx: Transaction) -> Made:
        company_id = tx.ids.fresh()
        return Made(id=company_id, position=str(await commands.save_company(tx, company_id, data)))

    made = await parts.run(act, Made, required(idempotency_key), data)
    return Response(made, status_code=201, headers={"Location": f"/v1/companies/{made.id}", **moved(made.position)})


@put("/v1/companies/{company_id:uuid}", tags=["Companies"], summary="Change a company", opt={"permission": "companies.write"})
async def save_company(
    parts: NamedDependency[Parts], company_id: FromPath[UUID], data: JSONBody[CompanyDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Change a company, its credit limit, its terms; what is used beyond a lowered limit stays used."""

    async def act(tx: Transaction) -> Done:
        await query.company(tx.connection, tx.cell, company_id)
        return done(await commands.save_company(tx, company_id, data))

    answer = await parts.run(act, Done, idempotency_key, asked(f"company {company_id}", data))
    return Response(answer, headers=moved(answer.position))


@get("/v1/companies", tags=["Companies"], summary="List companies", opt={"permission": "companies.read"})
async def list_companies(
    parts: NamedDependency[Parts], at_least: AtLeast, cursor: Cursor = "", limit: Limit = 20
) -> Response[Companies]:
    """List companies with what is left of their credit, newest first."""
    after = parse_cursor(cursor)
    items = await parts.recent(lambda connection: query.companies(connection, parts.cell, after, limit), at_least)
    page = Companies(items=items, cursor=str(items[-1].company.id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link("/v1/companies", page.cursor, limit)})


@get(
    "/v1/companies/{company_id:uuid}",
    tags=["Companies"],
    summary="One company and its credit",
    opt={"permission": "companies.read"},
)
async def read_company(parts: NamedDependency[Parts], company_id: FromPath[UUID]) -> Response[CompanyView]:
    """Read a company with what is left of its credit, from the truth."""
    async with parts.record.reading() as connection:
        return Response(await query.company(connection, parts.cell, company_id), headers=NO_STORE)


@post(
    "/v1/companies/{company_id:uuid}/buyers",
    tags=["Companies"],
    summary="Let somebody buy for a company",
    opt={"permission": "companies.staff"},
)
async def create_buyer(
    parts: NamedDependency[Parts], company_id: FromPath[UUID], data: JSONBody[BuyerDraft], idempotency_key: RequiredKey = ""
) -> Response[Made]:
    """Make a buyer: what they may spend alone, in an order and in a month, and whether they approve for others."""

    async def act(tx: Transaction) -> Made:
        buyer_id = tx.ids.fresh()
        return Made(id=buyer_id, position=str(await commands.save_buyer(tx, company_id, buyer_id, data)))

    made = await parts.run(act, Made, required(idempotency_key), asked(f"buyer of {company_id}", data))
    return Response(made, status_code=201, headers=moved(made.position))


@put(
    "/v1/companies/{company_id:uuid}/buyers/{buyer_id:uuid}",
    tags=["Companies"],
    summary="Change a buyer",
    opt={"permission": "companies.staff"},
)
async def save_buyer(
    parts: NamedDependency[Parts],
    company_id: FromPath[UUID],
    buyer_id: FromPath[UUID],
    data: JSONBody[BuyerDraft],
    idempotency_key: OptionalKey,
) -> Response[Done]:
    """Change a buyer's role and limits, or say that they have left."""

    async def act(tx: Transaction) -> Done:
        return done(await commands.save_buyer(tx, company_id, buyer_id, data))

    answer = await parts.run(act, Done, idempotency_key, asked(f"buyer {buyer_id} of {company_id}", data))
    return Response(answer, headers=moved(answer.position))


@get(
    "/v1/companies/{company_id:uuid}/buyers",
    tags=["Companies"],
    summary="Who buys for a company",
    opt={"permission": "companies.read"},
)
async def list_buyers(parts: NamedDependency[Parts], company_id: FromPath[UUID]) -> Response[Buyers]:
    """List a company's buyers, with what each has spent this month."""
    async with parts.record.reading() as connection:
        await query.company(connection, parts.cell, company_id)
        items = await query.buyers(connection, parts.cell, company_id, utc(parts.clock.millis()), parts.record.sealing)
    return Response(Buyers(items=items), headers=NO_STORE)


@post(
    "/v1/companies/{company_id:uuid}/purchases",
    tags=["Companies"],
    summary="Buy on net terms",
    opt={"permission": "purchases.ask"},
)
async def request_purchase(
    parts: NamedDependency[Parts], company_id: FromPath[UUID], data: JSONBody[PurchaseDraft], idempotency_key: RequiredKey = ""
) -> Response[PurchaseChanged]:
    """Buy on the company's terms: ordered at once within the buyer's limits, else it waits for somebody who may approve it.

    ``refused`` says that the checkout could not place it, and why.
    """

    async def act(tx: Transaction) -> Bought:
        return await commands.request_purchase(tx, parts.quoting, company_id, data, utc(parts.clock.millis()))

    bought = await parts.run(act, Bought, required(idempotency_key), asked(f"purchase of {company_id}", data))
    return await _ordered(parts, bought)


@post(
    "/v1/purchases/{purchase_id:uuid}/approval",
    tags=["Companies"],
    summary="Approve a purchase",
    opt={"permission": "purchases.decide"},
)
async def approve_purchase(
    parts: NamedDependency[Parts], purchase_id: FromPath[UUID], data: JSONBody[Decision], idempotency_key: RequiredKey = ""
) -> Response[PurchaseChanged]:
    """Approve what another buyer asked for, and order it; nobody approves their own, nor above their own limit."""

    async def act(tx: Transaction) -> Bought:
        return await commands.approve_purchase(tx, purchase_id, data.buyer_id, utc(parts.clock.millis()))

    bought = await parts.run(act, Bought, required(idempotency_key), asked(f"approve {purchase_id}", data))
    return await _ordered(parts, bought)


@post(
    "/v1/purchases/{purchase_id:uuid}/rejection",
    tags=["Companies"],
    summary="Reject a purchase",
    opt={"permission": "purchases.decide"},
)
async def reject_purchase(
    parts: NamedDependency[Parts], purchase_id: FromPath[UUID], data: JSONBody[Decision], idempotency_key: RequiredKey = ""
) -> Response[PurchaseChanged]:
    """Reject what another buyer asked for, and say why."""

    async def act(tx: Transaction) -> Bought:
        return await commands.reject_purchase(tx, purchase_id, data.buyer_id, data.why, utc(parts.clock.millis()))

    bought = await parts.run(act, Bought, required(idempotency_key), asked(f"reject {purchase_id}", data))
    return Response(bought.purchase, status_code=201, headers=moved(bought.position))


@post(
    "/v1/purchases/{purchase_id:uuid}/withdrawal",
    tags=["Companies"],
    summary="Withdraw a purchase",
    opt={"permission": "purchases.ask"},
)
async def withdraw_purchase(
    parts: NamedDependency[Parts], purchase_id: FromPath[UUID], data: JSONBody[Decision], idempotency_key: RequiredKey = ""
) -> Response[PurchaseChanged]:
    """Take back what one asked for oneself and nobody has decided."""

    async def act(tx: Transaction) -> Bought:
        return await commands.withdraw_purchase(tx, purchase_id, data.buyer_id)

    bought = await parts.run(act, Bought, required(idempotency_key), asked(f"withdraw {purchase_id}", data))
    return Response(bought.purchase, status_code=201, headers=moved(bought.position))


@get("/v1/purchases", tags=["Companies"], summary="List purchases", opt={"permission": "purchases.read"})
async def list_purchases(
    parts: NamedDependency[Parts], of_company: OfCompany = "", only: OnlyState = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[Purchases]:
    """List purchases, newest first; ``state=pending`` are those that wait for an approver."""
    company_id = parse_company(of_company)
    async with parts.record.reading() as connection:
        items = await query.purchases(connection, parts.cell, company_id, only, parse_cursor(cursor), limit)
    page = Purchases(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    more = next_link("/v1/purchases", page.cursor, limit, company=of_company, state=only)
    return Response(page, headers={**NO_STORE, **more})


@get("/v1/purchases/{purchase_id:uuid}", tags=["Companies"], summary="One purchase", opt={"permission": "purchases.read"})
async def read_purchase(parts: NamedDependency[Parts], purchase_id: FromPath[UUID]) -> Response[PurchaseChanged]:
    """Read a purchase, from the truth."""
    async with parts.record.reading() as connection:
        return Response(await query.purchase(connection, parts.cell, purchase_id), headers=NO_STORE)


HANDLERS = [
    create_company, save_company, list_companies, read_company, create_buyer, save_buyer, list_buyers, request_purchase,
    approve_purchase, reject_purchase, withdraw_purchase, list_purchases, read_purchase,
]  # fmt: skip


def asked(what: str, data: Struct) -> bytes:
    """Return what tells a request from another under the same key: the thing it is about, and the body."""
    return what.encode() + msgspec.json.encode(data, order="sorted")


def parse_company(text: str) -> UUID | None:
    """Return the company that a list is narrowed to, or refuse what is no id."""
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise BadInputError(f"{text!r} is no company id: use a UUID.", field="company", value=text) from error


async def _ordered(parts: Parts, bought: Bought) -> Response[PurchaseChanged]:
    """Order a purchase that is approved, and answer how it stands: a checkout takes from what is everybody's."""
    purchase = await Purchasing(parts.platform, parts.cell, parts.checkouts).order(bought.purchase.id)
    return Response(purchase, status_code=201, headers=moved(bought.position))

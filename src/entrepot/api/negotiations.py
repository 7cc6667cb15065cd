"""Negotiations: a company asks for prices of its own, we offer, it counters, until one side accepts; then it is bought.

There are no logins yet: which side acts is said by the address, or by ``side`` in the body, and believed.
"""

from datetime import datetime
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.business import NO_STORE, OfCompany, asked, parse_company
from entrepot.api.headers import RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.time import utc
from entrepot.commerce.business import negotiating, query
from entrepot.commerce.business.events import NegotiationChanged, Side
from entrepot.commerce.business.negotiating import Negotiated, NegotiationDraft
from entrepot.commerce.business.query import NegotiationView
from entrepot.record.transaction import Transaction


class OfferDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we offer: a price per piece for each article that was asked for, by SKU, until a moment."""

    units_minor: dict[str, int]
    valid_until: datetime
    note: str = ""


class CounterDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the company would rather pay: a price per piece for each article, by SKU."""

    units_minor: dict[str, int]
    note: str = ""


class Ending(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which side accepts or declines."""

    side: Side
    note: str = ""


class Negotiations(Struct, frozen=True, kw_only=True):
    """Negotiations, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[NegotiationChanged]
    cursor: str


@post(
    "/v1/companies/{company_id:uuid}/negotiations",
    tags=["Negotiations"],
    summary="Ask for prices of one's own",
    opt={"permission": "negotiations.ask"},
)
async def request_prices(
    parts: NamedDependency[Parts],
    company_id: FromPath[UUID],
    data: JSONBody[NegotiationDraft],
    idempotency_key: RequiredKey = "",
) -> Response[NegotiationChanged]:
    """Ask what so many pieces would cost."""

    async def act(tx: Transaction) -> Negotiated:
        return await negotiating.request_prices(tx, company_id, data, utc(parts.clock.millis()))

    begun = await parts.run(act, Negotiated, required(idempotency_key), asked(f"prices for {company_id}", data))
    headers = {"Location": f"/v1/negotiations/{begun.negotiation.id}", **moved(begun.position)}
    return Response(begun.negotiation, status_code=201, headers=headers)


@post(
    "/v1/negotiations/{negotiation_id:uuid}/offer",
    tags=["Negotiations"],
    summary="Offer prices",
    opt={"permission": "negotiations.offer"},
)
async def offer(
    parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], data: JSONBody[OfferDraft], idempotency_key: RequiredKey = ""
) -> Response[NegotiationChanged]:
    """Offer a price per piece for each article, to a request or against a counter-proposal."""

    async def act(tx: Transaction) -> Negotiated:
        now = utc(parts.clock.millis())
        return await negotiating.offer(tx, negotiation_id, data.units_minor, data.valid_until, data.note, now)

    return _answer(await parts.run(act, Negotiated, required(idempotency_key), asked(f"offer {negotiation_id}", data)))


@post(
    "/v1/negotiations/{negotiation_id:uuid}/counter",
    tags=["Negotiations"],
    summary="Counter an offer",
    opt={"permission": "negotiations.ask"},
)
async def counter(
    parts: NamedDependency[Parts],
    negotiation_id: FromPath[UUID],
    data: JSONBody[CounterDraft],
    idempotency_key: RequiredKey = "",
) -> Response[NegotiationChanged]:
    """Propose other prices than were offered, while the offer is valid."""

    async def act(tx: Transaction) -> Negotiated:
        return await negotiating.counter(tx, negotiation_id, data.units_minor, data.note, utc(parts.clock.millis()))

    return _answer(await parts.run(act, Negotiated, required(idempotency_key), asked(f"counter {negotiation_id}", data)))


@post(
    "/v1/negotiations/{negotiation_id:uuid}/acceptance",
    tags=["Negotiations"],
    summary="Accept the last proposal",
    opt={"permission": "negotiations.ask"},
)
async def accept(
    parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], data: JSONBody[Ending], idempotency_key: RequiredKey = ""
) -> Response[NegotiationChanged]:
    """Accept what the other side proposed last; buy it with a purchase that names the negotiation."""

    async def act(tx: Transaction) -> Negotiated:
        return await negotiating.accept(tx, negotiation_id, data.side, data.note, utc(parts.clock.millis()))

    return _answer(await parts.run(act, Negotiated, required(idempotency_key), asked(f"accept {negotiation_id}", data)))


@post(
    "/v1/negotiations/{negotiation_id:uuid}/refusal",
    tags=["Negotiations"],
    summary="End without agreement",
    opt={"permission": "negotiations.ask"},
)
async def decline(
    parts: NamedDependency[Parts], negotiation_id: FromPath[UUID], data: JSONBody[Ending], idempotency_key: RequiredKey = ""
) -> Response[NegotiationChanged]:
    """Decline, from either side."""

    async def act(tx: Transaction) -> Negotiated:
        return await negotiating.decline(tx, negotiation_id, data.side, data.note, utc(parts.clock.millis()))

    return _answer(await parts.run(act, Negotiated, required(idempotency_key), asked(f"decline {negotiation_id}", data)))


@get("/v1/negotiations", tags=["Negotiations"], summary="List negotiations", opt={"permission": "purchases.read"})
async def list_negotiations(
    parts: NamedDependency[Parts], of_company: OfCompany = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[Negotiations]:
    """List negotiations, newest first."""
    company_id = parse_company(of_company)
    async with parts.record.reading() as connection:
        items = await query.negotiations(connection, parts.cell, company_id, parse_cursor(cursor), limit)
    page = Negotiations(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    return Response(page, headers={**NO_STORE, **next_link("/v1/negotiations", page.cursor, limit, company=of_company)})


@get(
    "/v1/negotiations/{negotiation_id:uuid}",
    tags=["Negotiations"],
    summary="One negotiation and its history",
    opt={"permission": "purchases.read"},
)
async def read_negotiation(parts: NamedDependency[Parts], negotiation_id: FromPath[UUID]) -> Response[NegotiationView]:
    """Read a negotiation with every round of it, from the truth."""
    async with parts.record.reading() as connection:
        return Response(await query.negotiation(connection, parts.cell, negotiation_id), headers=NO_STORE)


HANDLERS = [request_prices, offer, counter, accept, decline, list_negotiations, read_negotiation]


def _answer(negotiated: Negotiated) -> Response[NegotiationChanged]:
    return Response(negotiated.negotiation, status_code=201, headers=moved(negotiated.position))

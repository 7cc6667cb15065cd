"""What shoppers did, summed: sessions, funnel, searches and who comes again. Nobody is named in any of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.behaviour import query
from entrepot.behaviour.query import (
    EPOCH,
    FOREVER,
    DaySessions,
    Funnel,
    KindTotal,
    MissedSearch,
    SellingSearch,
    Span,
    WeekCohort,
)

TAGS = ["Behaviour"]
MAY_READ = {"permission": "behaviour.read"}
NO_STORE = {"Cache-Control": "no-store"}

Since = Annotated[datetime | None, QueryParameter(description="From this moment on, with its zone.")]
Until = Annotated[datetime | None, QueryParameter(description="Before this moment, with its zone.")]


class Totals(Struct, frozen=True, kw_only=True):
    """What was done, by kind."""

    items: Sequence[KindTotal]


class Sessions(Struct, frozen=True, kw_only=True):
    """Sessions by day."""

    items: Sequence[DaySessions]


class MissedSearches(Struct, frozen=True, kw_only=True):
    """What was searched for in vain."""

    items: Sequence[MissedSearch]


class SellingSearches(Struct, frozen=True, kw_only=True):
    """What was searched for before it was ordered; amounts in minor units, a row for each currency."""

    items: Sequence[SellingSearch]


class Retention(Struct, frozen=True, kw_only=True):
    """Who came again, by the week of their first visit."""

    items: Sequence[WeekCohort]


@get("/v1/behaviour", tags=TAGS, summary="What shoppers did, by kind", opt=MAY_READ)
async def totals(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = ""
) -> Response[Totals]:
    """Count events by kind, of everybody."""
    return Response(Totals(items=await query.totals(parts.columns, _span(since, until, market))), headers=NO_STORE)


@get("/v1/behaviour/sessions", tags=TAGS, summary="Sessions by day", opt=MAY_READ)
async def sessions(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = ""
) -> Response[Sessions]:
    """Count sessions of visitors who agreed to be counted: one ends when nothing was done for half an hour."""
    return Response(Sessions(items=await query.sessions(parts.columns, _span(since, until, market))), headers=NO_STORE)


@get("/v1/behaviour/funnel", tags=TAGS, summary="From a product's page to the order", opt=MAY_READ)
async def funnel(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = ""
) -> Response[Funnel]:
    """Count how far sessions came: product, cart, checkout, order, each after the one before."""
    return Response(await query.funnel(parts.columns, _span(since, until, market)), headers=NO_STORE)


@get("/v1/behaviour/missed-searches", tags=TAGS, summary="What was searched for in vain", opt=MAY_READ)
async def missed_searches(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = "", limit: Limit = 20
) -> Response[MissedSearches]:
    """List what was searched for most and found nothing, of everybody."""
    items = await query.missed_searches(parts.columns, _span(since, until, market), limit)
    return Response(MissedSearches(items=items), headers=NO_STORE)


@get("/v1/behaviour/selling-searches", tags=TAGS, summary="Which searches led to orders", opt=MAY_READ)
async def selling_searches(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = "", limit: Limit = 20
) -> Response[SellingSearches]:
    """List searches by the orders that followed: each counts for the last search whose result was clicked, within a week."""
    sales = parts.live.target("sales_facts")
    items = await query.searches_that_sold(parts.columns, sales, _span(since, until, market), limit)
    return Response(SellingSearches(items=items), headers=NO_STORE)


@get("/v1/behaviour/retention", tags=TAGS, summary="Who comes again", opt=MAY_READ)
async def retention(
    parts: NamedDependency[Parts], since: Since = None, until: Until = None, market: FromQuery[str] = ""
) -> Response[Retention]:
    """Count visitors by the week of their first visit and the weeks since."""
    return Response(Retention(items=await query.retention(parts.columns, _span(since, until, market))), headers=NO_STORE)


HANDLERS = [totals, sessions, funnel, missed_searches, selling_searches, retention]


def _span(since: datetime | None, until: datetime | None, market: str) -> Span:
    for moment in (since, until):
        if moment is not None and moment.tzinfo is None:
            raise BadInputError(f"The moment {moment.isoformat()} has no time zone: add one, such as Z.")
    return Span(since=since or EPOCH, until=until or FOREVER, market=market)

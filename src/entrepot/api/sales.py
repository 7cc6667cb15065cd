"""Sales: what was sold, by minute, day, country, category, product or cohort."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from entrepot.api.headers import AtLeast
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.projection import Target
from entrepot.base.time import utc
from entrepot.projections.sales_facts import query
from entrepot.projections.sales_facts.query import Sales, Within

PROJECTION = "sales_facts"
MINUTES = 60
By = Literal["total", "minute", "day", "country", "category", "product", "cohort"]


class SalesAnswer(Struct, frozen=True, kw_only=True):
    """Sums by one question, in minor units, one row for each currency; ``items`` have the question's own fields beside."""

    by: By
    since: datetime
    until: datetime
    items: Sequence[Sales]


@get("/v1/sales", tags=["Sales"], summary="What was sold", opt={"permission": "sales.read"})
async def read_sales(
    parts: NamedDependency[Parts],
    at_least: AtLeast,
    by: Annotated[By, QueryParameter(description="The question.")] = "day",
    since: Annotated[datetime | None, QueryParameter(description="From this moment on, with its zone.")] = None,
    until: Annotated[datetime | None, QueryParameter(description="Before this moment, with its zone.")] = None,
    market: FromQuery[str] = "",
    limit: Limit = 20,
) -> Response[SalesAnswer]:
    """Sum what was sold; minutes are those of the last hour unless a moment is given, all else is of all time."""
    target = await parts.fresh(PROJECTION, at_least)
    now = utc(parts.clock.millis())
    first = since or (now - timedelta(minutes=MINUTES) if by == "minute" else query.EPOCH)
    within = Within(since=_zoned(first), until=_zoned(until or query.FOREVER), market=market)
    items = await ask(parts, target, by, within, limit)
    answer = SalesAnswer(by=by, since=within.since, until=within.until, items=items)
    return Response(answer, headers={"Cache-Control": "no-store"})


async def ask(  # noqa: PLR0911  # one return for each question
    parts: Parts, target: Target, by: By, within: Within, limit: int
) -> Sequence[Sales]:
    """Ask one question."""
    store = parts.columns
    match by:
        case "total":
            return await query.totals(store, target, within)
        case "minute":
            return await query.by_minute(store, target, within)
        case "day":
            return await query.by_day(store, target, within)
        case "country":
            return await query.by_country(store, target, within)
        case "category":
            return await query.by_category(store, target, within, limit)
        case "product":
            return await query.by_product(store, target, within, limit)
        case "cohort":
            return await query.by_cohort(store, target, within)


HANDLERS = [read_sales]


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise BadInputError(f"The moment {moment.isoformat()} has no time zone: add one, such as Z.")
    return moment

"""Questions asked of what shoppers did. Moments and days are UTC; weeks begin on Monday."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from msgspec import Struct, convert

from entrepot.base.errors import BadInputError
from entrepot.base.limits import PAGE_ITEMS_MAX, SALES_ROWS_MAX
from entrepot.base.projection import Target
from entrepot.behaviour.table import TARGET
from entrepot.engines.columns.port import ColumnStore
from entrepot.record.named import queries

T = TypeVar("T", bound=Struct)

SQL = queries(__package__, "query.sql")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = datetime(2200, 1, 1, tzinfo=UTC)
SESSION_GAP_MINUTES = 30


class Span(Struct, frozen=True, kw_only=True):
    """From ``since`` up to and without ``until``; of one market or (empty) of all."""

    since: datetime = EPOCH
    until: datetime = FOREVER
    market: str = ""


class KindTotal(Struct, frozen=True, kw_only=True):
    """Events of a kind: in all, by visitors who agreed to be counted, and how many these were."""

    kind: str
    events: int
    by_visitors: int
    visitors: int


class DaySessions(Struct, frozen=True, kw_only=True):
    """The sessions that began on a day; ``seconds_each`` on average, ``with_order`` of them ended in one."""

    day: date
    sessions: int
    visitors: int
    events: int
    seconds_each: float
    with_order: int


class Funnel(Struct, frozen=True, kw_only=True):
    """How many sessions there were, and how many of them came to each step after the one before."""

    sessions: int
    viewed: int
    added: int
    checked_out: int
    ordered: int


class MissedSearch(Struct, frozen=True, kw_only=True):
    """Words that found nothing, and how often; ``visitors`` are those of them who agreed to be counted."""

    words: str
    searches: int
    visitors: int
    last_at: datetime


class SellingSearch(Struct, frozen=True, kw_only=True):
    """Words that led to orders, and what these are worth, net, in one currency."""

    words: str
    currency: str
    orders: int
    net_minor: int


class WeekCohort(Struct, frozen=True, kw_only=True):
    """Of the visitors who first came in the week that begins on ``week``: how many came so many weeks later."""

    week: date
    weeks_since: int
    visitors: int


async def totals(store: ColumnStore, span: Span) -> list[KindTotal]:
    """Return what was done, by kind."""
    return await _ask(store, "totals", span, KindTotal)


async def sessions(store: ColumnStore, span: Span) -> list[DaySessions]:
    """Return the sessions of each day that had any, the oldest first."""
    return await _ask(store, "sessions", span, DaySessions)


async def funnel(store: ColumnStore, span: Span) -> Funnel:
    """Return how far sessions came."""
    return (await _ask(store, "funnel", span, Funnel))[0]


async def missed_searches(store: ColumnStore, span: Span, limit: int = 20) -> list[MissedSearch]:
    """Return what was searched for in vain, the most wanted first."""
    return await _ask(store, "missed_searches", span, MissedSearch, limit)


async def searches_that_sold(store: ColumnStore, sales: Target, span: Span, limit: int = 20) -> list[SellingSearch]:
    """Return which searches led to orders; ``sales`` is the live generation of the facts of sales."""
    return await _ask(store, "searches_that_sold", span, SellingSearch, limit, sales)


async def retention(store: ColumnStore, span: Span) -> list[WeekCohort]:
    """Return who came again, by the week of their first visit and the weeks since."""
    return await _ask(store, "retention", span, WeekCohort)


async def of_visitor(store: ColumnStore, sealed_ids: Sequence[str]) -> list[Mapping[str, object]]:
    """Return every row of these sealed ids, the oldest first."""
    return list(await store.query(TARGET, SQL["of_visitor"], {"whose": list(sealed_ids)}))


async def _ask(
    store: ColumnStore, name: str, span: Span, answer: type[T], limit: int = PAGE_ITEMS_MAX, sales: Target | None = None
) -> list[T]:
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise BadInputError(f"A limit of {limit} is not possible: ask for 1 to {PAGE_ITEMS_MAX}.", limit=limit)
    parameters = {"since": _millis(span.since), "until": _millis(span.until), "market": span.market}
    parameters |= {"limit": limit, "most": SALES_ROWS_MAX, "gap": SESSION_GAP_MINUTES}
    sql = SQL[name] if sales is None else SQL[name].replace("{sales}", f"`{sales.name}`")
    rows: Sequence[object] = await store.query(TARGET, sql, parameters)
    return convert(rows, list[answer])  # type: ignore[valid-type]  # the type is known to the caller


def _millis(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise BadInputError(f"The moment {moment.isoformat()} has no time zone: give one.")
    return (min(max(moment, EPOCH), FOREVER) - EPOCH) // timedelta(milliseconds=1)

"""What shoppers do, as a page: how many came, how far, what they searched for in vain, who came again. And their consent."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.principal import principal_of
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.time import utc
from entrepot.behaviour import query
from entrepot.behaviour.query import DaySessions, Funnel, KindTotal, SellingSearch, Span, WeekCohort
from entrepot.behaviour.rules import PURPOSE
from entrepot.commerce.people.commands import give_consent, withdraw_consent
from entrepot.console.render import page
from entrepot.console.sales import PERIODS, Link
from entrepot.record.transaction import Transaction

_DAYS = {"today": 1, "week": 7, "month": 30}
RANKED = 10
WEEKS = 8
# Which wording of the question somebody said yes to: a new one is asked anew.
TEXT_VERSION = "2026-11"


class Step(Struct, frozen=True, kw_only=True):
    """A step of the funnel: how many sessions came so far."""

    label: str
    sessions: int


class Cohort(Struct, frozen=True, kw_only=True):
    """Who first came in a week, and how many of them came again in each week since."""

    week: date
    visitors: int
    came: Sequence[int | None]


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether somebody agrees to be counted as the same visitor again."""

    agrees: bool


@get("/behaviour", include_in_schema=False, opt={"permission": "behaviour.read"})
async def behaviour(parts: NamedDependency[Parts], period: FromQuery[str] = "week") -> Response[str]:
    """Show what shoppers did in a period."""
    if period not in PERIODS:
        raise BadInputError(f"The period {period!r} is unknown: use {', '.join(PERIODS)}.", field="period", value=period)
    span, store = _span(period, utc(parts.clock.millis())), parts.columns
    totals = {one.kind: one for one in await query.totals(store, span)}
    days = await query.sessions(store, span)
    context: dict[str, object] = {
        "period": period,
        "periods": [Link(label=label, href=f"/behaviour?period={key}", chosen=key == period) for key, label in PERIODS.items()],
        "events": sum(one.events for one in totals.values()),
        "named": sum(one.by_visitors for one in totals.values()),
        "sessions": sum(one.sessions for one in days),
        "with_order": sum(one.with_order for one in days),
        "kinds": _kinds(totals),
        "days": days,
        "chart": _chart(days) if days else "",
        "steps": _steps(await query.funnel(store, span)),
        "missed": await query.missed_searches(store, span, RANKED),
        "sold": await _sold(parts, span),
        "cohorts": _cohorts(await query.retention(store, span)),
        "weeks": range(WEEKS),
    }
    return page("behaviour.html", "behaviour", context)


@post("/behaviour/consent", include_in_schema=False, status_code=204, opt={"permission": "behaviour.tell"})
async def consent(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Answer]) -> None:
    """Note what somebody who has signed in answers; of anybody else the browser alone knows it."""
    who = principal_of(request)
    if who.kind != "person" or who.id is None:
        return
    now, person_id = utc(parts.clock.millis()), who.id

    async def act(tx: Transaction) -> None:
        if data.agrees:
            await give_consent(tx, person_id, PURPOSE, TEXT_VERSION, "store", now)
        else:
            await withdraw_consent(tx, person_id, PURPOSE, "store", now)

    try:
        async with parts.record.transaction(parts.cell, parts.actor) as tx:
            await act(tx)
    except NotFoundError:  # there was nothing to withdraw
        return


HANDLERS = [behaviour, consent]


def _span(period: str, now: datetime) -> Span:
    if period not in _DAYS:
        return Span()
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return Span(since=midnight - timedelta(days=_DAYS[period] - 1), until=midnight + timedelta(days=1))


def _kinds(totals: Mapping[str, KindTotal]) -> list[tuple[str, KindTotal]]:
    """Return what was done in the order that a shopper does it."""
    labels: Mapping[Literal["page", "search", "click", "view", "cart", "checkout", "order"], str] = {
        "page": "Pages opened",
        "search": "Searches",
        "click": "Results clicked",
        "view": "Products looked at",
        "cart": "Put into the cart",
        "checkout": "Checkouts begun",
        "order": "Orders",
    }
    return [(label, totals[kind]) for kind, label in labels.items() if kind in totals]


def _steps(funnel: Funnel) -> list[Step]:
    return [
        Step(label="All sessions", sessions=funnel.sessions),
        Step(label="Looked at a product", sessions=funnel.viewed),
        Step(label="Put it into the cart", sessions=funnel.added),
        Step(label="Began to pay", sessions=funnel.checked_out),
        Step(label="Ordered", sessions=funnel.ordered),
    ]


def _chart(days: Sequence[DaySessions]) -> str:
    drawn = {
        "step": 86_400,
        "shown": None,
        "labels": ["Sessions", "With an order"],
        "x": [int(datetime.combine(one.day, time(), UTC).timestamp()) for one in days],
        "net": [one.sessions for one in days],
        "orders": [one.with_order for one in days],
    }
    return msgspec.json.encode(drawn).decode()


async def _sold(parts: Parts, span: Span) -> list[SellingSearch]:
    return await query.searches_that_sold(parts.columns, parts.live.target("sales_facts"), span, RANKED)


def _cohorts(rows: Sequence[WeekCohort]) -> list[Cohort]:
    """Return the cohorts, the newest first; None is a week that is yet to come."""
    by_week: dict[date, dict[int, int]] = {}
    for row in rows:
        by_week.setdefault(row.week, {})[row.weeks_since] = row.visitors
    last = max((row.week + timedelta(weeks=row.weeks_since) for row in rows), default=None)
    return [
        Cohort(
            week=week,
            visitors=came.get(0, 0),
            came=[came.get(n, 0) if last and week + timedelta(weeks=n) <= last else None for n in range(WEEKS)],
        )
        for week, came in sorted(by_week.items(), reverse=True)[:WEEKS]
    ]

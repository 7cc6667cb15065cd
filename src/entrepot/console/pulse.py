"""The pulse as a page: orders, requests, latencies, lag and engines over the last hour or day, from the series engine."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.time import utc
from entrepot.console.render import page
from entrepot.console.sales import Link
from entrepot.engines.series.port import MINUTE_NS, Asked, SeriesStore, Span
from entrepot.projections.service_pulse.points import ENGINE, LAG, SALES, TRAFFIC

PERIODS = {"hour": "The last hour", "day": "The last day"}
# How long a period is, and one step of it, in minutes.
_LENGTHS = {"hour": (60, 1), "day": (1_440, 10)}
_NS = 1_000_000_000


class Moment(Struct, frozen=True, kw_only=True):
    """One step of a chart."""

    at: datetime
    value: float
    most: float


class Chart(Struct, frozen=True, kw_only=True):
    """A number over time: ``json`` is what draws it, ``rows`` what its table says."""

    title: str
    unit: str
    json: str
    rows: Sequence[Moment]


class Answering(Struct, frozen=True, kw_only=True):
    """How much of the time an engine has answered."""

    role: str
    share: float


@get("/engine-room/pulse", include_in_schema=False, opt={"permission": "house.watch"})
async def pulse(parts: NamedDependency[Parts], period: FromQuery[str] = "hour") -> Response[str]:
    """Show how the platform did in a period; without a series engine, how to have one."""
    if period not in PERIODS:
        raise BadInputError(f"The period {period!r} is unknown: use {', '.join(PERIODS)}.", field="period", value=period)
    links = [Link(label=label, href=f"/engine-room/pulse?period={key}", chosen=key == period) for key, label in PERIODS.items()]
    context: dict[str, object] = {"periods": links, "charts": [], "engines": [], "kept": parts.pulse.series is not None}
    if parts.pulse.series is not None:
        context |= await _shown(parts.pulse.series, parts.clock.millis() * 1_000_000, *_LENGTHS[period])
    return page("pulse.html", "engine-room", context)


HANDLERS = [pulse]


async def _shown(series: SeriesStore, now_ns: int, minutes: int, step: int) -> dict[str, object]:
    until_ns = (now_ns // MINUTE_NS + 1) * MINUTE_NS
    step_ns, since_ns = step * MINUTE_NS, until_ns - minutes * MINUTE_NS

    async def spans(name: str, field: str, *by: str) -> list[Span]:
        asked = Asked(name=name, field=field, since_ns=since_ns, until_ns=until_ns, step_ns=step_ns, by=by)
        return await series.spans(asked)

    orders, requests, p99, lags, answers = await asyncio.gather(
        spans(SALES, "orders", "market"),
        spans(TRAFFIC, "requests_per_second", "worker"),
        spans(TRAFFIC, "p99_seconds", "worker"),
        spans(LAG, "seconds", "projection"),
        spans(ENGINE, "answers", "role"),
    )
    charts = [
        _chart("Orders placed", "orders", orders, sum, lambda span: span.added, step),
        _chart("Requests", "per second", requests, sum, lambda span: span.added / span.count, step),
        _chart("Answered in, p99", "ms", p99, max, lambda span: 1_000 * span.added / span.count, step, 1_000),
        _chart("Furthest behind", "seconds", lags, max, lambda span: span.added / span.count, step),
    ]
    return {"charts": [one for one in charts if one.rows], "engines": _answering(answers)}


def _chart(
    title: str,
    unit: str,
    spans: Sequence[Span],
    together: Callable[[list[float]], float],
    value: Callable[[Span], float],
    step: int,
    scale: float = 1.0,
) -> Chart:
    """Return what several markets, workers or projections say of each moment as one line."""
    at: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        at[span.at_ns].append(span)
    rows = [
        Moment(
            at=utc(ns // 1_000_000),
            value=together([value(one) for one in some]),
            most=scale * max(one.most for one in some),
        )
        for ns, some in sorted(at.items())
    ]
    drawn = {
        "step": 60 * step,
        "labels": [unit.capitalize(), "At most"],
        "x": [ns // _NS for ns in sorted(at)],
        "net": [row.value for row in rows],
        "orders": [round(row.most, 3) for row in rows],
    }
    return Chart(title=title, unit=unit, json=msgspec.json.encode(drawn).decode(), rows=rows)


def _answering(spans: Sequence[Span]) -> list[Answering]:
    seen: dict[str, tuple[float, int]] = {}
    for span in spans:
        added, count = seen.get(span.tags["role"], (0.0, 0))
        seen[span.tags["role"]] = added + span.added, count + span.count
    return [Answering(role=role, share=added / count) for role, (added, count) in sorted(seen.items())]

"""Reads of the pulse: what was, by the minute; recent minutes from the points themselves, older ones as they were summed up."""

from collections.abc import Sequence

from entrepot.engines.series.port import MINUTE_NS, Asked, Point, SeriesStore, Span, rolled
from entrepot.projections.service_pulse.points import ENGINE, LAG, SALES, TRAFFIC

# What is summed up: the fields of each name, and the tags they are kept apart by.
ROLLED: Sequence[tuple[str, str, tuple[str, ...]]] = (
    (SALES, "orders", ("market", "currency", "cell")),
    (SALES, "total_minor", ("market", "currency", "cell")),
    (TRAFFIC, "requests_per_second", ("worker",)),
    (TRAFFIC, "p50_seconds", ("worker",)),
    (TRAFFIC, "p99_seconds", ("worker",)),
    (LAG, "events", ("projection",)),
    (LAG, "seconds", ("projection",)),
    (ENGINE, "answers", ("role",)),
)


async def sales_per_minute(series: SeriesStore, since_ns: int, until_ns: int) -> list[Span]:
    """Return the orders of each minute by market and currency: ``count`` of them."""
    return await series.spans(
        Asked(name=SALES, field="total_minor", since_ns=since_ns, until_ns=until_ns, by=("market", "currency"))
    )


async def sum_up(series: SeriesStore, since_ns: int, until_ns: int) -> int:
    """Write these whole minutes into the tier that is kept longer, and return how many points; twice changes nothing."""
    points: list[Point] = []
    for name, field, by in ROLLED:
        first, last = since_ns // MINUTE_NS * MINUTE_NS, until_ns // MINUTE_NS * MINUTE_NS
        spans = await series.spans(Asked(name=name, field=field, since_ns=first, until_ns=last, by=by))
        points += rolled(name, field, spans)
    await series.write(points, "minutes")
    return len(points)

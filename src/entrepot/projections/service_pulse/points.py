"""The points of the pulse: pure functions of what was seen. A point's time and tags are its identity: twice is once."""

from collections.abc import Mapping, Sequence

from entrepot.base.event import Event
from entrepot.commerce.ordering.events import ORDER_PLACED, OrderPlaced
from entrepot.engines.series.port import Point

SALES, TRAFFIC, LAG, ENGINE = "sales", "traffic", "lag", "engine"
SALES_KINDS = frozenset({ORDER_PLACED})

# Orders of one microsecond are told apart by their place in the log.
_NS_IN_MICROSECOND = 1_000


def sales(events: Sequence[Event]) -> list[Point]:
    """Return a point for each order placed: one order, its total in minor units."""
    return [_sale(event) for event in events if event.kind in SALES_KINDS]


def traffic(worker: str, at_ns: int, *, requests_per_second: float, errors: int, p50: float, p99: float) -> Point:
    """Return what one worker answered lately: how much, how quickly (seconds), and how many errors since it began."""
    numbers = {"requests_per_second": requests_per_second, "errors": float(errors), "p50_seconds": p50, "p99_seconds": p99}
    return Point(TRAFFIC, {"worker": worker}, numbers, at_ns)


def lags(at_ns: int, behind: Mapping[str, tuple[int, float]]) -> list[Point]:
    """Return how far each projection is behind: events and seconds."""
    return [
        Point(LAG, {"projection": name}, {"events": float(events), "seconds": seconds}, at_ns)
        for name, (events, seconds) in behind.items()
    ]


def engines(at_ns: int, wrong: Mapping[str, str]) -> list[Point]:
    """Return whether the engine of each role answers: 1 or 0. What is wrong is no number: the log has it."""
    return [Point(ENGINE, {"role": role}, {"answers": float(not why)}, at_ns) for role, why in wrong.items()]


def _sale(event: Event) -> Point:
    order = event.decode(OrderPlaced)
    at_ns = int(order.placed_at.timestamp()) * 1_000_000_000 + order.placed_at.microsecond * _NS_IN_MICROSECOND
    tags = {"market": order.market, "currency": order.currency, "cell": str(event.cell)}
    return Point(
        SALES,
        tags,
        {"orders": 1.0, "total_minor": float(order.total_minor)},
        at_ns + event.position.seq % _NS_IN_MICROSECOND,
    )

"""What this process counts about itself, for Prometheus. A registry of its own, so that two apps never mix."""

from collections import deque
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4"

LATENCIES = 2_048
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FAILED = 500

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Requests and latencies by route, what the cache answers, and what the pulse sees of the log."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "entrepot_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "entrepot_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self._cache = Counter("entrepot_page_cache", "Product pages asked of the cache.", ["outcome"], registry=self.registry)
        self.head = Gauge("entrepot_log_head", "The last sequence number of the log.", ["cell"], registry=self.registry)
        self.lag_events = Gauge(
            "entrepot_projection_lag_events", "Events a projection is behind.", ["projection"], registry=self.registry
        )
        self.lag_seconds = Gauge(
            "entrepot_projection_lag_seconds",
            "Age of what is not yet projected.",
            ["projection"],
            registry=self.registry,
        )
        self.quarantined = Gauge("entrepot_projection_quarantined", "Events set aside.", ["projection"], registry=self.registry)
        self._calls = Gauge(
            "entrepot_gather_calls", "Calls of the hot path with at most so many orders.", ["orders"], registry=self.registry
        )
        self._gathered = Gauge("entrepot_gather_orders", "Orders that the hot path was asked for.", registry=self.registry)
        self.requests = self.errors = 0
        self._latest: deque[float] = deque(maxlen=LATENCIES)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.cache_hit = self._cache.labels("hit")
        self.cache_miss = self._cache.labels("miss")

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; the label objects are remembered, since finding them costs more than counting."""
        known = self._known.get((method, route, status))
        if known is None:
            known = (self._requests.labels(method, route, str(status)), self._seconds.labels(route))
            self._known[method, route, status] = known
        self.requests += 1
        self.errors += status >= FAILED
        self._latest.append(seconds)
        known[0].inc()
        known[1].observe(seconds)

    def latencies(self) -> list[float]:
        """Return the latest answers' times in seconds, sorted."""
        return sorted(self._latest)

    def counted(self, gathered: Mapping[int, int]) -> CollectorRegistry:
        """Return everything counted so far; ``gathered`` says how many calls of the hot path took how many orders."""
        self._calls.clear()
        for bound in BATCHES:
            self._calls.labels(f"{bound}").set(sum(calls for size, calls in gathered.items() if size <= bound))
        self._gathered.set(sum(size * calls for size, calls in gathered.items()))
        return self.registry

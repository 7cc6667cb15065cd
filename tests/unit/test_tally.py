"""One scrape answers for all workers of a server: what each has counted adds up, what all see alike is told once."""

from collections.abc import Mapping
from pathlib import Path

from entrepot.api.metrics import Metrics
from entrepot.api.tally import Tally, added, counted_in


def worker(folder: Path, name: str, answers: int, gathered: Mapping[int, int], lag: int = 0) -> Tally:
    """Return a worker that has answered so many requests, and sees a projection so far behind."""
    metrics = Metrics()
    for _ in range(answers):
        metrics.answered("GET", "/v1/search", 200, 0.003)
    metrics.lag_events.labels("live_stock").set(lag)
    return Tally(metrics, gathered, folder, name)


async def test_one_scrape_answers_for_all_workers_those_that_have_ended_included(tmp_path: Path) -> None:
    async with worker(tmp_path, "1", 3, {4: 2}).keeping():
        pass
    text = (await worker(tmp_path, "2", 2, {4: 1}, lag=7).text()).decode()
    assert 'entrepot_requests_total{method="GET",route="/v1/search",status="200"} 5.0' in text
    assert 'entrepot_request_seconds_bucket{le="0.005",route="/v1/search"} 5.0' in text
    assert "entrepot_gather_orders 12.0" in text
    assert 'entrepot_projection_lag_events{projection="live_stock"} 7.0' in text
    assert "_created" not in text


async def test_a_worker_counts_itself_once_though_its_own_file_is_there(tmp_path: Path) -> None:
    one = worker(tmp_path, "1", 3, {})
    async with one.keeping():
        pass
    assert b'status="200"} 3.0' in await one.text()


def test_a_route_that_only_another_worker_has_answered_is_told_too() -> None:
    here, there = Metrics(), Metrics()
    there.answered("GET", "/v1/orders", 404, 0.1)
    text = str(added(counted_in(here.counted({})), [counted_in(there.counted({}))]))
    assert "/v1/orders" in text

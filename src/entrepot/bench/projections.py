"""How fast each projection catches up with the log, and how far behind it is while 500 orders a second come in.

Catching up is measured on the installation's own data; the lag on engines of the bench's own, so that nothing is sold.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from entrepot.app import App, opened, prepare, projections
from entrepot.base.event import Token
from entrepot.bench import Row, targets
from entrepot.bench.process import running
from entrepot.bench.rebuild import rebuild_each
from entrepot.bench.shop import article_order, open_shop
from entrepot.local import control
from entrepot.settings import Engines, Settings

ORDERS_PER_SECOND = 500
SECONDS = 20
SAMPLED_EVERY = 10
ARTICLES = 2_000
WAIT_SECONDS_MAX = 30.0


async def run(settings: Settings) -> list[Row]:
    """Measure both and return the rows."""
    rows = [
        Row(
            name=f"{name}, catching up",
            value=events / seconds,
            unit="events/s",
            target=targets.CATCH_UP_PER_SECOND,
            met=events / seconds >= targets.CATCH_UP_PER_SECOND,
        )
        for name, (seconds, events) in (await rebuild_each(settings, projections())).items()
    ]
    for name, lags in (await _lags()).items():
        p50, p99 = (lags[min(len(lags) - 1, len(lags) * percent // 100)] * 1000 for percent in (50, 99))
        rows.append(Row(name=f"{name}, lag p50", value=p50, unit="ms"))
        rows.append(
            Row(name=f"{name}, lag p99", value=p99, unit="ms", target=targets.LAG_P99_MILLIS, met=p99 < targets.LAG_P99_MILLIS)
        )
    return rows


async def _lags() -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)  # the database server's own user must reach it
        empty = Settings(home=Path(folder), engines=Engines())
        settings = await control.start(empty)
        try:
            await prepare(settings)
            async with running(settings, "project"), opened(settings) as app:
                await open_shop(app.record, ARTICLES)
                return await _sell(app)
        finally:
            await control.stop(structs.replace(empty))


async def _sell(app: App) -> dict[str, list[float]]:
    """Place orders at the rate and return, sorted, how long each projection took to pass the sampled ones, in seconds."""
    names = [projection.name for projection in app.projections if projection.name not in _untouched(app)]
    lags: dict[str, list[float]] = {name: [] for name in names}
    first = await app.gatherer.place("first", article_order(0))
    await asyncio.gather(*[app.live.wait_for(name, first.token, WAIT_SECONDS_MAX) for name in names])
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for n in range(ORDERS_PER_SECOND * SECONDS):
            await asyncio.sleep(began + n / ORDERS_PER_SECOND - loop.time())
            group.create_task(_place(app, n, names if n % SAMPLED_EVERY == 0 else [], lags))
    return {name: sorted(found) for name, found in lags.items()}


async def _place(app: App, n: int, names: Sequence[str], lags: dict[str, list[float]]) -> None:
    placed = await app.gatherer.place(f"order-{n}", article_order(n % ARTICLES))
    await asyncio.gather(*[_time(app, name, placed.token, lags[name]) for name in names])


async def _time(app: App, name: str, token: Token, into: list[float]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    passed = await app.live.wait_for(name, token, WAIT_SECONDS_MAX)
    into.append(loop.time() - began if passed else WAIT_SECONDS_MAX)


def _untouched(app: App) -> set[str]:
    """Return the projections that an order does not concern: they pass it without work."""
    return {one.name for one in app.projections if not any(kind.startswith(("ordering.", "stock.")) for kind in one.kinds)}

"""`entrepot rebuild NAME`: builds a projection anew beside the live one, and waits until it has taken its place."""

import asyncio
import logging
import os

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from entrepot.app import App, opened, projection_named
from entrepot.base import limits
from entrepot.base.time import SystemClock
from entrepot.cli.logs import to_stderr
from entrepot.duties import keep_up
from entrepot.log import generations
from entrepot.log.status import status
from entrepot.settings import load


async def rebuild(name: str) -> None:
    """Build a projection anew from the log; readers keep the old one until the new one has caught up.

    This process helps to build it, so it works with and without a running projector. Interrupted, it goes on where it
    was when any projector runs.

    Parameters
    ----------
    name
        The projection: product_page, product_search, sales_facts, bought_together or live_stock.
    """
    to_stderr(logging.WARNING)  # slots taken and released would tear the progress bar apart
    projection = projection_named(name)
    async with opened(load(os.environ)) as app:
        shards = next(one.shards for one in app.subscriptions if one.projection.name == name)
        number = await generations.rebuild(app.record, projection, shards)
        work = asyncio.create_task(keep_up(app))
        try:
            await _follow(app, name, number)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    print(f"{name} is served from generation {number}.")


async def _follow(app: App, name: str, number: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{name}, generation {number}", total=None)
        while True:
            [now] = (await status(app.record, [name], (app.settings.cell,), SystemClock())).projections
            if now.live is not None and now.live.generation >= number:
                return
            if now.building is not None:
                progress.update(task, total=now.building.total, completed=now.building.done)
            await asyncio.sleep(limits.POLL_SECONDS)

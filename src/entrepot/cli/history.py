"""Brings a data set in through the commands, and waits until every projection has caught up with it."""

import asyncio
from collections.abc import Mapping, Sequence

import stamina
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from entrepot.app import App
from entrepot.base import engine_limits, limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.time import SystemClock
from entrepot.commerce.checkout.seed import furnish
from entrepot.importing.accounting import Report
from entrepot.importing.categories import import_categories
from entrepot.importing.data import DataSet
from entrepot.importing.orders import import_orders
from entrepot.importing.pace import Pace
from entrepot.importing.products import import_products
from entrepot.importing.settle import patiently, prepare
from entrepot.log.status import ProjectionStatus, status
from entrepot.record.named import queries
from entrepot.record.transaction import Record
from entrepot.verify.verify import Report as Verification
from entrepot.verify.verify import Verifier

SQL = queries(__package__, "counts.sql")

STILL_SECONDS_MAX = 120.0

# Where the markets of the data sets lie, by how their codes begin.
COUNTRIES = {"uk": "GB", "us": "US"}


class History(Struct, frozen=True, kw_only=True):
    """What was brought in, and how everything stands: the answer of ``entrepot demo --once --json``."""

    data: str
    counts: Mapping[str, int]
    imports: Sequence[Report]
    rejects: Mapping[str, int]
    projections: Mapping[str, ProjectionStatus]
    verifications: Sequence[Verification]

    @property
    def differs(self) -> int:
        """How many items of all projections differ from the truth."""
        return sum(report.differs for report in self.verifications)


async def bring_in(app: App, data: DataSet, pace: Pace, screen: Console) -> list[Report]:
    """Import categories, products and orders, in this order, and show how far it is.

    What the first products' carts need is there before them: whoever orders while the rest still comes in can.
    """
    await furnish_markets(app.record, app.settings.cell, data)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    reports: list[Report] = []
    with Progress(*columns, console=screen) as progress:
        for kind in ("categories", "products", "orders"):
            for file in getattr(data, kind):
                task = progress.add_task(f"{kind} of {file.mapping.name}", total=None)

                def show(done: int, total: int | None, task: object = task) -> None:
                    progress.update(task, completed=done, total=total)  # type: ignore[arg-type]  # bound to this round's task

                if kind == "categories":
                    report = await import_categories(app.record, app.settings, file.path, file.mapping, show)
                elif kind == "products":
                    report = await import_products(app.record, app.settings, file.path, file.mapping, show)
                else:
                    report = await import_orders(app.record, app.settings, file.path, file.mapping, show, pace=pace)
                reports.append(report)
                progress.update(task, completed=report.rows, total=report.rows)
    return reports


async def furnish_markets(record: Record, cell: int, data: DataSet) -> None:
    """Give every market that the products will be sold in its country, and what its carts need: shipping, promotions, rates."""
    sold = [file.mapping.products for file in data.products if file.mapping.products]

    async def give() -> None:
        async with record.transaction(cell) as tx:
            for market in {one.market for one in sold}:
                country = COUNTRIES.get(market.partition("-")[0])
                await furnish(tx, market, country=country, currencies=["EUR", "CHF"], prices_include_tax=country != "US")

    for one in sold:
        await prepare(record, cell, one.market, one.currency, one.warehouse)
    await patiently(give)


async def caught_up(app: App) -> None:
    """Wait until every projection has read the whole log; one that stands still is named, with its error."""
    loop = asyncio.get_running_loop()
    last: list[int] = []
    moved_at = loop.time()
    while True:
        behind = [one for one in await _statuses(app) if one.live is None or one.live.lag_events or one.live.quarantined_keys]
        if not behind:
            return
        done = [one.live.done if one.live else 0 for one in behind]
        if done != last:
            last, moved_at = done, loop.time()
        if loop.time() - moved_at > STILL_SECONDS_MAX:
            one = behind[0]
            why = (one.live.error or f"{one.live.quarantined_keys} keys in quarantine") if one.live else "no projector runs"
            raise EngineAwayError(one.projection, f"it has stood still for {STILL_SECONDS_MAX:.0f} s: {why}")
        await asyncio.sleep(limits.POLL_SECONDS)


async def verified(app: App) -> list[Verification]:
    """Verify every projection; an engine that is just being started again is waited for."""
    verifier = Verifier(app.record, app.live, cells=(app.settings.cell,))
    reports = []
    for one in app.projections:
        async for attempt in stamina.retry_context(on=EngineAwayError, attempts=None, timeout=engine_limits.READY_SECONDS_MAX):
            with attempt:
                report = await verifier.verify(one, app.stores.of(one))
        reports.append(report)
    return reports


async def history(app: App, data: DataSet, imports: Sequence[Report], verifications: Sequence[Verification]) -> History:
    """Return what was brought in and how everything stands now."""
    async for attempt in stamina.retry_context(on=EngineAwayError, attempts=None, timeout=engine_limits.READY_SECONDS_MAX):
        with attempt:
            async with app.record.reading() as connection:
                row = await connection.fetchrow(SQL["counts"])
    assert row is not None
    rejects: dict[str, int] = {}
    for report in imports:
        for reason, rows in report.rejects.items():
            rejects[reason] = rejects.get(reason, 0) + rows
    return History(
        data=data.where,
        counts=dict(row),
        imports=imports,
        rejects=rejects,
        projections={one.projection: one for one in await _statuses(app)},
        verifications=verifications,
    )


async def _statuses(app: App) -> Sequence[ProjectionStatus]:
    names = [one.name for one in app.projections]
    async for attempt in stamina.retry_context(on=EngineAwayError, attempts=None, timeout=engine_limits.READY_SECONDS_MAX):
        with attempt:
            found = (await status(app.record, names, (app.settings.cell,), SystemClock())).projections
    return found

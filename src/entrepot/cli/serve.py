"""`entrepot serve`: the API and the console on one port, in the foreground, until it is stopped."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import psutil
import structlog
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer
from litestar.types import ASGIApp

from entrepot.api.application import application
from entrepot.api.metrics import Metrics
from entrepot.api.page_cache import PageCache
from entrepot.api.parts import Parts
from entrepot.api.pulse import Check, Pulse
from entrepot.api.read_budget import ReadBudget
from entrepot.api.recording import recording
from entrepot.api.standing import Standing, standing
from entrepot.api.tally import Tally
from entrepot.api.today import BestSold, Today
from entrepot.api.verifying import Verifying
from entrepot.app import App, behaviour_table, closed_with, opened, prepare, privacy_of, subscribe_to_gateway
from entrepot.base.breaker import Breaker, Patience, guarded
from entrepot.base.engine_limits import PING_SECONDS_MAX, STOP_SECONDS_MAX
from entrepot.base.errors import BadInputError, EngineAwayError, EntrepotError
from entrepot.base.late import load_all
from entrepot.base.limits import REQUEST_SECONDS_MAX, SUM_SECONDS_MAX
from entrepot.base.settled import settled
from entrepot.base.time import SystemClock
from entrepot.behaviour.collecting import Collecting
from entrepot.cli.ports import Port, check_port
from entrepot.commerce.people.lending import lent_key
from entrepot.engines.products import driver
from entrepot.engines.series.port import MINUTE_NS, Asked, SeriesStore
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool
from entrepot.local.ping import ping
from entrepot.moving.readers import needed
from entrepot.moving.series import FollowedSeries
from entrepot.moving.spared import spared_beside
from entrepot.partners.scanning.clamd import Clamd
from entrepot.privacy.erasing import whose_is_restricted
from entrepot.projections.product_search.remembered import Remembered
from entrepot.projections.service_pulse.points import TRAFFIC
from entrepot.sealing.sealing import Sealing
from entrepot.settings import Settings, load
from entrepot.shoppers.flash import Desk
from entrepot.verify.verify import Verifier

log = structlog.get_logger()

TARGET = "entrepot.cli.serve:served"
BACKLOG = 2_048
BEST_SOLD = 8


class StreamEndingServer(MPServer):
    """The server, which tells its workers to end their streams of events first: those would never end by themselves."""

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            with suppress(ProcessLookupError):
                os.kill(worker.inner.pid, signal.SIGUSR1)
        super()._stop_workers()  # type: ignore[no-untyped-call]  # granian leaves it without types


def serve(*, host: str | None = None, port: Port | None = None, workers: int | None = None) -> None:
    """Serve the API and the console until interrupted.

    Parameters
    ----------
    host
        The address to listen on (default: ENTREPOT_HOST, else 127.0.0.1).
    port
        The port to listen on (default: ENTREPOT_PORT, else 8700).
    workers
        How many processes serve (default: ENTREPOT_WORKERS, else 1).
    """
    settings = load(os.environ)
    # The workers read from here where they are reached, which they tell the payment gateway, and how many they are.
    os.environ["ENTREPOT_HOST"], os.environ["ENTREPOT_PORT"] = host or settings.host, str(port or settings.port)
    os.environ["ENTREPOT_WORKERS"] = str(workers or settings.workers)
    server(host or settings.host, port or settings.port, workers or settings.workers).serve()


def server(host: str, port: int, workers: int) -> StreamEndingServer:
    """Return the HTTP server, once the port is known to be free."""
    check_port(host, port)
    load_all()  # before there are workers, who share it: none of their requests waits for it
    _forget_counts(Path(load(os.environ).home))
    return StreamEndingServer(
        TARGET,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(REQUEST_SECONDS_MAX * 1000)),
        websockets=False,
        backlog=BACKLOG,
        factory=True,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=int(STOP_SECONDS_MAX),
    )


def _tally(metrics: Metrics, app: App) -> Tally:
    # The counts of one server lie together: its workers are all children of one process.
    folder = Path(app.settings.home) / "counts" / str(os.getppid())
    return Tally(metrics, app.gatherer.sizes, folder, str(os.getpid()))


def _forget_counts(home: Path) -> None:
    """Delete what the workers of servers that have ended have counted, and of one that had this process's number."""
    for folder in (home / "counts").glob("*"):
        if folder.name == str(os.getpid()) or not psutil.pid_exists(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)


def served() -> "Served":
    """Return the application as a worker process runs it (granian calls this by its name)."""
    return Served(load(os.environ))


class Served:
    """An ASGI application that opens what it needs when its server starts and closes it when the server stops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._inside: ASGIApp | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or the server's word that it starts or stops (which litestar's types leave out)."""
        if scope["type"] != "lifespan":
            assert self._inside is not None
            await self._inside(scope, receive, send)
            return
        while (await receive())["type"] == "lifespan.startup":
            await send(await self._start())
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> dict[str, str]:
        try:
            await prepare(self._settings)
            app = await self._stack.enter_async_context(opened(self._settings))
            self._inside = await self._stack.enter_async_context(serving(app))
            await subscribe_to_gateway(app)
            self._stack.enter_context(settled())
        except EntrepotError as error:
            print(str(error), file=sys.stderr)
            await self._stack.aclose()
            return {"type": "lifespan.startup.failed", "message": str(error)}
        except Exception as error:  # the server would go on without an application, and answer nobody why
            log.exception("serve.not_started", why=str(error))
            await self._stack.aclose()
            return {"type": "lifespan.startup.failed", "message": str(error)}
        return {"type": "lifespan.startup.complete"}


def flash_desk(app: App, stack: AsyncExitStack) -> Desk | None:
    """Return who holds flash sales in a demo, until the stack is closed."""
    settings = app.settings
    if not settings.demo:
        return None

    def lend() -> AbstractAsyncContextManager[str]:
        return lent_key(app.record, app.people.sessions, settings.cell, "flash-sale")

    return closed_with(stack, Desk(f"http://{settings.host}:{settings.port}", lend, settings.market, settings.workers))


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[ASGIApp]:
    """Give the ASGI application over what a process has open; its background work ends with the block."""
    clock, metrics = SystemClock(), Metrics()
    subscriptions = {one.projection.name: one for one in app.subscriptions}
    async with AsyncExitStack() as stack:
        verifying = closed_with(stack, Verifying(Verifier(app.record, app.live, cells=(app.settings.cell,)), subscriptions))
        pulse, tally = await stack.enter_async_context(_running(app, metrics, clock)), _tally(metrics, app)
        await stack.enter_async_context(tally.keeping())
        reads = await stack.enter_async_context(_reads(app, clock))
        yield application(
            Parts(
                record=app.record,
                cell=app.settings.cell,
                market=app.settings.market,
                flash=flash_desk(app, stack),
                clock=clock,
                gatherer=app.gatherer,
                live=app.live,
                subscriptions=subscriptions,
                documents=app.readers.documents,
                search=app.readers.search,
                columns=app.readers.columns,
                graph=app.readers.graph,
                memory=app.readers.memory,
                objects=app.stores.objects,
                carts=app.carts,
                quoting=app.quoting,
                checkouts=app.checkouts,
                addresses=addresses(app.settings),
                standing=partial(_standing, app),
                spared=partial(spared_beside, app.record, app.cache),
                pages=PageCache(app.readers.documents, app.live, metrics),
                texts=Remembered(app.live.on_change),
                pulse=pulse,
                metrics=metrics,
                tally=tally,
                verifying=verifying,
                archived=app.archived,
                gateway=app.gateway,
                carriers=app.carriers,
                scanner=Clamd(app.settings.scanner) if app.settings.scanner else None,
                people=app.people,
                privacy=privacy_of(app),
                auditor=app.auditor,
                reads=reads,
                behaviour=await stack.enter_async_context(_collecting(app).sending()),
                best_sold=BestSold(app.readers.columns, app.live, BEST_SOLD),
            ),
            app.settings.storefronts,
        )


@asynccontextmanager
async def _reads(app: App, clock: SystemClock) -> AsyncIterator[ReadBudget]:
    """Give what bounds how much anybody reads, and tells of it until the block ends."""
    budget = ReadBudget(clock, app.settings.reads, app.cache, partial(_unreadable, app.sealing))
    async with budget.telling():
        yield budget


async def _standing(app: App, name: str) -> Standing:
    """Ask the engine that a projection is read from, or of a role that none plays, what it is."""
    role = next((one.role for one in app.projections if one.name == name), "")
    if role:
        url = await app.stores.places.url(role, app.live.target(name).engine)
    else:
        role = name
        url = next(iter((await app.stores.places.moved()).get(role, [])), getattr(app.settings.engines, role))
    try:
        return standing(role, url, version=await _version(role, url))
    except (EngineAwayError, BadInputError) as error:
        return standing(role, url, why=str(error))


async def _version(role: str, url: str) -> str:
    """Return the version of what answers; empty where it answers, and has no question for it, as a stream has none."""
    if role != "stream":
        return await ping(role, url)
    asked = asyncio.create_task(_checked(driver(role, url)))
    asked.add_done_callback(lambda one: one.cancelled() or one.exception())
    try:
        async with asyncio.timeout(PING_SECONDS_MAX):
            await asyncio.shield(asked)  # its client cannot be cut short, and ends by itself
    except TimeoutError:
        raise EngineAwayError(role, f"no answer in {PING_SECONDS_MAX:.0f} s") from None
    return ""


async def _checked(stream: Any) -> None:
    try:
        await stream.check()
    finally:
        await stream.close()


def _unreadable(sealing: Sealing, caller: str) -> str:
    return sealing.blind("reads", caller).hex()


def _collecting(app: App) -> Collecting:
    return Collecting(app.record, app.sealing, SystemClock(), behaviour_table(app), whose_is_restricted)


class _Series(NamedTuple):
    """The series engine as the pulse has it: who waits for a page is let go where it hangs, what is kept goes to ``store``."""

    store: FollowedSeries
    breaker: Breaker
    read: SeriesStore


def _series(app: App, stack: AsyncExitStack) -> _Series | None:
    """Return the series engine, if the settings name one. Sums may take their time, of an engine that answers."""
    if not app.settings.engines.series:
        return None
    store = FollowedSeries(app.record, app.stores.places)
    least = Asked(name=TRAFFIC, field="errors", since_ns=0, until_ns=MINUTE_NS)
    breaker = closed_with(stack, Breaker("series", partial(store.spans, least), app.settings.engine_seconds))
    patience = Patience(needed(app.settings).doubt_seconds, SUM_SECONDS_MAX)
    return _Series(store, breaker, guarded(cast("SeriesStore", store), breaker, patience))


@asynccontextmanager
async def _running(app: App, metrics: Metrics, clock: SystemClock) -> AsyncIterator[Pulse]:
    """Look until the block ends, and keep what is seen where a series engine is named."""
    async with AsyncExitStack() as stack:
        series = _series(app, stack)
        pulse = _pulse(app, metrics, clock, series)
        await stack.enter_async_context(pulse.running())
        with suppress(NotImplementedError, RuntimeError, ValueError):  # in a test's thread, nobody sends signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, pulse.end)
        if series:
            pulse.series = series.read
            collector = Collector(series.store, Spool(app.settings.pulse_folder, app.record.ids))
            await stack.enter_async_context(recording(pulse, collector, str(os.getpid())))
        yield pulse


def _pulse(app: App, metrics: Metrics, clock: SystemClock, series: _Series | None) -> Pulse:
    breakers = {**app.breakers, **({"series": series.breaker} if series else {})}
    roles = {one.projection.name: one.projection.role for one in app.subscriptions}
    today = Today(app.readers.columns, app.live, clock)
    return Pulse(
        app.record,
        app.settings.cell,
        checks=checks(app, breakers),
        breakers=breakers,
        roles=roles,
        today=today,
        metrics=metrics,
        clock=clock,
    )


def checks(app: App, breakers: Mapping[str, Breaker]) -> dict[str, Check]:
    """Return how to ask the engine of each role whether it answers: by the least that a reader of it does."""
    found: dict[str, Check] = {role: breaker.check for role, breaker in breakers.items()}
    found["objects"] = app.stores.objects.open
    return found


def addresses(settings: Settings) -> dict[str, str]:
    """Return where the engine of each role is, without user or password, as a person reads it."""
    found = {}
    for role in settings.engines.__struct_fields__:
        if not (url := getattr(settings.engines, role)):
            continue
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "in this process"
        found[role] = f"{parts.scheme} {place}"
    return found

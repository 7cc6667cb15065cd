"""`entrepot demo`: the whole idea on real data, from an empty folder: engines, catalogue, orders, projections, console."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import stamina
from cyclopts import Parameter
from msgspec import structs
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from entrepot.app import App, opened, prepare
from entrepot.base import engine_limits
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.principal import Membership
from entrepot.cli import EXIT_DIFFERS
from entrepot.cli.children import Children
from entrepot.cli.demo_trade import COMPANY, SELLER, furnish_trade
from entrepot.cli.history import History, bring_in, caught_up, history, verified
from entrepot.cli.logs import to_stderr
from entrepot.cli.people import SignInLink, sign_in_link
from entrepot.cli.ports import Port, free_port
from entrepot.cli.shoppers import check_rate
from entrepot.importing.data import DataSet, find_data
from entrepot.importing.pace import Pace, parse_pace
from entrepot.local import control
from entrepot.settings import Settings, given_roles, load
from entrepot.shoppers.storefront import MARKETS, Market

Flag = Annotated[bool, Parameter(negative="")]

PORTS_TRIED_MAX = 20
SPEED = "200"
DEMO_PEOPLE = {
    "admin": [Membership("admin")],
    "customer": [Membership("buyer", f"company/{COMPANY}")],
    "seller": [Membership("seller_admin", f"seller/{SELLER}")],
}


async def demo(
    *, speed: str | None = None, shoppers: float = 1.0, port: Port | None = None, once: Flag = False, json: Flag = False
) -> int:
    """Start everything, bring in real data and keep it open in the browser until Ctrl-C; what is there already is kept.

    Parameters
    ----------
    speed
        Orders replayed a second (200), a multiple of real time (3600x), or 0 for as fast as it goes (the default with --once).
    shoppers
        How many people who are not there come to shop a second, once history is in; 0 for none.
    port
        The port of the API and the console (default: ENTREPOT_PORT, else 8700, or the next that is free).
    once
        Do not stay: bring in everything, verify every projection, print the counts, and exit 0 only if nothing differs.
    json
        Print the counts as JSON.
    """
    to_stderr(logging.ERROR)
    check_rate(shoppers)
    pace = parse_pace(speed if speed is not None else "0" if once else SPEED)
    settings = load(os.environ)
    data = find_data(settings, os.environ)
    settings = structs.replace(settings, market=settings.market or _market(data), demo=True)
    screen = Console(stderr=True)
    chosen = free_port(settings.host, port or settings.port, tries=1 if port else PORTS_TRIED_MAX)
    settings = structs.replace(settings, port=chosen)
    async with _engines(settings, screen) as running:
        verbs = (("project",), ("serve", "--host", settings.host, "--port", str(chosen)))
        async with Children(settings, verbs), _opened(running) as app:
            if once:
                found = await _once(app, data, pace, screen)
                _show(found, as_json=json)
                return EXIT_DIFFERS if found.differs else 0
            _welcome(screen, f"http://{settings.host}:{chosen}", data, await _people(app))
            try:
                await bring_in(app, data, pace, screen)
                for market in _markets(data)[:1]:
                    await furnish_trade(app, market)
                screen.print("All of it is in. Ctrl-C ends the demo; what it brought in stays.")
                async with Children(settings, _crowd(f"http://{settings.host}:{chosen}", shoppers, data)):
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                screen.print("Stopping. 'make demo' goes on where this was; 'make clean' removes it.")
    return 0


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[App]:
    """Open everything; an engine that is just being started again is waited for."""
    async with AsyncExitStack() as stack:
        async for attempt in stamina.retry_context(on=EngineAwayError, attempts=None, timeout=engine_limits.READY_SECONDS_MAX):
            with attempt:
                await prepare(settings)
                app = await stack.enter_async_context(opened(settings))
        yield app


async def _once(app: App, data: DataSet, pace: Pace, screen: Console) -> History:
    imports = await bring_in(app, data, pace, screen)
    with screen.status("Projections catch up with the log"):
        await caught_up(app)
    with screen.status("Every projection is compared with the truth"):
        verifications = await verified(app)
    return await history(app, data, imports, verifications)


@asynccontextmanager
async def _engines(settings: Settings, screen: Console) -> AsyncIterator[Settings]:
    """Start the engines that are not given by URL, and stop them afterwards if they did not run before."""
    given = given_roles(os.environ)
    found = await control.status(settings, given)
    for one in found:
        if one.external and one.problem:  # told before anything is started
            raise BadInputError(
                f"{one.problem} ENTREPOT_{one.role.upper()}_URL is {one.address}: start that server, or mend the URL.",
                role=one.role,
            )
    ran = any(one.pid for one in found if not one.external)
    with screen.status("The engines start"):
        running = await control.start(settings, given)
    try:
        yield running
    finally:
        if not ran:
            with screen.status("The engines stop"):
                await control.stop(settings)


def _crowd(address: str, rate: float, data: DataSet) -> list[list[str]]:
    """Return the verb that lets shoppers in, if any are wanted and somebody knows an address in a market of the catalogues."""
    markets = ",".join(market.code for market in _markets(data))
    return [["shoppers", "--rate", f"{rate:g}", "--url", address, "--market", markets]] if rate and markets else []


def _markets(data: DataSet) -> list[Market]:
    """Return the markets of the catalogues in which somebody knows an address."""
    sold_in = [file.mapping.products.market for file in data.products if file.mapping.products]
    return [MARKETS[market] for market in dict.fromkeys(sold_in) if market in MARKETS]


def _market(data: DataSet) -> str:
    """Return the market of the first catalogue: what the store shows before anyone has chosen."""
    return next((file.mapping.products.market for file in data.products if file.mapping.products), "")


async def _people(app: App) -> list[SignInLink]:
    """Return links that sign in the people of the demo, once each; none of them has a password."""
    return [
        await sign_in_link(app.record, app.people, app.settings, f"{name}@demo.example.com", roles)
        for name, roles in DEMO_PEOPLE.items()
    ]


def _welcome(screen: Console, address: str, data: DataSet, people: list[SignInLink]) -> None:
    command = sys.argv[0] if Path(sys.argv[0]).name == "entrepot" else "python -m entrepot"  # as it was just called
    screen.print(
        Panel(
            f"[bold]{address}[/bold]\n\n"
            f"the store         {address}/\n"
            f"live orders       {address}/orders\n"
            f"sales             {address}/sales\n"
            f"the engine room   {address}/engine-room\n"
            f"the API           {address}/v1/docs\n\n"
            f"Data comes from {data.where}.\n"
            "While it comes in, look at the engine room. Then try:\n"
            f"{command} verify, {command} rebuild product_search,\n"
            "or kill an engine and look again.",
            title="Entrepôt is open",
            expand=False,
        )
    )
    for one in people:  # outside the panel, so that a terminal does not break them
        screen.print(f"sign in once as {one.email}:\n{one.link}", highlight=False, soft_wrap=True)


def _show(found: History, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    console = Console()
    table = Table(title="What came in")
    table.add_column()
    table.add_column(justify="right")
    for name, count in found.counts.items():
        table.add_row(name, f"{count:,}")
    for reason, rows in found.rejects.items():
        table.add_row(f"rejected: {reason}", f"{rows:,}")
    console.print(table)
    table = Table(title="Projections")
    for column in ("projection", "items", "lag", "compared", "differ"):
        table.add_column(column, justify="left" if column == "projection" else "right")
    for report in found.verifications:
        live = found.projections[report.projection].live
        items, lag = (f"{live.items:,}", f"{live.lag_events:,}") if live else ("", "")
        table.add_row(report.projection, items, lag, f"{report.checked:,}", f"{report.differs:,}")
    console.print(table)
